import Envelope

extension SessionPatch {
  /// What of a token's session its translator is configured with: its kind is settled by then, and so is a model that the
  /// client was admitted with.
  func configuring(_ parameters: SessionParameters) -> SessionPatch {
    var fields = nestingFlatFields().fields
    fields.removeValue(forKey: "type")
    guard parameters.requestedModel != nil else { return SessionPatch(fields) }
    for key in ["model", "modelId"] { fields.removeValue(forKey: key) }
    return SessionPatch(fields)
  }
}
