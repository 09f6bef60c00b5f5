/// A value that must not be printed: a key, a token. It shows as `<redacted>` in descriptions, interpolations, `dump` and
/// reflection; the value is had by `reveal()` only, so that every use of it can be found by that word.
///
/// It is not `Equatable`: comparing secrets with `==` takes a time that depends on how much of them agrees.
public struct Redacted<Value: Sendable>: Sendable {
  private let value: Value

  public init(_ value: Value) {
    self.value = value
  }

  /// The value itself. To be called where it goes on the wire or is compared, and nowhere else.
  public func reveal() -> Value { value }
}

extension Redacted: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "<redacted>" }
  public var debugDescription: String { "<redacted>" }
  public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
