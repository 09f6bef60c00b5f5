import Envelope
import Testing

@testable import Translation

/// That the vocabulary of `GET /v1/capabilities` is the envelope's.
@Suite struct CoverageVocabulary {
  // MARK: Specimens with every field

  static let detections = [
    #"""
    {"type":"server_vad","threshold":0.5,"prefix_padding_ms":300,"silence_duration_ms":500,"idle_timeout_ms":6000,
     "create_response":true,"interrupt_response":true}
    """#, #"{"type":"semantic_vad","eagerness":"low","create_response":true,"interrupt_response":true}"#,
  ]

  /// A session in which nothing is nil.
  static func session(_ detection: String) throws -> RealtimeSession {
    let text = #"""
      {"type":"realtime","object":"realtime.session","id":"sess_1","expires_at":1,"model":"m",
       "output_modalities":["audio"],"instructions":"i","tools":[],"tool_choice":"auto","parallel_tool_calls":true,
       "reasoning":{"effort":"low"},"max_output_tokens":"inf","tracing":"auto","truncation":"auto",
       "prompt":{"id":"p"},"include":["item.input_audio_transcription.logprobs"],
       "audio":{
         "input":{"format":{"type":"audio/pcm","rate":24000},
           "transcription":{"model":"m","language":"de","prompt":"p","languages":["de"],"keywords":["k"],"delay":"low"},
           "noise_reduction":{"type":"near_field","strength":1},"turn_detection":\#(detection)},
         "output":{"format":{"type":"audio/pcm","rate":24000},"voice":"marin","speed":1}}}
      """#
    return try JSONCoding.decode(RealtimeSession.self, from: try JSONValue(parsing: text))
  }

  static func options() throws -> ResponseOptions {
    let text = #"""
      {"conversation":"auto","metadata":{"k":"v"},"output_modalities":["audio"],"instructions":"i",
       "audio":{"output":{"format":{"type":"audio/pcm","rate":24000},"voice":"marin"}},"tools":[],"tool_choice":"auto",
       "parallel_tool_calls":true,"max_output_tokens":"inf","reasoning":{"effort":"low"},"prompt":{"id":"p"},"input":[]}
      """#
    return try JSONCoding.decode(ResponseOptions.self, from: try JSONValue(parsing: text))
  }

  // MARK: What a specimen holds

  /// Objects that count as one field: what is in them is a value, or free.
  static let whole: Set<String> = ["format", "voice", "tracing", "truncation", "prompt", "metadata"]
  /// Objects that are a field beside their own fields, because they can be null.
  static let nullable: Set<String> = ["transcription", "noise_reduction", "turn_detection"]

  static func paths(_ object: JSONObject, _ prefix: String) -> Set<String> {
    object.reduce(into: []) { paths, member in
      let path = prefix + "." + member.key
      guard let inner = member.value.object, !whole.contains(member.key) else {
        paths.insert(path)
        return
      }
      if nullable.contains(member.key) { paths.insert(path) }
      paths.formUnion(self.paths(inner, path))
    }
  }

  /// Stored properties that hold nil, so that their keys are not written.
  static func absent(_ value: Any, _ path: String) -> [String] {
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .optional {
      guard let inner = mirror.children.first?.value else { return [path] }
      return absent(inner, path)
    }
    guard [.struct, .enum].contains(mirror.displayStyle), !(value is JSONValue), !(value is UnknownFields) else {
      return []
    }
    return mirror.children.flatMap { absent($0.value, path + "." + ($0.label ?? "?")) }
  }

  @Test("R251: coverage tells of the fields that a session has, and of no others", arguments: detections)
  func session(_ detection: String) throws {
    let session = try Self.session(detection)
    #expect(Self.absent(session, "session").isEmpty, "the specimen has every field")
    let other = try #require(Self.detections.first { $0 != detection })
    let paths = [session, try Self.session(other)].reduce(into: Set<String>()) { paths, session in
      paths.formUnion(Self.paths(JSONCoding.encode(session).object ?? [:], "session"))
    }
    #expect(Set(Coverage.sessionFields) == paths)
  }

  @Test("R251: coverage tells of the options that a response has, and of no others")
  func response() throws {
    let options = try Self.options()
    #expect(Self.absent(options, "response").isEmpty, "the specimen has every option")
    let paths = Self.paths(JSONCoding.encode(options).object ?? [:], "response")
    #expect(Set(Coverage.responseFields) == paths.union(["response.*"]))
  }

  @Test("every subject is there once")
  func once() {
    #expect(Set(Coverage.subjects).count == Coverage.subjects.count)
    #expect(Set(Coverage.events) == Set(ClientEventType.allCases.map(\.rawValue)))
  }

  @Test("a row is written with the keys of its documentation, and read back")
  func row() throws {
    let row = CoverageRow("session.tools", when: ["session.tools[].type": "mcp"], .refused, from: .atSetUp, "None.")
    let json = JSONCoding.encode(row)
    #expect(
      json == [
        "subject": "session.tools", "when": ["session.tools[].type": "mcp"], "support": "refused",
        "takes_effect": "at_set_up", "note": "None.",
      ])
    #expect(try JSONCoding.decode(CoverageRow.self, from: json) == row)
    #expect(JSONCoding.encode(CoverageRow("session.id", .ignored, "x")).object?.keys == ["subject", "support", "note"])
  }
}
