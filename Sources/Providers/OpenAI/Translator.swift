public import Envelope
public import NIOCore
import OpenAIWire
public import Translation

/// What an OpenAI Realtime session is configured with.
public struct OpenAIConfiguration: Sendable {
  /// With the path of the realtime endpoint, `/v1/realtime`.
  public var endpoint: UpstreamEndpoint
  /// The API key; nil for a stand-in that wants none.
  public var key: Redacted<String>?
  /// The model of sessions whose client names none.
  public var model: String

  public init(endpoint: UpstreamEndpoint, key: Redacted<String>?, model: String) {
    self.endpoint = endpoint
    self.key = key
    self.model = model
  }
}

/// A session with the OpenAI Realtime service itself: the raw lane, and the model in the address.
public struct OpenAITranslator: Translator {
  private let configuration: OpenAIConfiguration
  public private(set) var session: RealtimeSession
  private var lane: RawLane
  private var hasDialled = false

  public let deadline: Instant? = nil
  public var bytesPerSample: Int { lane.bytesPerSample }

  public init(configuration: OpenAIConfiguration, session: RealtimeSession) {
    self.configuration = configuration
    self.session = session
    lane = RawLane(sessionID: session.id)
  }

  public func upstream() -> Upstream {
    let path = configuration.endpoint.basePath
    return .socket(
      UpstreamTarget(
        endpoint: configuration.endpoint,
        pathAndQuery: (path.isEmpty ? "/v1/realtime" : path) + "?model=" + PercentEncoding.queryValue(session.model),
        headers: configuration.key.map { [.init("Authorization", Redacted("Bearer " + $0.reveal()))] } ?? []))
  }

  public mutating func clientEvent(
    _ event: IncomingEvent, at now: Instant, port: inout Port
  ) throws(EventFault) {
    if event.type == .sessionUpdate, !hasDialled, let model = Self.model(in: event.value) {
      try ModelName.check(model)
      session.model = model  // The service takes the model from the address only.
    }
    lane.forward(event, port: &port)
  }

  private static func model(in event: JSONValue) -> String? {
    let session = event["session"]
    guard let model = (session?["model"] ?? session?["modelId"])?.string, !model.isEmpty else { return nil }
    return model
  }

  public mutating func clientAudio(_ chunk: AudioChunk, at now: Instant, port: inout Port) throws(EventFault) {
    lane.forward(chunk, port: &port)
  }

  public mutating func configurationSettled(at now: Instant, port: inout Port) {
    hasDialled = true
  }

  public mutating func upstreamOpened(at now: Instant, port: inout Port) {
    hasDialled = true
    port.upstreamBecameReady()
  }

  public mutating func upstreamMessage(
    _ message: ByteBuffer, at now: Instant, port: inout Port
  ) throws(TranslationFault) {
    try lane.deliver(message, port: &port)
  }

  public var isMidTurn: Bool { lane.isMidTurn }

  public mutating func timeReached(at now: Instant, port: inout Port) {}

  public mutating func upstreamEnded(_ verdict: UpstreamVerdict, at now: Instant, port: inout Port) {
    lane.closeOpenResponses(verdict, port: &port)
  }

  /// The service closes with 3000 for credentials and 4000 for the shape of the request, after an `error` event that the
  /// raw lane keeps back.
  public func verdict(on end: UpstreamEnd) -> UpstreamVerdict? {
    guard case .closed(let code, let reason) = end else { return nil }
    switch code {
    case 3000:
      return UpstreamVerdict(
        code: "upstream_credentials_refused", message: "The provider refused the gateway's credentials.",
        outlook: .isFinal)
    case 4000:
      let isModel = reason.contains("invalid_model") || reason.contains("missing_model")
      return UpstreamVerdict(
        type: "invalid_request_error", code: isModel ? "model_not_found" : "upstream_request_refused",
        message: isModel ? "The provider does not offer this model." : "The provider refused the session's request.",
        param: isModel ? "session.model" : nil, outlook: .isFinal)
    case 1001:
      return UpstreamVerdict(
        code: "session_expired", message: "The provider ended the session at its maximum duration.",
        outlook: .mayRecover)
    default:
      return nil
    }
  }
}

enum PercentEncoding {
  /// The value of a query parameter: everything but the unreserved characters of RFC 3986 section 2.3 is escaped.
  static func queryValue(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        result += "%" + (digits.count == 1 ? "0" : "") + digits
      }
    }
    return result
  }
}
