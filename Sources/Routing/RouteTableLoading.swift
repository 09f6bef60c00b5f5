public import Envelope

extension RouteTable {
  /// The largest file that is taken, in bytes (fault row 60).
  public static let largestFileBytes = 1_048_576

  /// What faults call the runtime configuration, and its section that is laid over the file.
  public static let patchName = "runtime configuration"
  static let patchSection = "gateway"

  /// Reads and validates a file with the layers above it: the variables of the environment that stand for one of its
  /// members, and `patch`, section `gateway` of the runtime configuration. Relative paths start from the file's folder,
  /// wherever they stand.
  ///
  /// - Parameter patch: a merge patch (RFC 7396) over any section but `listen` and `ledger`.
  /// - Throws: every fault of the file at once, in its order.
  public static func load(
    path: String, merging patch: JSONObject = [:], sources: SecretSources = .process
  ) throws(RouteFaults) -> RouteTable {
    let bytes: [UInt8]
    do {
      bytes = try sources.file(path, largestFileBytes)
    } catch {
      throw RouteFaults(faults: [
        RouteFault(file: path, line: nil, column: 0, path: "", cause: .unreadable(error))
      ])
    }
    var directory = ""
    if let slash = path.lastIndex(of: "/") { directory = String(path[...slash]) }
    return try decode(bytes, merging: patch, file: path, directory: directory, sources: sources)
  }

  /// Validates the text of a file with the layers above it.
  ///
  /// - Parameters:
  ///   - patch: as of `load`. What is wrong in it is a fault of the file `patchName`, without a line, at `gateway.…`.
  ///   - file: what faults call the file.
  ///   - directory: where relative paths start from; empty for the working directory.
  /// - Throws: every fault of the text at once, in its order.
  public static func decode(
    _ bytes: [UInt8], merging patch: JSONObject = [:], file: String, directory: String = "",
    sources: SecretSources = .process
  ) throws(RouteFaults) -> RouteTable {
    guard bytes.count <= largestFileBytes else {
      let cause = RouteFault.Cause.unreadable(.tooLarge(limitBytes: largestFileBytes))
      throw RouteFaults(faults: [RouteFault(file: file, line: nil, column: 0, path: "", cause: cause)])
    }
    var decoder = TableDecoder(file: file, map: SourceMap(bytes), directory: directory, sources: sources)
    let root: PositionedValue
    do {
      root = try PositionedParser.parse(bytes)
    } catch {
      let column = SourceMap(bytes).position(of: error.offset).column
      decoder.report(.invalidJSON(column: column, error.message), at: .file(error.offset), .root)
      throw RouteFaults(faults: decoder.faults)
    }
    let table = decoder.table(decoder.merged(root, patch))
    guard decoder.faults.isEmpty else {
      let ordered = decoder.faults.enumerated().sorted {
        ($0.element.line ?? 0, $0.element.column, $0.offset) < ($1.element.line ?? 0, $1.element.column, $1.offset)
      }
      throw RouteFaults(faults: ordered.map(\.element))
    }
    return table
  }
}
