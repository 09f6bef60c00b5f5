import Envelope
import NIOCore
import OpenAIWire
import ParleyTesting
import Translation

extension FuzzTarget {
  /// A decision on the service's habits, then what it says: an event a line, and lines of one letter for the client.
  static let serverEvents = FuzzTarget("server-events") { bytes in
    var input = FuzzInput(bytes)
    let habits = input.byte()
    var reading = MenderReading(rules(habits), isText: habits & 0x80 != 0)
    while !input.isEmpty { reading.hear(input.line()) }
    return reading.finish()
  }

  /// By bits, so that each can be combined with each.
  private static func rules(_ habits: UInt8) -> MendingRules {
    var rules = MendingRules()
    rules.completesLifecycle = habits & 1 != 0
    rules.speaksInTextMode = habits & 2 != 0
    rules.repeatsTextInAudio = habits & 4 != 0
    rules.callsComeWhole = habits & 8 != 0
    rules.repeatsTranscripts = habits & 16 != 0
    rules.announcesSpeechLate = habits & 32 != 0
    // Transcripts that grow are told anew: never of a service that is told as it is.
    if habits & 64 != 0, rules.completesLifecycle {
      rules.dropped = ["ping"]
      rules.renames = ["response.output_text.chunk": "response.output_text.delta"]
      rules.cumulativeTranscripts = ["conversation.item.input_audio_transcription.updated"]
    }
    return rules
  }
}

/// A mender with what it needs of its session, and the watch over what it tells.
private struct MenderReading {
  private var mender: EventMender
  private let completes: Bool
  private var ids = IDSource(seed: 7)
  private var serviceIDs = IDSource(seed: 8)
  private var session = RealtimeSession.defaults(id: "sess_1", model: "m", voice: "v", expiresAt: 0)
  private var invariants = EventInvariants()
  private var findings = Findings()

  init(_ rules: MendingRules, isText: Bool) {
    mender = EventMender(rules)
    completes = rules.completesLifecycle
    if isText { session.outputModalities = [.text] }
  }

  /// What the translator takes for itself.
  private static let beforeTheMender: [String?] = [
    "session.created", "session.updated", "transcription_session.created", "transcription_session.updated", "error",
  ]

  mutating func hear(_ line: ArraySlice<UInt8>) {
    if line.count == 1 { return client(line.first ?? 0) }
    guard var event = (try? line.withUnsafeBytes { try JSONValue(parsing: $0) })?.object,
      !Self.beforeTheMender.contains(event["type"]?.string)
    else { return }
    // Ids that are used twice are the service's affair.
    if event["event_id"]?.string != nil { event["event_id"] = .string(serviceIDs.next(.event)) }
    let message = ByteBuffer(string: JSONValue.object(event).text)
    let isAdmitted = message.withUnsafeReadableBytes { bytes in
      guard case .audioDelta(let frame) = EventReader.readServer(bytes) else { return false }
      return mender.admits(frame, in: bytes)
    }
    if isAdmitted { return tell([event]) }
    switch mender.mend(event, session: session, ids: &ids) {
    case .untouched: tell([event])
    case .events(let told): tell(told)
    }
  }

  /// What the client does meanwhile.
  private mutating func client(_ letter: UInt8) {
    switch letter {
    case UInt8(ascii: "a"): mender.asked(metadata: ["a": "b"], modalities: [.text])
    case UInt8(ascii: "v"): mender.askedInVain()
    case UInt8(ascii: "c"): mender.cancelAsked(responseID: nil)
    case UInt8(ascii: "e"): tell(mender.endCancelled())
    case UInt8(ascii: "t"): tell(mender.endTranscripts())
    case UInt8(ascii: "h"): mender.heardAudio(milliseconds: 100)
    default: break
    }
  }

  private mutating func tell(_ events: [JSONObject]) {
    guard completes else {
      return findings.expect(events.count <= 1, "\(events.count) events for one of a service that is told as it is")
    }
    for var event in events {
      if event["event_id"] == nil { event["event_id"] = .string(ids.next(.event)) }
      invariants.observe(.object(event))
    }
    findings.expectEqual(mender.isMidTurn, !mender.openResponseIDs.isEmpty, "whether a response is open")
  }

  mutating func finish() -> [String] {
    let ends = mender.closeAll(UpstreamVerdict(code: "lost", message: "Lost.", outlook: .mayRecover))
    guard completes else { return findings.violations }
    tell(ends)
    findings.expect(!mender.isMidTurn, "a response outlives the call")
    invariants.finish()
    return findings.violations + invariants.violations
  }
}
