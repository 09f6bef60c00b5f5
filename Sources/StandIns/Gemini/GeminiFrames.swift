import Envelope

/// The frames that answers are made of.
extension GeminiLiveStandIn {
  /// The tokens of one turn.
  struct TurnUsage: Sendable {
    var output = 10
    /// Of results that were fed back.
    var results = 0
    var thoughts = 0
  }

  func content(_ parts: [JSONValue], transcript: String?) -> JSONValue {
    var content = JSONObject()
    if !parts.isEmpty { content["modelTurn"] = ["role": "model", "parts": .array(parts)] }
    if let transcript { content["outputTranscription"] = ["text": .string(transcript)] }
    return ["serverContent": .object(content)]
  }

  /// One part of sound. Vertex leaves the rate out.
  func audioPart(_ bytes: [UInt8]) -> JSONValue {
    let type: JSONValue = options.platform == .vertex ? "audio/pcm" : "audio/pcm;rate=24000"
    return ["inlineData": ["mimeType": type, "data": .string(StandInBase64.encoded(bytes))]]
  }

  var thought: Step {
    let part: JSONValue = ["text": "**Answering**\n\nThe words of the user come first.\n", "thought": true]
    return Step(content([part], transcript: nil))
  }

  static let generationComplete: JSONValue = ["serverContent": ["generationComplete": true]]

  /// The end of a turn.
  ///
  /// - Parameters:
  ///   - usage: what to tell with it; nil for nothing.
  ///   - isIdle: on models that report it, whether nothing more is to come.
  func turnComplete(
    _ usage: TurnUsage?, reason: String? = nil, isIdle: Bool = true, isInterrupted: Bool = false
  ) -> JSONValue {
    var content = JSONObject()
    if isInterrupted { content["interrupted"] = true }
    content["turnComplete"] = true
    if let reason {
      content["turnCompleteReason"] = .string(reason)
      if reason == "NEED_MORE_INPUT" { content["waitingForInput"] = true }
    }
    if rules.hasInteractionStatus { content["interactionStatus"] = isIdle ? "IDLE" : "IN_PROGRESS" }
    if options.platform == .vertex { content["groundingMetadata"] = [:] }
    guard let usage else { return ["serverContent": .object(content)] }
    return ["serverContent": .object(content), "usageMetadata": usageMetadata(usage)]
  }

  func usageMetadata(_ usage: TurnUsage) -> JSONValue {
    let isVertex = options.platform == .vertex
    let prefix = isVertex ? "candidates" : "response"
    let number = { (count: Int) -> JSONValue in .number(JSONNumber(count)) }
    let detail = { (counts: [(JSONValue, Int)]) -> JSONValue in
      .array(counts.filter { $0.1 > 0 }.map { ["modality": $0.0, "tokenCount": number($0.1)] })
    }
    let text = conversation.textTokens + StandInWords.count(instruction)
    let images = conversation.images * 256
    let prompt = text + conversation.audioTokens + images
    // 2.5 models leave the thoughts out of the total.
    let thoughts = rules.family == .v25 ? 0 : usage.thoughts
    let isText = setUp["generationConfig"]?["responseModalities"]?[0]?.string == "TEXT"
    var metadata: JSONObject = [
      "promptTokenCount": number(prompt),
      "\(prefix)TokenCount": number(usage.output),
      "totalTokenCount": number(prompt + usage.results + usage.output + thoughts),
      "promptTokensDetails": detail([("TEXT", text), ("AUDIO", conversation.audioTokens), ("IMAGE", images)]),
      "\(prefix)TokensDetails": detail([(isText ? "TEXT" : "AUDIO", usage.output)]),
    ]
    if usage.results > 0 {
      metadata["toolUsePromptTokenCount"] = number(usage.results)
      metadata["toolUsePromptTokensDetails"] = detail([("TEXT", usage.results)])
    }
    if usage.thoughts > 0 { metadata["thoughtsTokenCount"] = number(usage.thoughts) }
    if isVertex { metadata["trafficType"] = "ON_DEMAND" }
    return .object(metadata)
  }

  /// What a search adds: how it was made, and where the answer is from.
  var groundingSteps: [Step] {
    guard (tools?.array ?? []).contains(where: { $0["googleSearch"] != nil }) else { return [] }
    let code: JSONValue = [
      "executableCode": ["language": "PYTHON", "code": "google_search.search(queries=[\"tones\"])"]
    ]
    let result: JSONValue = ["codeExecutionResult": ["outcome": "OUTCOME_OK", "output": "found"]]
    let metadata: JSONValue = [
      "webSearchQueries": ["tones"],
      "groundingChunks": [["web": ["uri": "https://example.com/tones", "title": "Tones"]]],
      "groundingSupports": [
        [
          "segment": ["startIndex": 0, "endIndex": 8, "text": "You said"], "groundingChunkIndices": [0],
          "confidenceScores": [0.5],
        ]
      ],
    ]
    return [
      Step(content([code], transcript: nil)), Step(content([result], transcript: nil)),
      Step(["serverContent": ["groundingMetadata": metadata]]),
    ]
  }
}
