import Envelope
import SessionCore
import Translation

extension GoldenTranscript {
  /// Replays the transcript with one thing going wrong after each of its steps in turn: either the call ends then, with one
  /// error and a close, or it goes on with another connection; never both, never neither. A client that leaves takes the
  /// provider's connection with it.
  ///
  /// - Returns: what no fault may lead to, in words.
  public func violationsUnderFaults() -> [String] {
    let faults: [UpstreamEnd] = [
      .lost, .closed(code: 1011, reason: ""), .closed(code: 1000, reason: ""), .framingBroken,
    ]
    var call = Call(dialogue: dialogue())
    var violations: [String] = []
    for (number, turn) in turns.enumerated() {
      let step = call.perform(turn.input)
      _ = call.ids.compare(turn.toClient, step.events, "")
      for fault in faults {
        violations += after(fault, call, rest: turns.dropFirst(number + 1)).map { "turn \(number), \(fault): \($0)" }
      }
      violations += departure(call, rest: turns.dropFirst(number + 1)).map { "turn \(number), client gone: \($0)" }
    }
    return violations
  }

  /// A call as far as it has come. A value: what a fault does to a copy happens to no other.
  private struct Call {
    var dialogue: SessionDialogue
    var ids = IDBinding()
    var invariants = EventInvariants()
    var hasEnded = false

    mutating func perform(_ input: Input) -> SessionDialogue.Step {
      if case .clientCloses = input { hasEnded = true }
      return saw(GoldenTranscript.perform(input, &ids, on: &dialogue))
    }

    mutating func saw(_ step: SessionDialogue.Step) -> SessionDialogue.Step {
      for event in step.events { invariants.observe(event) }
      hasEnded = hasEnded || step.clientCloseCode != nil
      return step
    }
  }

  private func after(_ fault: UpstreamEnd, _ call: Call, rest: ArraySlice<Turn>) -> [String] {
    let hadEnded = call.hasEnded
    var call = call
    let last = call.saw(call.dialogue.upstreamEnds(fault))
    guard call.hasEnded else {
      // How a connection ended makes no difference to what becomes of the next one.
      return Self.revival(call, last, isBack: true) + (fault == .lost ? Self.revival(call, last, isBack: false) : [])
    }
    var violations = hadEnded ? Self.silence(of: last) : Self.farewell(last)
    for turn in rest { violations += Self.silence(of: call.perform(turn.input)) }
    call.invariants.finish()
    return violations + call.invariants.violations
  }

  /// What goes wrong when the client leaves.
  private func departure(_ call: Call, rest: ArraySlice<Turn>) -> [String] {
    guard !call.hasEnded else { return [] }
    var call = call
    let last = call.dialogue.clientCloses()
    var violations = last.events.isEmpty ? [] : ["it speaks to nobody"]
    if last.connections.last != "upstream closes 1000" { violations.append("the provider's connection stays") }
    for turn in rest { violations += Self.silence(of: call.perform(turn.input)) }
    return violations
  }

  /// What goes wrong where everything has been said.
  private static func silence(of step: SessionDialogue.Step) -> [String] {
    step.events.isEmpty && step.actions.isEmpty && step.upstream.isEmpty ? [] : ["it speaks after its end"]
  }

  /// What goes wrong in a step that ends the call.
  private static func farewell(_ step: SessionDialogue.Step) -> [String] {
    var violations: [String] = []
    let errors = step.types.count { $0 == "error" }
    let isComplete = step.clientCloseCode == 1000
    if errors != (isComplete ? 0 : 1) { violations.append("\(errors) errors, and it closes") }
    if step.dialled != nil { violations.append("it dials, and it closes") }
    return violations
  }

  /// The call goes on: with a service that is back and says nothing, or with one that cannot be reached again. In either
  /// case everything comes to an end in time.
  private static func revival(_ survivor: Call, _ loss: SessionDialogue.Step, isBack: Bool) -> [String] {
    var call = survivor
    var violations: [String] = []
    if loss.types.contains("error") { violations.append("an error, and it goes on") }
    var step = loss
    var dials = 0
    // Results of functions are awaited for two minutes.
    let horizon = call.dialogue.now + .seconds(150)
    while !call.hasEnded {
      if step.dialled != nil {
        dials += 1
        step = call.saw(isBack ? connect(&call.dialogue) : call.dialogue.upstreamEnds(.unreachable))
      } else if let deadline = call.dialogue.session.deadline, deadline <= horizon {
        step = call.saw(call.dialogue.wait(deadline - call.dialogue.now))
      } else {
        break
      }
    }
    if dials == 0 { violations.append("it neither dials nor ends") }
    if isBack, call.hasEnded { violations.append("it ends with a service that is back: \(step.types)") }
    if !isBack { violations += call.hasEnded ? farewell(step) : ["it goes on without a service"] }
    call.invariants.finish()
    return violations + call.invariants.violations
  }

  private static func connect(_ dialogue: inout SessionDialogue) -> SessionDialogue.Step {
    let opened = dialogue.upstreamOpens()
    guard dialogue.speaksOpenAIWire else { return opened + dialogue.upstream(#"{"setupComplete":{}}"#) }
    return opened + dialogue.upstream(#"{"type":"session.created","event_id":"hello","session":{}}"#)
      + dialogue.upstream(#"{"type":"session.updated","event_id":"set","session":{}}"#)
  }
}
