public import Envelope

/// Puts what a service really does in the place of what it cannot do, and remembers which fields those were (Q23).
public struct MissingFields: Sendable {
  /// As a client names them: `session.audio.output.speed`.
  public private(set) var paths: [String] = []

  public init() {}

  /// The service has one value for a field.
  public mutating func keep<Value: Equatable>(_ field: inout Value, at only: Value, _ path: String) {
    guard field != only else { return }
    field = only
    paths.append(path)
  }

  /// The service has no such field, or not with that value.
  public mutating func add(_ path: String) {
    paths.append(path)
  }

  /// Takes out what neither the vocabulary nor the service knows.
  ///
  /// - Parameters:
  ///   - own: names of the service's own.
  ///   - path: of the object.
  public mutating func clean(_ unknown: inout UnknownFields, keeping own: Set<String> = [], _ path: String) {
    for key in unknown.fields.keys where !own.contains(key) {
      unknown.fields.removeValue(forKey: key)
      paths.append("\(path).\(key)")
    }
  }
}
