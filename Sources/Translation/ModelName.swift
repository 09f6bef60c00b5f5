public import Envelope

/// What a model may be called, wherever a client names one: it goes into an address and a log.
public enum ModelName {
  /// 1 to 256 visible ASCII characters.
  public static func isValid(_ name: String) -> Bool {
    (1...256).contains(name.utf8.count) && name.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  /// - Throws: `invalid_value` for `session.model`.
  public static func check(_ name: String) throws(EventFault) {
    guard isValid(name) else {
      throw .invalidValue(param: "session.model", because: "expected 1 to 256 visible ASCII characters.")
    }
  }
}
