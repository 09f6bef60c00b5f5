public import Envelope
public import OpenAIWire
public import Translation

/// Inworld's realtime API: the vocabulary's envelope, with models of many vendors behind it.
public struct InworldService: WireService {
  /// With the path of the realtime endpoint, `/api/v1/realtime/session`.
  public var endpoint: UpstreamEndpoint
  /// The key of the portal, which is base64 already, or a JWT; nil for a stand-in that wants none.
  public var key: Redacted<String>?
  /// `provider/model`, or a router's name; never looked into.
  public var model: String
  /// What transcribes for a client that names no model of Inworld's.
  public var transcriptionModel: String
  /// What speaks for a client that names none.
  public var voiceModel: String
  /// What OpenAI's voices become; nil: each the one that resembles it most.
  public var voice: String?
  /// Whether the client may set `providerData` (Q19).
  var takesProviderData = false

  /// - Parameters:
  ///   - transcriptionModel: nil for the one that Inworld recommends.
  ///   - voiceModel: nil for Inworld's default.
  ///   - voice: the one that sessions begin with; nil for Inworld's default.
  public init(
    endpoint: UpstreamEndpoint, key: Redacted<String>?, model: String, transcriptionModel: String? = nil,
    voiceModel: String? = nil, voice: String? = nil
  ) {
    self.endpoint = endpoint
    self.key = key
    self.model = model
    self.transcriptionModel = transcriptionModel ?? Models.standardTranscription
    self.voiceModel = voiceModel ?? Models.standardVoiceModel
    self.voice = voice
  }

  public var traits: WireTraits { Self.traits }

  private static let traits: WireTraits = {
    var traits = WireTraits()
    traits.isNative = false
    traits.changesModel = true
    traits.awaitsUpdated = true
    // Neither event is known to be answered.
    traits.retrievesLocally = true
    traits.truncation = .both
    // A packet is a frame, and an account has 1,000 of them a second.
    traits.pieces = .milliseconds(least: Limits.leastPiece, most: Limits.mostPiece)
    traits.takesOpusItems = true
    traits.takesOwnInput = false
    // Its own defaults are others (R223, R226, R240, R246, R247, R284), or nobody has written them down.
    traits.setUpFields = [
      "model", "output_modalities", "audio.input.turn_detection", "audio.output.format", "audio.output.voice",
      "audio.output.model", "audio.output.speed", "providerData",
    ]
    traits.mending = mending
    return traits
  }()

  private static let mending: MendingRules = {
    var rules = MendingRules()
    rules.dropped = ["ping", "conversation.created"]
    rules.vendorEvents = [
      "input_audio_buffer.turn_suggestion", "input_audio_buffer.turn_suggestion_revoked",
      "response.backchannel.audio.delta", "response.backchannel.audio.done", "response.backchannel.skipped",
    ]
    rules.completesLifecycle = true
    rules.repeatsTextInAudio = true
    rules.cumulativeTranscripts = ["conversation.item.input_audio_transcription.updated"]
    rules.repeatsTranscripts = true
    rules.announcesSpeechLate = true
    return rules
  }()

  public mutating func passVendorEvents() { takesProviderData = true }

  // MARK: The connection

  public func target(_ session: RealtimeSession, resuming conversationID: String?) -> UpstreamTarget {
    target(session, resuming: conversationID, opened: 0)
  }

  /// The query's `key` is no credential: it names the connection, is made up by whoever opens it, and may be used once.
  ///
  /// - Parameter count: the connections that the call has had before.
  public func target(
    _ session: RealtimeSession, resuming conversationID: String?, opened count: Int
  ) -> UpstreamTarget {
    let path = endpoint.basePath.isEmpty ? "/api/v1/realtime/session" : endpoint.basePath
    let name = session.id + (count == 0 ? "" : "-\(count)")
    return UpstreamTarget(
      endpoint: endpoint, pathAndQuery: path + "?key=\(name)&protocol=realtime",
      headers: key.map { [.init("Authorization", Redacted(Self.authorization($0.reveal())))] } ?? [])
  }

  private static func authorization(_ key: String) -> String {
    (isJWT(key) ? "Bearer " : "Basic ") + key
  }

  /// Three parts, the first of them a JSON object in base64 (RFC 7515 section 3.1). A key of the portal has no dots.
  private static func isJWT(_ key: String) -> Bool {
    key.hasPrefix("eyJ") && key.split(separator: ".", omittingEmptySubsequences: false).count == 3
  }

  public func begin(_ session: inout RealtimeSession) {
    session.audio.output.voice = .named(voice ?? Models.standardVoice)
    session.audio.output.unknown.fields[Fields.voiceModel] = .string(voiceModel)
    session.unknown.fields[Fields.providerData] = .object(Fields.pinned([:]))
  }

  /// The close codes of OpenAI mean nothing here.
  public func verdict(on end: UpstreamEnd) -> UpstreamVerdict? { nil }
}
