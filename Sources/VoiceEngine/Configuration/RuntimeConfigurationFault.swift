/// A mistake in the runtime configuration. Prints as `runtime.yaml:4: vad.treshold: unknown key; did you mean
/// "threshold"?` or `environment VAD_THRESHOLD: vad.threshold: out of range; allowed: 0 to 1`.
///
/// No text of it holds a value, because a value in the wrong place may be a key.
public struct RuntimeConfigurationFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// Every way the configuration can be wrong.
  public enum Cause: Error, Sendable, Hashable {
    case unreadable(String)
    case invalidYAML(column: Int, String)
    case duplicateKey
    case unknownKey(nearest: String?, known: [String])
    case wrongKind(expected: String, found: String)
    case outOfRange(String)
    case unknownWord(nearest: String?, known: [String])
    case badText(String)
    case badSecret(String)

    public var message: String {
      switch self {
      case .unreadable(let reason): "cannot be read: \(reason)"
      case .invalidYAML(let column, let problem): "invalid YAML at column \(column): \(problem)"
      case .duplicateKey: "a key is given twice"
      case .unknownKey(let nearest, let known): "unknown key; \(Self.suggestion(nearest, known))"
      case .wrongKind(let expected, let found): "expected \(expected), found \(found)"
      case .outOfRange(let range): "out of range; allowed: \(range)"
      case .unknownWord(let nearest, let known): "unknown value; \(Self.suggestion(nearest, known))"
      case .badText(let text): text
      case .badSecret(let text): text
      }
    }

    private static func suggestion(_ nearest: String?, _ known: [String]) -> String {
      if let nearest { return "did you mean \"\(nearest)\"?" }
      return "known: \(known.joined(separator: ", "))"
    }
  }

  public let source: SettingSource
  /// `vad.threshold`; empty for the whole file.
  public let path: String
  public let cause: Cause

  public init(_ source: SettingSource, path: String, _ cause: Cause) {
    self.source = source
    self.path = path
    self.cause = cause
  }

  public var description: String {
    let place =
      switch source {
      case .file(let file, let line): line.map { "\(file):\($0)" } ?? file
      default: "\(source)"
      }
    return ([place, path].filter { !$0.isEmpty } + [cause.message]).joined(separator: ": ")
  }
}

/// Where a value came from.
public enum SettingSource: Sendable, Hashable, CustomStringConvertible {
  case standard
  case environment(String)
  /// `line` counts from 1.
  case file(String, line: Int?)
  /// Given by a program, for example over HTTP.
  case request

  /// `default`, `environment GROQ_MODEL`, `/app/data/config/runtime.yaml:3`, `request`.
  public var description: String {
    switch self {
    case .standard: "default"
    case .environment(let name): "environment \(name)"
    case .file(let path, let line): line.map { "\(path):\($0)" } ?? path
    case .request: "request"
    }
  }
}

/// Finds the key that was probably meant.
enum NearestKey {
  /// The known name with the fewest typing errors from `name`, if these are few for its length.
  static func of(_ name: String, among known: [String]) -> String? {
    // A long name is no slip of the fingers, and the table below grows with its square.
    guard name.utf8.count <= 64 else { return nil }
    let written = Array(name.lowercased())
    let ranked = known.map { (name: $0, distance: distance(written, Array($0.lowercased()))) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, min(3, best.name.count / 3)) ? best.name : nil
  }

  /// Insertions, deletions, substitutions and swaps of neighbours.
  private static func distance(_ left: [Character], _ right: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (row, character) in left.enumerated() {
      var current = [row + 1]
      for (column, other) in right.enumerated() {
        var cost = min(last[column] + (character == other ? 0 : 1), last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, character == right[column - 1], left[row - 1] == other {
          cost = min(cost, beforeLast[column - 1] + 1)
        }
        current.append(cost)
      }
      (beforeLast, last) = (last, current)
    }
    return last[right.count]
  }
}
