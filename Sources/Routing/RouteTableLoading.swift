extension RouteTable {
  /// The largest file that is taken, in bytes (fault row 60).
  public static let largestFileBytes = 1_048_576

  /// Reads and validates a file. Relative paths in it start from its own folder.
  ///
  /// - Throws: every fault of the file at once, in its order.
  public static func load(path: String, sources: SecretSources = .process) throws(RouteFaults) -> RouteTable {
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
    return try decode(bytes, file: path, directory: directory, sources: sources)
  }

  /// Validates the text of a file.
  ///
  /// - Parameters:
  ///   - file: what faults call the file.
  ///   - directory: where relative paths start from; empty for the working directory.
  /// - Throws: every fault of the text at once, in its order.
  public static func decode(
    _ bytes: [UInt8], file: String, directory: String = "", sources: SecretSources = .process
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
      decoder.report(.invalidJSON(column: column, error.message), at: error.offset, .root)
      throw RouteFaults(faults: decoder.faults)
    }
    let table = decoder.table(root)
    guard decoder.faults.isEmpty else {
      let ordered = decoder.faults.enumerated().sorted {
        ($0.element.line ?? 0, $0.element.column, $0.offset) < ($1.element.line ?? 0, $1.element.column, $1.offset)
      }
      throw RouteFaults(faults: ordered.map(\.element))
    }
    return table
  }
}
