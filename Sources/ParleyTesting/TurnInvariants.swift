public import Envelope
public import Translation

/// What holds for the measures of every call, whatever is said in it, against the events that its client has had.
public struct TurnInvariants: Sendable {
  public private(set) var violations: [String] = []
  /// Responses of the conversation that the client was told of, and that are not over.
  private var live: [String] = []
  private var isBegun = false
  private var hasFirstAudio = false
  private var hasSpoken = false

  public init() {}

  /// One step of the session.
  public mutating func take(_ events: [JSONValue], _ actions: [Action]) {
    var ended: [String] = []
    var deltas = 0
    for event in events {
      let response = event["response"]
      switch event["type"]?.string {
      case "response.created" where response?["conversation_id"]?.isNull != true:
        if let id = response?["id"]?.string { live.append(id) }
        hasSpoken = false
      case "response.done":
        guard let id = response?["id"]?.string, let index = live.firstIndex(of: id) else { break }
        live.remove(at: index)
        ended.append(id)
      case "response.output_audio.delta", "response.audio.delta": deltas += 1
      default: break
      }
    }
    let isSpeaking = deltas > 0
    for case .turn(let measure) in actions { take(measure, &ended, isSpeaking) }
    check(ended.isEmpty, "responses that ended without a measure: \(ended)")
    hasSpoken = hasSpoken || isSpeaking
  }

  private mutating func take(_ measure: TurnMeasure, _ ended: inout [String], _ isSpeaking: Bool) {
    switch measure {
    case .began:
      isBegun = true
      hasFirstAudio = false
    case .firstAudio(let whole, let upstream):
      check(isBegun && !hasFirstAudio, "a first audio of no turn, or a second one")
      check(isSpeaking, "a first audio without audio")
      check(upstream >= .zero && upstream <= whole, "shares of \(whole): upstream \(upstream)")
      hasFirstAudio = true
    case .silenced(let duration):
      check(duration >= .zero, "silence after \(duration)")
    case .ended(_, let id, _, _):
      check(isBegun, "a turn ends that has not begun")
      isBegun = false
      guard let id else { break }
      guard let index = ended.firstIndex(of: id) else { return check(false, "\(id) ends without its event") }
      ended.remove(at: index)
    }
  }

  private mutating func check(_ holds: Bool, _ violation: @autoclosure () -> String) {
    if !holds { violations.append(violation()) }
  }
}
