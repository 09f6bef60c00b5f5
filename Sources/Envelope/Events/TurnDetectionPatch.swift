extension CheckedField {
  /// Another `type` starts from that type's defaults; the same type, or none, keeps what is not mentioned (R243, R250).
  ///
  /// The fields of both types are checked whichever applies, so that a wrong value never goes unnoticed; those of the
  /// other type are then kept like unknown ones.
  func turnDetection(over current: TurnDetection?) throws(EventFault) -> TurnDetection {
    let fields = try members()
    let start = try start(over: current)
    let changes = try TurnDetectionChanges(fields)
    switch start {
    case .serverVAD(var vad):
      vad.threshold = changes.threshold ?? vad.threshold
      vad.prefixPaddingMs = changes.prefixPaddingMs ?? vad.prefixPaddingMs
      vad.silenceDurationMs = changes.silenceDurationMs ?? vad.silenceDurationMs
      changes.idleTimeoutMs.apply(to: &vad.idleTimeoutMs)
      vad.createResponse = changes.createResponse ?? vad.createResponse
      vad.interruptResponse = changes.interruptResponse ?? vad.interruptResponse
      for (key, field) in fields where ServerVAD.CodingKeys(stringValue: key) == nil {
        vad.unknown.fields[key] = field.value
      }
      return .serverVAD(vad)
    case .semanticVAD(var vad):
      vad.eagerness = changes.eagerness ?? vad.eagerness
      vad.createResponse = changes.createResponse ?? vad.createResponse
      vad.interruptResponse = changes.interruptResponse ?? vad.interruptResponse
      for (key, field) in fields where SemanticVAD.CodingKeys(stringValue: key) == nil {
        vad.unknown.fields[key] = field.value
      }
      return .semanticVAD(vad)
    }
  }

  private func start(over current: TurnDetection?) throws(EventFault) -> TurnDetection {
    if let current, try member("type") == nil {
      return current
    }
    let type = try requiredMember("type")
    switch (try type.string(), current) {
    case ("server_vad", .serverVAD(let vad)): return .serverVAD(vad)
    case ("server_vad", _): return .serverVAD(ServerVAD())
    case ("semantic_vad", .semanticVAD(let vad)): return .semanticVAD(vad)
    case ("semantic_vad", _): return .semanticVAD(SemanticVAD())
    case (let name, _): throw .invalidValue(name, param: type.path, supported: TurnDetection.types)
    }
  }
}

/// The checked fields of a partial `turn_detection`.
private struct TurnDetectionChanges {
  /// No wait is longer than the life of a session.
  private static let hour = 3_600_000

  var threshold: Double?
  var prefixPaddingMs: Int?
  var silenceDurationMs: Int?
  var idleTimeoutMs = Patch<Int>.absent
  var createResponse: Bool?
  var interruptResponse: Bool?
  var eagerness: SemanticVAD.Eagerness?

  init(_ fields: [(key: String, field: CheckedField)]) throws(EventFault) {
    for (key, field) in fields {
      switch key {
      case "threshold": threshold = try field.share()
      case "prefix_padding_ms": prefixPaddingMs = try field.integer(0...Self.hour)
      case "silence_duration_ms": silenceDurationMs = try field.integer(0...Self.hour)
      case "idle_timeout_ms":
        // 0 disables (R249). The service's own minimum is 5000; vendors and tests use less.
        idleTimeoutMs = field.value.isNull ? .null : .value(try field.integer(0...30_000))
      case "create_response": createResponse = try field.bool()
      case "interrupt_response": interruptResponse = try field.bool()
      case "eagerness": eagerness = try field.choice()
      default: break
      }
    }
  }
}
