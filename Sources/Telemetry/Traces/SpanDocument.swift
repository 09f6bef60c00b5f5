import Envelope
import NIOCore
import Tracing

/// `ExportTraceServiceRequest` in the JSON of OTLP 1.x: identifiers in hexadecimal, 64-bit numbers as text,
/// enumerations as numbers (opentelemetry.io, "OTLP", section "JSON Protobuf Encoding").
enum SpanDocument {
  /// Attributes of one thing beyond these are left out.
  static let mostAttributes = 64
  /// Text longer than this is cut, in bytes.
  static let longestText = 1_024

  /// - Parameter resource: who says it: `service.name` and what else the operator wants to be said.
  static func body(of spans: [FinishedSpan], resource: [(String, String)]) -> ByteBuffer {
    let attributes = resource.map { attribute($0.0, .object(["stringValue": .string($0.1)])) }
    let scope: JSONObject = ["scope": ["name": "parley"], "spans": .array(spans.map(object))]
    let document: JSONValue = [
      "resourceSpans": [["resource": ["attributes": .array(attributes)], "scopeSpans": [.object(scope)]]]
    ]
    var buffer = ByteBuffer()
    document.write(into: &buffer)
    return buffer
  }

  private static func object(_ span: FinishedSpan) -> JSONValue {
    var object: JSONObject = [
      "traceId": .string(span.own.traceID), "spanId": .string(span.own.spanID), "flags": 1,
      "name": .string(text(span.name)), "kind": JSONValue.number(JSONNumber(number(span.kind))),
      "startTimeUnixNano": .string(String(span.begin)), "endTimeUnixNano": .string(String(span.end)),
      "attributes": list(span.attributes),
    ]
    if let parent = span.parentSpanID { object["parentSpanId"] = .string(parent) }
    if let state = span.traceState { object["traceState"] = .string(state) }
    if !span.events.isEmpty { object["events"] = .array(span.events.map(Self.object)) }
    if !span.links.isEmpty { object["links"] = .array(span.links.map(Self.object)) }
    if let status = span.status { object["status"] = Self.object(status) }
    return .object(object)
  }

  private static func object(_ event: SpanEvent) -> JSONValue {
    [
      "timeUnixNano": .string(String(event.nanosecondsSinceEpoch)), "name": .string(text(event.name)),
      "attributes": list(event.attributes),
    ]
  }

  private static func object(_ link: FinishedSpan.Link) -> JSONValue {
    [
      "traceId": .string(link.parent.traceID), "spanId": .string(link.parent.spanID),
      "attributes": list(link.attributes),
    ]
  }

  private static func object(_ status: SpanStatus) -> JSONValue {
    var object = JSONObject()
    object["code"] = status.code == .error ? 2 : 1
    if let message = status.message { object["message"] = .string(text(message)) }
    return .object(object)
  }

  private static func number(_ kind: SpanKind) -> Int {
    switch kind {
    case .internal: 1
    case .server: 2
    case .client: 3
    case .producer: 4
    case .consumer: 5
    }
  }

  private static func list(_ attributes: SpanAttributes) -> JSONValue {
    var pairs: [(String, JSONValue)] = []
    attributes.forEach { key, value in
      if let value = Self.value(value) { pairs.append((key, value)) }
    }
    return .array(pairs.sorted { $0.0 < $1.0 }.prefix(mostAttributes).map { attribute($0.0, $0.1) })
  }

  private static func attribute(_ key: String, _ value: JSONValue) -> JSONValue {
    ["key": .string(text(key)), "value": value]
  }

  /// `AnyValue`; nil for what JSON has no number for.
  private static func value(_ attribute: SpanAttribute) -> JSONValue? {
    switch attribute {
    case .int32(let value): whole(Int64(value))
    case .int64(let value): whole(value)
    case .double(let value): value.isFinite ? ["doubleValue": .number(JSONNumber(value))] : nil
    case .bool(let value): ["boolValue": .bool(value)]
    case .string(let value): words(value)
    case .stringConvertible(let value): words("\(value)")
    case .int32Array(let values): list(values.map { whole(Int64($0)) })
    case .int64Array(let values): list(values.map(whole))
    case .doubleArray(let values):
      list(values.filter(\.isFinite).map { ["doubleValue": .number(JSONNumber($0))] })
    case .boolArray(let values): list(values.map { ["boolValue": .bool($0)] })
    case .stringArray(let values): list(values.map(words))
    case .stringConvertibleArray(let values): list(values.map { words("\($0)") })
    default: nil
    }
  }

  private static func whole(_ value: Int64) -> JSONValue { ["intValue": .string(String(value))] }

  private static func words(_ value: String) -> JSONValue { ["stringValue": .string(text(value))] }

  private static func list(_ values: [JSONValue]) -> JSONValue {
    ["arrayValue": ["values": .array(Array(values.prefix(mostAttributes)))]]
  }

  /// Of bounded length, and nothing that looks like a key (fault row 68).
  private static func text(_ value: String) -> String {
    guard value.utf8.count > longestText else { return SecretMask.masked(value) }
    var cut = String(value.unicodeScalars.prefix(longestText))
    while cut.utf8.count > longestText { cut.removeLast() }
    return SecretMask.masked(cut)
  }
}
