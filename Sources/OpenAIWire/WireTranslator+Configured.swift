public import Envelope
import Translation

// A session that begins as its token says.

extension WireTranslator {
  public mutating func configure(_ patch: SessionPatch) throws(EventFault) -> [String] {
    let patch = patch.nestingFlatFields()
    let (effective, ignored) = try effective(patch.applied(to: session))
    if isStrict, let first = ignored.first { throw .withoutCounterpart(first) }
    // It is dialled at once.
    if patch.model != nil { hasDialled = true }
    let old = session
    session = effective
    // Each connection is told of them.
    updates = SessionUpdates(session, touched: patch.fields)
    liveFormat = session.audio.output.format
    sessionChanged(from: old)
    return ignored
  }
}

extension EventFault {
  /// A field that is refused where they are not ignored (Q23).
  static func withoutCounterpart(_ field: String) -> EventFault {
    .unsupported("This provider has no counterpart for the field.", param: field)
  }
}
