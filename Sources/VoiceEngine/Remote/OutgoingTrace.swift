/// The trace that a session is part of, for the requests that the engine makes for it (W3C Trace Context).
public enum OutgoingTrace {
  /// Set while a session is opened: all that is done for it inherits them. Sound header values.
  @TaskLocal public static var headers: [Header] = []

  public struct Header: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }
}
