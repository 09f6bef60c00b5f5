/// A request head that has passed every check of ``RequestHeadParser``.
public struct RequestHead: Sendable, Hashable {
  /// One header field; the value without surrounding white space.
  public struct Field: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// How long the body is (RFC 9112 section 6).
  public enum Body: Sendable, Hashable {
    case none
    case length(Int)
    case chunked
  }

  public var method: String
  /// The absolute path, still percent-encoded, without the query.
  public var path: String
  /// What follows the first `?`, still percent-encoded; nil without one.
  public var query: String?
  public var host: String
  /// All fields in the order of arrival.
  public var fields: [Field]
  public var body: Body

  public init(method: String, path: String, query: String?, host: String, fields: [Field], body: Body) {
    self.method = method
    self.path = path
    self.query = query
    self.host = host
    self.fields = fields
    self.body = body
  }

  /// The values of all fields of that name, which is given in lower case.
  public func values(of name: String) -> [String] {
    fields.lazy.filter { $0.name.lowercased() == name }.map(\.value)
  }

  /// The comma-separated tokens of all fields of that name, in lower case.
  public func tokens(of name: String) -> [String] {
    listMembers(of: name).map { $0.lowercased() }
  }

  /// The comma-separated members of all fields of that name, as they were sent; empty ones are dropped.
  public func listMembers(of name: String) -> [String] {
    values(of: name).flatMap { value in
      value.split(separator: ",").map { $0.trimmingSpaces }.filter { !$0.isEmpty }
    }
  }
}

extension StringProtocol {
  /// The text without spaces and tabs at either end.
  package var trimmingSpaces: String {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    let front = drop(while: isBlank)
    guard let last = front.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(front[...last])
  }
}
