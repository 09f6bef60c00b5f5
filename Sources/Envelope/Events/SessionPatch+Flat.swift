extension SessionPatch {
  /// The update with `voice` and `turn_detection` of the session's top level where the vocabulary has them (R100). The nested ones win.
  public func nestingFlatFields() -> SessionPatch {
    var fields = fields
    if let given = fields["audio"], given.object == nil { return self }
    var audio = fields["audio"]?.object ?? JSONObject()
    for (key, side) in [("turn_detection", "input"), ("voice", "output")] {
      guard let value = fields[key] else { continue }
      fields.removeValue(forKey: key)
      var object = audio[side]?.object ?? JSONObject()
      if object[key] == nil { object[key] = value }
      audio[side] = .object(object)
    }
    if audio.count > 0 { fields["audio"] = .object(audio) }
    return SessionPatch(fields)
  }
}
