/// A part of a message item. Not to be confused with `ResponsePart`: the parts in `response.content_part` events have
/// other types.
public enum ContentPart: Sendable, Equatable {
  case inputText(String, unknown: UnknownFields = UnknownFields())
  /// `audio` is base64. The key `transcript` is always written, as null while there is none: clients rely on it.
  case inputAudio(audio: String? = nil, transcript: String?, unknown: UnknownFields = UnknownFields())
  /// `url` is a data URI; `detail` is `auto`, `low` or `high`.
  case inputImage(url: String, detail: String? = nil, unknown: UnknownFields = UnknownFields())
  case outputText(String, unknown: UnknownFields = UnknownFields())
  /// `audio` is base64.
  case outputAudio(audio: String? = nil, transcript: String?, unknown: UnknownFields = UnknownFields())
  /// A part of a type that is not in this vocabulary, or no object at all.
  case unknown(JSONValue)

  static let types = ["input_text", "input_audio", "input_image", "output_text", "output_audio"]

  /// What the part says: its text or its transcript.
  public var text: String? {
    switch self {
    case .inputText(let text, _), .outputText(let text, _): text
    case .inputAudio(_, let transcript, _), .outputAudio(_, let transcript, _): transcript
    case .inputImage, .unknown: nil
    }
  }
}

extension ContentPart: Codable {
  public init(from decoder: any Decoder) throws {
    let whole = try JSONValue(from: decoder)
    guard let type = whole["type"]?.string, Self.types.contains(type) else {
      self = .unknown(whole)
      return
    }
    var fields = try ObjectFields(from: decoder)
    _ = try fields.take("type", as: String.self)
    switch type {
    case "input_text":
      self = .inputText(try fields.take("text"), unknown: UnknownFields(fields.rest))
    case "input_audio":
      self = .inputAudio(
        audio: try fields.takeIfPresent("audio"), transcript: try fields.takeNullable("transcript"),
        unknown: UnknownFields(fields.rest))
    case "input_image":
      self = .inputImage(
        url: try fields.take("image_url"), detail: try fields.takeIfPresent("detail"),
        unknown: UnknownFields(fields.rest))
    case "output_text":
      self = .outputText(try fields.take("text"), unknown: UnknownFields(fields.rest))
    default:
      self = .outputAudio(
        audio: try fields.takeIfPresent("audio"), transcript: try fields.takeIfPresent("transcript"),
        unknown: UnknownFields(fields.rest))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    try encoded.encode(to: encoder)
  }

  private var encoded: JSONValue {
    var object = JSONObject()
    switch self {
    case .inputText(let text, let unknown):
      object.set("type", "input_text")
      object.set("text", text)
      object.merge(unknown.fields)
    case .inputAudio(let audio, let transcript, let unknown):
      object.set("type", "input_audio")
      object.set("audio", ifPresent: audio)
      object.set("transcript", nullable: transcript)
      object.merge(unknown.fields)
    case .inputImage(let url, let detail, let unknown):
      object.set("type", "input_image")
      object.set("image_url", url)
      object.set("detail", ifPresent: detail)
      object.merge(unknown.fields)
    case .outputText(let text, let unknown):
      object.set("type", "output_text")
      object.set("text", text)
      object.merge(unknown.fields)
    case .outputAudio(let audio, let transcript, let unknown):
      object.set("type", "output_audio")
      object.set("audio", ifPresent: audio)
      object.set("transcript", ifPresent: transcript)
      object.merge(unknown.fields)
    case .unknown(let value):
      return value
    }
    return .object(object)
  }
}

/// The part in `response.content_part.added` and `.done`: its type is `text` or `audio`, never `output_text`.
public enum ResponsePart: Sendable, Equatable {
  case text(String, unknown: UnknownFields = UnknownFields())
  case audio(transcript: String, unknown: UnknownFields = UnknownFields())
}

extension ResponsePart: Codable {
  public init(from decoder: any Decoder) throws {
    var fields = try ObjectFields(from: decoder)
    switch try fields.take("type", as: String.self) {
    case "text":
      self = .text(try fields.takeNullable("text") ?? "", unknown: UnknownFields(fields.rest))
    case "audio":
      self = .audio(transcript: try fields.takeNullable("transcript") ?? "", unknown: UnknownFields(fields.rest))
    default:
      throw fields.invalidValue("type", "The type of the part is neither text nor audio.")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var object = JSONObject()
    switch self {
    case .text(let text, let unknown):
      object.set("type", "text")
      object.set("text", text)
      object.merge(unknown.fields)
    case .audio(let transcript, let unknown):
      object.set("type", "audio")
      object.set("transcript", transcript)
      object.merge(unknown.fields)
    }
    try JSONValue.object(object).encode(to: encoder)
  }
}
