import Envelope

// The messages of Gemini Live (BidiGenerateContent), field for field, as far as they are used: lowerCamelCase, absent
// where empty. Source: google.ai.generativelanguage v1beta `generative_service.proto`, and google-genai 3.4.0
// (`types.LiveClientMessage`, `types.LiveServerMessage`).

// MARK: Client to server

/// One message to the service after the set-up: exactly one member is set. The set-up itself is kept as JSON (`SetUp`),
/// because what the client asks for by the service's own names goes into it.
struct ClientMessage: Encodable, Equatable {
  var clientContent: ClientContent?
  var realtimeInput: RealtimeInput?
  var toolResponse: ToolResponse?
  var contextUpdate: ContextUpdate?
}

struct EmptyObject: Codable, Equatable {}

struct ClientContent: Encodable, Equatable {
  var turns: [Content]?
  var turnComplete: Bool
}

struct Content: Encodable, Equatable {
  struct Part: Encodable, Equatable {
    var text: String?
    var inlineData: Blob?
  }
  /// `user` or `model`; `system` on Vertex; not needed in a system instruction.
  var role: String?
  var parts: [Part]

  init(role: String? = nil, text: String) {
    self.role = role
    parts = [Part(text: text)]
  }

  init(role: String?, parts: [Part]) {
    self.role = role
    self.parts = parts
  }
}

struct Blob: Encodable, Equatable {
  var mimeType: String
  /// Base64, standard alphabet, padded.
  var data: String
}

/// One member per message.
struct RealtimeInput: Encodable, Equatable {
  var text: String?
  var video: Blob?
  var activityStart: EmptyObject?
  var activityEnd: EmptyObject?
  /// Only with the service's voice detection on: the microphone is off, cached audio is flushed.
  var audioStreamEnd: Bool?
}

struct ToolResponse: Encodable, Equatable {
  var functionResponses: [FunctionResponse]
}

struct FunctionResponse: Encodable, Equatable {
  /// As the service gave it, and only if it did.
  var id: String?
  var name: String
  /// An object.
  var response: JSONValue
  /// `SILENT`: the model takes note and says nothing. Only for calls that block nothing.
  var scheduling: String?
  /// False: no more results of this call come. AI Studio, and only for calls that block nothing.
  var willContinue: Bool?
}

/// Changes the running session, where the model takes it. An absent member changes nothing.
struct ContextUpdate: Encodable, Equatable {
  struct Tools: Encodable, Equatable {
    var tools: [JSONValue]
  }
  var systemInstruction: Content?
  var tools: Tools?
}
