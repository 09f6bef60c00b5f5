/// The target of an HTTP request in origin form (RFC 9112 section 3.2.1), its query taken apart.
///
/// It may hold a client's credential, so it prints without its query.
public struct RequestTarget: Sendable, CustomStringConvertible, CustomReflectable {
  struct Parameter: Sendable {
    let name: String
    /// Nil if its percent escapes are malformed or give no UTF-8.
    let value: String?
  }

  /// As sent, percent escapes included.
  public let path: String
  let parameters: [Parameter]

  /// - Parameter text: as it stands in the request line. "+" means itself: it occurs in keys, and no parameter of ours
  ///   has spaces. A "?" within the query separates parameters like "&": some clients append `?model=` to an address that
  ///   has a query already, and no parameter of ours has one.
  public init(_ text: String) {
    let whole = text.prefix { $0 != "#" }
    let path = whole.prefix { $0 != "?" }
    self.path = String(path)
    parameters = whole[path.endIndex...].dropFirst().split { $0 == "&" || $0 == "?" }.map { pair in
      let name = pair.prefix { $0 != "=" }
      let value = pair[name.endIndex...].dropFirst()
      return Parameter(name: Self.decoded(name) ?? String(name), value: Self.decoded(value))
    }
  }

  /// The decoded values of a parameter in order; nil stands for one whose percent escapes are malformed.
  public func values(of name: String) -> [String?] {
    parameters.filter { $0.name == name }.map(\.value)
  }

  public var description: String { path }
  public var customMirror: Mirror { Mirror(self, children: ["path": path]) }

  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
        return nil
      }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
  }
}
