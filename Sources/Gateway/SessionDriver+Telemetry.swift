import Envelope
import NIOCore
import SessionCore
import Translation
import VoiceEngine

// What a session tells whoever measures.

extension SessionDriver {
  /// What was counted so far.
  var reading: SessionTelemetry.Reading {
    SessionTelemetry.Reading(traffic: traffic, errors: session.errors, model: session.session.model)
  }

  func tell(_ measure: TurnMeasure, ofStepAt began: Instant) {
    if let note = measure.note { record.note(note) }
    telemetry?.turn(
      measure, stepBegan: began, at: Instant(loop.now), clientIsBehind: downstream.isBusy, reading)
  }

  func flushTelemetryIfDue() {
    guard let telemetry, telemetry.isFlushDue(at: steppedAt) else { return }
    telemetry.flush(reading, at: steppedAt)
  }

  /// The same for what the engine of this process asks others.
  var traceHeaders: [OutgoingTrace.Header] {
    (telemetry?.upstreamHeaders ?? []).map { OutgoingTrace.Header(name: $0.name, value: $0.value.reveal()) }
  }

  /// The target, told of the trace that the session is part of.
  func traced(_ target: UpstreamTarget) -> UpstreamTarget {
    guard let headers = telemetry?.upstreamHeaders, !headers.isEmpty else { return target }
    var target = target
    target.headers += headers
    return target
  }
}

extension TurnMeasure {
  /// What the log says of it: whoever watches sessions there sees speech and responses come and go (R118).
  fileprivate var note: SessionNote? {
    switch self {
    case .began: SessionNote(.info, "speech or a request awaits a response")
    case .firstAudio(let whole, let upstream):
      SessionNote(
        .debug, "a response speaks",
        ["first_audio_ms": "\(whole.wholeMilliseconds)", "upstream_ms": "\(upstream.wholeMilliseconds)"])
    case .silenced: nil
    case .ended(let outcome, let id, _, _):
      SessionNote(.info, "response ended", ["outcome": "\(outcome)", "response": id ?? "none"])
    }
  }
}
