import CoreMetrics
import Translation

/// The metrics of the sessions with one provider: each is made once, so that counting finds it at hand.
final class ProviderMetrics: Sendable {
  /// One side of a session in one direction.
  enum Way: String, CaseIterable {
    case clientIn, clientOut, upstreamIn, upstreamOut

    var labels: [(String, String)] {
      switch self {
      case .clientIn: [("leg", "client"), ("direction", "in")]
      case .clientOut: [("leg", "client"), ("direction", "out")]
      case .upstreamIn: [("leg", "upstream"), ("direction", "in")]
      case .upstreamOut: [("leg", "upstream"), ("direction", "out")]
      }
    }
  }

  /// Whether clients have noticed that a connection was replaced.
  enum Reconnect: String, CaseIterable {
    case hidden, told
  }

  let dials = DialWatch()
  let openSessions: Meter
  let sessionSeconds: Recorder
  let connectSeconds: Recorder
  let firstAudioSeconds: Recorder
  let upstreamSeconds: Recorder
  let gatewaySeconds: Recorder
  let silenceSeconds: Recorder
  private let frames: [Way: Counter]
  private let bytes: [Way: Counter]
  private let turns: [TurnOutcome: Counter]
  private let errors: [ErrorSource: Counter]
  private let ends: [SessionEndSource: Counter]
  private let reconnects: [Reconnect: Counter]

  init(provider: String, factory: any MetricsFactory) {
    let own = [("provider", provider)]
    func recorder(_ name: String) -> Recorder { Recorder(label: name, dimensions: own, factory: factory) }
    func counters<Key: CaseIterable & Hashable>(
      _ name: String, _ labels: (Key) -> [(String, String)]
    ) -> [Key: Counter] {
      Dictionary(
        uniqueKeysWithValues: Key.allCases.map {
          ($0, Counter(label: name, dimensions: own + labels($0), factory: factory))
        })
    }
    openSessions = Meter(label: "parley_realtime_sessions", dimensions: own, factory: factory)
    sessionSeconds = recorder("parley_session_seconds")
    connectSeconds = recorder("parley_upstream_connect_seconds")
    firstAudioSeconds = recorder("parley_turn_first_audio_seconds")
    upstreamSeconds = recorder("parley_turn_upstream_seconds")
    gatewaySeconds = recorder("parley_turn_gateway_seconds")
    silenceSeconds = recorder("parley_barge_in_silence_seconds")
    frames = counters("parley_frames_total", \.labels)
    bytes = counters("parley_bytes_total", \.labels)
    turns = counters("parley_turns_total") { [("outcome", $0.rawValue)] }
    errors = counters("parley_errors_total") { [("source", $0.rawValue)] }
    ends = counters("parley_sessions_ended_total") { [("source", $0.rawValue)] }
    reconnects = counters("parley_upstream_reconnects_total") { [("outcome", $0.rawValue)] }
  }

  func count(_ way: Way, _ traffic: Traffic) {
    frames[way]?.increment(by: traffic.frames)
    bytes[way]?.increment(by: traffic.bytes)
  }

  func count(_ outcome: TurnOutcome) { turns[outcome]?.increment() }
  func count(_ source: ErrorSource, _ number: Int) { errors[source]?.increment(by: number) }
  func count(_ source: SessionEndSource) { ends[source]?.increment() }
  func count(_ outcome: Reconnect) { reconnects[outcome]?.increment() }
}

/// Who caused the end of a session, where it was a bad one.
enum SessionEndSource: String, CaseIterable {
  case none, downstream, upstream, gateway
}

/// Messages of one way, and the bytes of their payloads. Plain integers, for they are counted with every frame.
struct Traffic: Hashable {
  private(set) var frames = 0
  private(set) var bytes = 0

  @inline(__always)
  mutating func count(_ bytes: Int) {
    frames &+= 1
    self.bytes &+= bytes
  }

  static func - (later: Self, earlier: Self) -> Self {
    Traffic(frames: later.frames &- earlier.frames, bytes: later.bytes &- earlier.bytes)
  }
}

/// All messages of a session, those on connections beside its own included.
struct SessionTraffic: Hashable {
  var clientIn = Traffic()
  var clientOut = Traffic()
  var upstreamIn = Traffic()
  var upstreamOut = Traffic()

  subscript(way: ProviderMetrics.Way) -> Traffic {
    switch way {
    case .clientIn: clientIn
    case .clientOut: clientOut
    case .upstreamIn: upstreamIn
    case .upstreamOut: upstreamOut
    }
  }
}
