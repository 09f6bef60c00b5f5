public import Envelope
public import SessionCore

/// A session whose provider is a recording: each frame that goes up releases what the service sent upon it.
public struct RecordedCall: Sendable {
  public private(set) var dialogue: SessionDialogue
  private var player: TranscriptPlayer
  /// Everything the client got after the session's hello.
  public private(set) var events: [JSONValue] = []

  /// Opens the connection.
  ///
  /// - Parameter first: what the client says before that; nil: nothing.
  /// - Throws: ``TranscriptFault``; `noFolder` where `REALTIME_RECORDINGS` is not set.
  public init(_ recording: String, _ kind: ProviderKind, model: String, first: String? = nil) throws {
    player = try TranscriptPlayer(recording: recording)
    dialogue = SessionDialogue(kind, model: model, requestedModel: model)
    _ = dialogue.begin()
    if let first { client(first) }
    take(dialogue.upstreamOpens(), after: player.begin())
  }

  public mutating func client(_ event: String) { take(dialogue.client(event)) }

  private mutating func take(_ step: SessionDialogue.Step, after greeting: [JSONValue] = []) {
    events += step.events
    for message in greeting { take(dialogue.upstream(message.text)) }
    for frame in step.upstream {
      for message in player.sent(frame) { take(dialogue.upstream(message.text)) }
    }
  }

  /// Whether everything has been played.
  public var isFinished: Bool { player.isFinished }

  /// What the service said, in order.
  public var recorded: [JSONValue] { player.messages(.received) }

  public var types: [String] { events.map { $0["type"]?.string ?? "?" } }

  /// The deltas of one type as one text.
  public func text(of type: String) -> String {
    events.filter { $0["type"]?.string == type }.compactMap { $0["delta"]?.string }.joined()
  }

  /// The response of the last `response.done`.
  public var lastResponse: JSONValue? {
    events.last { $0["type"] == "response.done" }?["response"]
  }

  /// What no call may show: it is over, and nothing of it is open.
  public var violations: [String] { EventInvariants.violations(in: dialogue.history, isComplete: true) }
}
