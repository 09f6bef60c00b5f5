public import Envelope

/// The stand-ins' field tables as JSON, for the check against the official types
/// (`Tests/Conformance/check_standin_fields.py`).
public enum FieldDump {
  /// `{"gemini": {"client": {…}, "server": {…}}, "openai": {"client": {…}}, …}`; each table is
  /// `{message: {field: kind}}`, a kind is text such as `string`, `[Content]`, `{string}`, `enum A B`.
  public static func all() -> JSONValue {
    .object([
      "gemini": .object([
        "client": dump(GeminiFields.client(version: "v1alpha", platform: .vertex)),
        "server": dump(GeminiFields.server),
      ]),
      "openai": .object(["client": dump(OpenAIFields.client)]),
      "azure": .object(["client": dump(OpenAIFields.azure)]),
      "azure-preview": .object(["client": dump(BetaFields.client)]),
      "voice-live": .object(["client": dump(VoiceLiveFields.client)]),
      "xai": .object(["client": dump(XAIFields.client)]),
      "inworld": .object(["client": dump(InworldFields.client)]),
      "vowel": .object(["client": dump(VowelFields.client)]),
    ])
  }

  static func dump(_ table: FieldTable) -> JSONValue {
    var result = JSONObject()
    for (name, shape) in table.shapes.sorted(by: { $0.key < $1.key }) {
      var fields = JSONObject()
      for (field, kind) in shape.fields.sorted(by: { $0.key < $1.key }) {
        fields[field] = .string(describe(kind))
      }
      result[name] = .object(fields)
    }
    return .object(result)
  }

  static func describe(_ kind: FieldKind) -> String {
    switch kind {
    case .string, .text: "string"
    case .bool: "bool"
    case .integer: "integer"
    case .number: "number"
    case .bytes: "bytes"
    case .duration: "duration"
    case .enumeration(let names): "enum " + names.joined(separator: " ")
    case .message(let name): name
    case .tagged(_, let names): names.values.sorted().joined(separator: "|")
    case .list(let element): "[\(describe(element))]"
    case .map(let element): "{\(describe(element))}"
    case .object: "object"
    case .any: "any"
    case .nullable(let kind): "\(describe(kind))|null"
    case .either(let kinds): kinds.map(describe).joined(separator: "|")
    }
  }
}
