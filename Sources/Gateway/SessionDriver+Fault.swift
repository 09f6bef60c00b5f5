import SessionCore

extension SessionDriver {
  /// Something is as it never can be: this session ends with 1011, and no other (fault row 65).
  func fail(_ invariant: String) {
    step { $0.fail(invariant, at: $1) }
    flush()
  }
}
