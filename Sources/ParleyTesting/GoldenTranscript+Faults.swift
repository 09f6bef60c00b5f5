import Envelope
import SessionCore
import Translation

extension GoldenTranscript {
  /// Replays the transcript with one thing going wrong after each of its steps in turn: either the call ends then, with one
  /// error and a close, or it goes on with another connection; never both, never neither.
  ///
  /// - Returns: what no fault may lead to, in words.
  public func violationsUnderFaults() -> [String] {
    let faults: [UpstreamEnd] = [
      .lost, .closed(code: 1011, reason: ""), .closed(code: 1000, reason: ""), .framingBroken,
    ]
    var violations: [String] = []
    for cut in 1...turns.count {
      for fault in faults {
        violations += self.violations(cut: cut, fault).map { "cut \(cut), \(fault): \($0)" }
      }
    }
    return violations
  }

  private func violations(cut: Int, _ fault: UpstreamEnd) -> [String] {
    var dialogue = dialogue()
    var ids = IDBinding()
    var hasEnded = false
    for turn in turns.prefix(cut) {
      let step = Self.perform(turn.input, &ids, on: &dialogue)
      _ = ids.compare(turn.toClient, step.events, "")
      if case .clientCloses = turn.input { hasEnded = true }
      hasEnded = hasEnded || step.clientCloseCode != nil
    }
    let last = dialogue.upstreamEnds(fault)
    if hasEnded || last.clientCloseCode != nil {
      return (hasEnded ? Self.silence(of: last) : Self.farewell(last)) + rest(from: cut, ids, dialogue)
    }
    return Self.revival(dialogue, last, isBack: true) + Self.revival(dialogue, last, isBack: false)
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

  /// The rest of the transcript, after the end of the call.
  private func rest(from cut: Int, _ ids: IDBinding, _ dialogue: SessionDialogue) -> [String] {
    var dialogue = dialogue
    var ids = ids
    var violations: [String] = []
    for turn in turns.dropFirst(cut) {
      violations += Self.silence(of: Self.perform(turn.input, &ids, on: &dialogue))
    }
    return violations + EventInvariants.violations(in: dialogue.history, isComplete: true)
  }

  /// The call goes on: with a service that is back and says nothing, or with one that cannot be reached again. In either
  /// case everything comes to an end in time.
  private static func revival(
    _ survivor: SessionDialogue, _ loss: SessionDialogue.Step, isBack: Bool
  ) -> [String] {
    var dialogue = survivor
    var violations: [String] = []
    if loss.types.contains("error") { violations.append("an error, and it goes on") }
    var step = loss
    var dials = 0
    var end: SessionDialogue.Step?
    // Results of functions are awaited for two minutes.
    let horizon = dialogue.now + .seconds(150)
    while end == nil {
      if step.dialled != nil {
        dials += 1
        step = isBack ? Self.connect(&dialogue) : dialogue.upstreamEnds(.unreachable)
      } else if let deadline = dialogue.session.deadline, deadline <= horizon {
        step = dialogue.wait(deadline - dialogue.now)
      } else {
        break
      }
      if step.clientCloseCode != nil { end = step }
    }
    if dials == 0 { violations.append("it neither dials nor ends") }
    if isBack, let end { violations.append("it ends with a service that is back: \(end.types)") }
    if !isBack { violations += end.map(farewell) ?? ["it goes on without a service"] }
    return violations + EventInvariants.violations(in: dialogue.history, isComplete: true)
  }

  private static func connect(_ dialogue: inout SessionDialogue) -> SessionDialogue.Step {
    let opened = dialogue.upstreamOpens()
    return opened + dialogue.upstream(#"{"setupComplete":{}}"#)
  }
}
