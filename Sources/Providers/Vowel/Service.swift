public import Envelope
public import OpenAIWire
public import Translation

/// A voice engine of vowel's: a mix of the beta's and GA's events, and a flat session.
public struct VowelService: WireService {
  /// With the path of the realtime endpoint, `/v1/realtime`.
  public var endpoint: UpstreamEndpoint
  /// What tokens are had for, or a token; nil for a stand-in that wants none.
  public var key: Redacted<String>?
  public var model: String
  public var tokens: VowelTokens
  /// What other services' voices become, for an engine that has other voices than Deepgram's; nil: each the one of
  /// Deepgram's that resembles it most.
  public var voice: String?

  public init(
    endpoint: UpstreamEndpoint, key: Redacted<String>?, model: String, tokens: VowelTokens, voice: String? = nil
  ) {
    self.endpoint = endpoint
    self.key = key
    self.model = model
    self.tokens = tokens
    self.voice = voice
  }

  public var traits: WireTraits { Self.traits }

  private static let traits: WireTraits = {
    var traits = WireTraits()
    traits.isNative = false
    traits.changesModel = true
    // The engine has items of its own shape, cannot delete one, and says nothing of one that it does not know.
    traits.retrievesLocally = true
    traits.deletesLocally = true
    traits.truncation = .both
    // Pieces under 2,048 bytes end the connection.
    traits.pieces = .bytes(Limits.pieceBytes)
    traits.takesG711 = false
    traits.takesRecordings = false
    traits.takesOwnInput = false
    traits.answersItems = true
    traits.answersCommits = .response
    traits.hasIdleTimeout = false
    // The token says most of it to the engine itself; one of Core's may have been made from an application's settings.
    traits.setUpFields = [
      "model", "output_modalities", "audio.input.turn_detection", "audio.output.voice", "audio.output.speed",
    ]
    traits.mending = mending
    return traits
  }()

  private static let mending: MendingRules = {
    var rules = MendingRules()
    rules.dropped = ["session.hibernate", "session.resumed", "debug.latency_response"]
    rules.completesLifecycle = true
    // It knows modalities by name only.
    rules.speaksInTextMode = true
    rules.repeatsTextInAudio = true
    rules.callsComeWhole = true
    return rules
  }()

  // MARK: The connection

  public func target(_ session: RealtimeSession, resuming conversationID: String?) -> UpstreamTarget {
    var target = UpstreamTarget(endpoint: endpoint, pathAndQuery: path, headers: [])
    guard let key else { return target }
    switch tokens {
    case .given:
      target.headers = [Self.bearer(key)]
    case .engine(let url):
      target.authorization = .minted(engineToken(session, at: url ?? engineURL, key))
    case .core(let url, let appID):
      target.authorization = .minted(coreToken(session, at: url, appID, key))
    }
    return target
  }

  var path: String { endpoint.basePath.isEmpty ? "/v1/realtime" : endpoint.basePath }

  public func begin(_ session: inout RealtimeSession) {
    session.audio.output.voice = .named(voice ?? Voices.standard)
  }

  /// It closes with 1000 at the longest duration of a call and after a silence, which no client has asked for.
  public func verdict(on end: UpstreamEnd) -> UpstreamVerdict? {
    guard case .closed(1000, _) = end else { return nil }
    return UpstreamVerdict(
      code: "session_expired", message: "The provider ended the session at its maximum duration.", outlook: .mayRecover)
  }
}
