import Envelope

/// What a service does otherwise than OpenAI, as data.
struct RealtimeManners: Sendable {
  /// When a commit starts a response by itself.
  enum CommitAnswer: Sendable {
    case never
    /// If speech was heard in it.
    case toSpeech
    /// Unless the turn detection says `create_response: false`.
    case unlessTold
  }

  /// What follows the silence of `idle_timeout_ms`.
  enum IdleTimeout: Sendable {
    case unknown
    /// `input_audio_buffer.timeout_triggered` alone.
    case event
    /// The event, the silence as a user turn, and a response.
    case turn
  }

  /// The events that close a message, in the service's order.
  enum Closing: Sendable { case sound, words, part, item, output }

  /// The client's events, one message each, named by its `type`.
  var fields: FieldTable
  /// The accepted types in the order in which the service lists them.
  var eventTypes: [String]
  /// `silence_duration_ms` where nobody has said anything.
  var silenceMilliseconds = 200
  /// What a turn detection object is before the client's values are put in, by type.
  var detections: [String: JSONObject] = [:]
  /// What a transcription object shows at least.
  var transcriptionKeys: [String] = []
  var keepsTranscription = false
  var closing: [Closing] = [.sound, .words, .part, .item, .output]
  /// Sound on the wire in smaller pieces ends the connection.
  var leastAppendBytes = 0
  var answersItems = false
  var answersCommits = CommitAnswer.never
  /// A second response ends the first instead of being an error.
  var supersedes = false
  /// It speaks although text was asked for.
  var alwaysSpeaks = false
  var locksVoice = true
  var fixesModel = true
  /// A commit of less than 100 ms is an error; otherwise nothing happens.
  var refusesShortCommits = true
  /// Unknown types of events get no answer.
  var ignoresUnknownTypes = false
  /// Speech is announced in manual mode too, and its words come before its end.
  var alwaysDetects = false
  /// After it has answered committed sound, a request for a response is dropped until something else comes in.
  var dropsRequestsAfterSound = false
  /// Anything before the first `session.update` is out of order.
  var awaitsUpdate = false
  /// A call is announced in words.
  var speaksBeforeCalls = false
  /// A deleted item is acknowledged without its id.
  var forgetsDeletedIDs = false
  /// A response that the user interrupts stops and is never done.
  var abandonsResponses = false
  /// A delta of a cancelled response comes after the cancel.
  var sendsLateDeltas = false
  /// A commit is framed by the marks of speech, at 0 ms.
  var marksCommits = false
  /// `create_response: false` is shown and has no effect.
  var answersAllSpeech = false
  /// A rise in volume is announced only after the first words have been understood.
  var announcesSpeechLate = false
  var idleTimeout = IdleTimeout.turn
  var usesUUIDs = false
}

/// How one service spells the vocabulary of OpenAI Realtime.
///
/// The engine, `RealtimeStandIn`, has one form for everything: GA. An accent brings the client's events into it and the
/// engine's events out of it. Its tables come from the service's references and recordings and share nothing with the
/// product's own, so that a mistake there cannot hide here.
protocol RealtimeAccent: Sendable {
  var manners: RealtimeManners { get }

  /// The session as it begins, in the engine's form.
  func newSession(_ start: RealtimeStart) -> JSONObject

  /// A client's event that its field table allows, in the engine's form.
  func heard(_ event: JSONObject) throws(RealtimeFault) -> JSONObject

  /// What is wrong with an allowed event though the service says nothing: for the record only.
  func slips(_ event: JSONObject) -> [RealtimeFault]

  /// The engine's event as the service sends it: none, one or several.
  mutating func told(_ event: JSONObject, session: JSONObject, ids: inout StandInIDs)
    -> [JSONObject]

  /// What the service sends beside `session.created` at once.
  func opening(conversationID: String) -> [JSONObject]

  /// The service's own events that nobody asked for; for the trigger "show your extras".
  func extras(ids: inout StandInIDs) -> [JSONObject]

  /// What it says when it has no capacity left.
  func exhaustion(ids: inout StandInIDs) -> JSONObject
}

extension RealtimeAccent {
  func heard(_ event: JSONObject) throws(RealtimeFault) -> JSONObject { event }
  func slips(_ event: JSONObject) -> [RealtimeFault] { [] }
  func opening(conversationID: String) -> [JSONObject] { [] }
  func extras(ids: inout StandInIDs) -> [JSONObject] { [] }

  func exhaustion(ids: inout StandInIDs) -> JSONObject {
    var fault = RealtimeFault(code: "rate_limit_exceeded", "Too many concurrent sessions.")
    fault.type = "rate_limit_error"
    return [
      "type": "error", "event_id": .string(ids.next("event")),
      "error": .object(fault.object(eventID: nil)),
    ]
  }
}

/// What is known when a session begins.
struct RealtimeStart: Sendable {
  var id: String
  var model: String
  var isTranscription: Bool
  /// Of the token that the client came with.
  var claims: JSONObject
  var options: RealtimeStandIn.Options
}

extension JSONObject {
  /// The object with the members of the other one put in.
  func merging(_ changes: JSONObject) -> JSONObject {
    var result = self
    for (key, value) in changes { result[key] = value }
    return result
  }

  /// The object without some members.
  func without(_ keys: String...) -> JSONObject {
    var result = self
    for key in keys { result[key] = nil }
    return result
  }

  /// The object with a member under another name.
  func renaming(_ name: String, to other: String) -> JSONObject {
    guard let value = self[name] else { return self }
    var result = without(name)
    result[other] = value
    return result
  }
}
