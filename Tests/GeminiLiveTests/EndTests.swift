import Envelope
import ParleyTesting
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// When and how a response ends: sections 6.3, 6.4 and 6.5.
@Suite struct GeminiEnds {
  typealias Call = GeminiCall

  /// A call whose answer is complete but for the service's `turnComplete`.
  static func generated() -> SessionDialogue {
    var call = GeminiServerMessages.speaking()
    _ = call.upstream(GeminiCall.complete)
    return call
  }

  // MARK: 6.3

  @Test("gemini 6.3: at turnComplete, with its usage")
  func turnComplete() {
    var call = Self.generated()
    #expect(call.upstream(Call.end).response?["usage"]?["total_tokens"] == 9)
  }

  @Test("gemini 6.3: at generationComplete if the usage is known, or when it comes")
  func usageKnown() {
    let usage = #"{"usageMetadata":{"promptTokenCount":1,"responseTokenCount":2}}"#
    var before = GeminiServerMessages.speaking()
    _ = before.upstream(usage)
    #expect(before.upstream(Call.complete).response?["usage"]?["total_tokens"] == 3)
    var after = Self.generated()
    #expect(after.upstream(usage).response?["usage"]?["total_tokens"] == 3)
    #expect(after.upstream(Call.end).events.isEmpty, "late usage goes to no other response")
  }

  @Test(
    "gemini 6.3: earlier than that when the client goes on: create, an item, a cancel",
    arguments: [
      GeminiCall.create, GeminiCall.text("Next"), GeminiCall.cancel,
    ])
  func clientGoesOn(_ event: String) {
    var call = Self.generated()
    let step = call.client(event)
    #expect(step.types.first == "response.done" && step.response?["status"] == "completed" && step.error == nil)
  }

  @Test(
    "gemini 6.3: or when the service goes on: a call, new output, new speech",
    arguments: [
      GeminiCall.calls(GeminiCall.called("a")), GeminiCall.audio, GeminiCall.said("Also"), GeminiCall.interrupted,
      GeminiCall.activity("ACTIVITY_START", at: "0.1s"), GeminiCall.heard("Wait"),
    ])
  func serviceGoesOn(_ message: String) {
    var call = Call.ready(Call.live38, GeminiServerMessages.transcribed)
    _ = call.client(Call.create)
    _ = call.upstream(Call.audio)
    _ = call.upstream(Call.complete)
    let step = call.upstream(message)
    #expect(step.response?["status"] == "completed")
    #expect(EventInvariants.violations(in: call.history, isComplete: false) == [])
  }

  @Test("gemini 6.3: or 1.5 s after generationComplete")
  func atLast() {
    var call = Self.generated()
    #expect(call.wait(.milliseconds(1499)).events.isEmpty)
    #expect(call.wait(.milliseconds(1)).types == ["response.done"])
    #expect(call.upstream(Call.end).events.isEmpty)
  }

  // MARK: Extended thinking

  static let inProgress = #"{"serverContent":{"turnComplete":true,"interactionStatus":"IN_PROGRESS"}}"#
  static let idle =
    #"{"serverContent":{"turnComplete":true,"interactionStatus":"IDLE"},"usageMetadata":{"promptTokenCount":610,"responseTokenCount":44,"thoughtsTokenCount":90}}"#

  @Test(
    "gemini 6.3 8.18: extended thinking: IN_PROGRESS closes the item, what follows is the next item of the same response, IDLE ends it"
  )
  func thinking() {
    var call = GeminiServerMessages.speaking(Call.thinking38)
    _ = call.upstream(Call.complete)
    let paused = call.upstream(Self.inProgress) + call.wait(.seconds(20))
    #expect(paused.response == nil)
    let next = call.upstream(Call.audio)
    #expect(next.event("response.output_item.added")?["output_index"] == 1 && next.event("response.created") == nil)
    _ = call.upstream(Call.complete)
    let done = call.upstream(Self.idle).response
    #expect(done?["output"]?.array?.count == 2 && done?["usage"]?["output_tokens"] == 134)
  }

  @Test("gemini 6.3: the status at the top of the message counts as well")
  func topLevel() {
    var call = GeminiServerMessages.speaking(Call.thinking38)
    #expect(
      call.upstream(#"{"serverContent":{"turnComplete":true},"interactionStatus":"IN_PROGRESS"}"#).response == nil)
    #expect(call.upstream(#"{"serverContent":{"turnComplete":true},"interactionStatus":"IDLE"}"#).response != nil)
  }

  @Test("gemini 6.3: a toolCall closes the response as usual")
  func thinkingCall() {
    var call = GeminiServerMessages.speaking(Call.thinking38)
    _ = call.upstream(Self.inProgress)
    let done = call.upstream(Call.calls(Call.called("call_77"))).response
    #expect(done?["status"] == "completed" && done?["output"]?.array?.count == 2)
    _ = call.client(Call.result("call_77", "7 C"))
    #expect(call.client(Call.create).upstream.first?["toolResponse"] != nil)
    _ = call.upstream(Call.audio)
    #expect(call.upstream(Self.idle).response?["status"] == "completed")
  }

  @Test("gemini 6.3: 30 s of silence end it; each sign of life extends the wait")
  func thinkingSilence() {
    var call = GeminiServerMessages.speaking(Call.thinking38)
    _ = call.upstream(Self.inProgress)
    _ = call.wait(.seconds(29))
    _ = call.upstream(Call.audio)
    _ = call.upstream(Call.complete)
    #expect(call.wait(.milliseconds(29_999)).response == nil)
    #expect(call.wait(.milliseconds(1)).response?["status"] == "completed")
  }

  @Test("gemini 6.3: a model that says it thinks has 30 s for its first output too")
  func thinksFirst() {
    var call = Call.ready(Call.thinking38)
    _ = call.client(Call.create)
    _ = call.wait(.seconds(14))
    #expect(call.upstream(Self.inProgress).events.isEmpty)
    #expect(call.wait(.milliseconds(29_999)).events.isEmpty)
    #expect(call.wait(.milliseconds(1)).response?["status"] == "failed")
  }

  // MARK: 6.4

  static let completed = ["", "TURN_COMPLETE_REASON_UNSPECIFIED", "NEED_MORE_INPUT", "RESPONSE_REJECTED"]
  static let failed = ["MALFORMED_FUNCTION_CALL", "MAX_REGENERATION_REACHED", "GENERATED_OTHER", "INPUT_OTHER"]
  static let filtered = [
    "PROHIBITED_INPUT_CONTENT", "IMAGE_PROHIBITED_INPUT_CONTENT", "INPUT_TEXT_CONTAIN_PROMINENT_PERSON_PROHIBITED",
    "INPUT_IMAGE_CELEBRITY", "INPUT_IMAGE_PHOTO_REALISTIC_CHILD_PROHIBITED", "INPUT_TEXT_NCII_PROHIBITED",
    "INPUT_IP_PROHIBITED", "BLOCKLIST", "UNSAFE_PROMPT_FOR_IMAGE_GENERATION", "GENERATED_IMAGE_SAFETY",
    "GENERATED_CONTENT_SAFETY", "GENERATED_AUDIO_SAFETY", "GENERATED_VIDEO_SAFETY", "GENERATED_CONTENT_PROHIBITED",
    "GENERATED_CONTENT_BLOCKLIST", "GENERATED_IMAGE_PROHIBITED", "GENERATED_IMAGE_CELEBRITY",
    "GENERATED_IMAGE_PROMINENT_PEOPLE_DETECTED_BY_REWRITER", "GENERATED_IMAGE_IDENTIFIABLE_PEOPLE",
    "GENERATED_IMAGE_MINORS", "OUTPUT_IMAGE_IP_PROHIBITED",
  ]

  static func turnComplete(_ reason: String) -> String {
    reason.isEmpty
      ? #"{"serverContent":{"turnComplete":true}}"#
      : #"{"serverContent":{"turnComplete":true,"turnCompleteReason":"\#(reason)"}}"#
  }

  @Test(
    "gemini 6.4: no reason, NEED_MORE_INPUT and RESPONSE_REJECTED complete an awaited response with nothing in it",
    arguments: completed)
  func emptyCompleted(_ reason: String) {
    var call = Call.ready()
    _ = call.client(Call.create)
    let step = call.upstream(Self.turnComplete(reason))
    #expect(step.types == ["response.created", "rate_limits.updated", "response.done"])
    #expect(step.response?["status"] == "completed" && step.response?["output"] == [])
  }

  @Test("gemini 6.4: reasons of failure fail the response with the reason as its code", arguments: failed)
  func emptyFailed(_ reason: String) {
    var call = Call.ready()
    _ = call.client(Call.create)
    let response = call.upstream(Self.turnComplete(reason)).response
    #expect(response?["status"] == "failed")
    #expect(response?["status_details"]?["type"] == "failed")
    #expect(response?["status_details"]?["error"]?["code"]?.string == reason.lowercased())
    #expect(response?["status_details"]?["error"]?["type"] == "server_error")
  }

  @Test(
    "gemini 6.4: filters make the response incomplete by content_filter, with what was said before", arguments: filtered
  )
  func emptyFiltered(_ reason: String) {
    var awaited = Call.ready()
    _ = awaited.client(Call.create)
    var response = awaited.upstream(Self.turnComplete(reason)).response
    #expect(response?["status"] == "incomplete")
    #expect(response?["status_details"] == ["type": "incomplete", "reason": "content_filter"])
    var begun = GeminiServerMessages.speaking()
    response = begun.upstream(Self.turnComplete(reason)).response
    #expect(response?["status"] == "incomplete" && response?["output"]?[0]?["status"] == "incomplete")
  }

  @Test("gemini 6.4: a reason that nobody has heard of is none")
  func unknownReason() {
    var call = Call.ready()
    _ = call.client(Call.create)
    #expect(call.upstream(Self.turnComplete("SOMETHING_NEW")).response?["status"] == "completed")
  }

  @Test("gemini 6.4: an empty turn that nobody awaits is nothing but the user's item")
  func emptyUnasked() {
    var call = Call.ready(Call.live38, GeminiServerMessages.transcribed)
    _ = call.client(Call.append(ms: 500))
    _ = call.upstream(Call.activity("ACTIVITY_START", at: "0.1s"))
    _ = call.upstream(Call.activity("ACTIVITY_END", at: "0.4s"))
    _ = call.upstream(Call.heard("Hm"))
    #expect(
      call.upstream(Self.turnComplete("")).types == ["conversation.item.input_audio_transcription.completed"])
  }

  // MARK: 5.3, 6.5

  @Test(
    "gemini 5.3: an answer as long as max_output_tokens allows is incomplete by max_output_tokens",
    arguments: [(2, "incomplete"), (3, "completed")])
  func maxOutputTokens(_ limit: Int, _ status: String) {
    var call = GeminiServerMessages.speaking(Call.live38, #""max_output_tokens":\#(limit)"#)
    _ = call.upstream(Call.complete)
    let response = call.upstream(Call.end).response
    #expect(response?["status"]?.string == status)
    #expect(response?["status_details"]?["reason"]?.string == (status == "completed" ? nil : "max_output_tokens"))
  }

  @Test("gemini 6.5: several snapshots in a turn: the last one holds; Vertex's names are read too")
  func usage() {
    var call = GeminiServerMessages.speaking()
    _ = call.upstream(#"{"usageMetadata":{"promptTokenCount":10,"responseTokenCount":1}}"#)
    let usage = call.upstream(
      #"{"serverContent":{"turnComplete":true},"usageMetadata":{"promptTokenCount":90,"candidatesTokenCount":12,"totalTokenCount":102,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":90}],"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":12}],"trafficType":"ON_DEMAND"}}"#
    ).response?["usage"]
    #expect(usage?["input_tokens"] == 90 && usage?["output_tokens"] == 12 && usage?["total_tokens"] == 102)
    #expect(usage?["input_token_details"]?["audio_tokens"] == 90)
    #expect(usage?["output_token_details"]?["audio_tokens"] == 12)
  }

  @Test("gemini 6.5: without details the output is sound where the model speaks, and text where it writes")
  func withoutDetails() {
    let end = Call.end
    var speaking = GeminiServerMessages.speaking()
    #expect(speaking.upstream(end).response?["usage"]?["output_token_details"]?["audio_tokens"] == 2)
    var writing = Call.ready(Call.halfCascade, #""output_modalities":["text"]"#)
    _ = writing.client(Call.create)
    _ = writing.upstream(#"{"serverContent":{"modelTurn":{"parts":[{"text":"Hi"}]}}}"#)
    let usage = writing.upstream(end).response?["usage"]
    #expect(usage?["output_token_details"]?["text_tokens"] == 2 && usage?["output_token_details"]?["audio_tokens"] == 0)
    #expect(usage?["input_token_details"]?["text_tokens"] == 7)
  }
}
