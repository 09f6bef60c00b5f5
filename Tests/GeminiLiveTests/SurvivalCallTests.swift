import Audio
import Envelope
import NIOCore
import SessionCore
import Testing
import Translation

@testable import GeminiLiveProvider

/// Half an hour of a call in which nobody ever pauses, over the connections that the service takes away in it.
@Suite struct GeminiLongCall {
  /// What the service of one connection has heard.
  struct Heard {
    var numbers: [Int] = []
  }

  /// Both sides of a call that is driven as the gateway drives it, in 20 ms steps.
  struct Call {
    var session: Session
    var now = Instant(nanoseconds: 1_000_000_000)
    /// By connection, in order.
    var heard: [Heard] = []
    /// The numbers of the service's pieces that the client has heard.
    var played: [Int] = []
    var eventTypes: [String: Int] = [:]
    var isSetUp = false
    /// The connection that was asked for is open after so many steps.
    var opensIn: Int?
    var dials = 0
    var closeCode: UInt16?
    var mostHeldBytes = 0
    private var text = ByteBuffer()

    init() {
      let provider = ProviderConfiguration(
        name: "gemini", service: .geminiLive(GeminiCall.configuration(GeminiCall.live38)))
      session = Session(
        SessionParameters(
          provider: provider, requestedModel: GeminiCall.live38, unixTime: 1_767_229_435, seed: 12), at: now)
      session.begin(at: now)
      drain()
    }

    mutating func client(_ message: String) {
      text.clear()
      text.writeString(message)
      session.downstreamText(text, at: now)
      drain()
    }

    mutating func service(_ message: String) {
      text.clear()
      text.writeString(message)
      session.upstreamMessage(text, at: now)
      drain()
    }

    /// 20 ms pass.
    mutating func pass() {
      let end = now + .milliseconds(20)
      while let deadline = session.deadline, deadline <= end {
        now = max(now, deadline)
        session.timeReached(at: now)
        drain()
      }
      now = end
      guard let steps = opensIn else { return }
      opensIn = steps > 0 ? steps - 1 : nil
      guard steps == 0 else { return }
      session.upstreamOpened(at: now)
      drain()
      service(GeminiCall.setupComplete)
      isSetUp = true
    }

    mutating func drain() {
      var upstream = session.outbox.upstream
      var downstream = session.outbox.downstream
      session.outbox.upstream = MessageQueue()
      session.outbox.downstream = MessageQueue()
      while upstream.consume({ view, _ in hear(view) }) {}
      while downstream.consume({ view, _ in play(view) }) {}
      guard session.hasActions else { return }
      let actions = session.outbox.actions
      session.outbox.actions.removeAll()
      for action in actions {
        switch action {
        case .dial:
          dials += 1
          heard.append(Heard())
          isSetUp = false
          opensIn = 10
        case .closeDownstream(let code, _): closeCode = code
        default: break
        }
      }
    }

    private mutating func hear(_ frame: ByteBufferView) {
      let bytes = Array(frame)
      // {"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=24000","data":"
      let head = 69
      guard bytes.count > 1_280, bytes[19] == UInt8(ascii: "a") else { return }
      // One number for each piece of 20 ms, whatever pieces they were put together to.
      for index in 0..<((bytes.count - head - 3) / 1_280) {
        heard[heard.count - 1].numbers.append(Self.number(bytes, head + index * 1_280))
      }
    }

    private mutating func play(_ event: ByteBufferView) {
      let bytes = Array(event)
      guard bytes.count > 1_280 else {
        let type = (try? JSONValue(parsing: event))?["type"]?.string ?? ""
        return eventTypes[type, default: 0] += 1
      }
      // The delta ends the event.
      played.append(Self.number(bytes, bytes.count - 6))
    }

    /// The number that four characters of base64 stand for (``SurvivalSound``).
    private static func number(_ bytes: [UInt8], _ start: Int) -> Int {
      var number = 0
      for index in (start..<start + 4).reversed() {
        let character = Int(bytes[index])
        let digit = character >= 97 ? character - 71 : character >= 65 ? character - 65 : character + 4
        number = number * 62 + digit
      }
      return number
    }
  }

  /// How much the session keeps, of all that can grow.
  struct Footprint: Equatable {
    var held = 0
    var pending = 0
    var calls = 0
    var sides = 0
    var told = 0
    var recentMs = 0
    var bufferedBytes = 0
    var items = 0
  }

  static func footprint(of session: Session) throws -> Footprint {
    let parts = Mirror(reflecting: session).children
    let port = try #require(parts.first { $0.label == "port" }?.value as? Port)
    let translator = try #require(parts.first { $0.label == "translator" }?.value as? GeminiLiveTranslator)
    return Footprint(
      held: port.heldByteCount, pending: translator.pending.entries.count, calls: translator.tools.calls.count,
      sides: translator.sides.count, told: translator.told.count + translator.seed.count,
      recentMs: translator.recentAudio.milliseconds, bufferedBytes: translator.buffered.byteCount,
      items: translator.conversation.items.count)
  }

  @Test(
    "gemini 4.6, fault row 48: half an hour across three goAways: no byte of either side is lost, and nothing grows")
  func halfAnHour() throws {
    var call = Call()
    let pieces = 30 * 60 * 50
    let turn = 30 * 50
    var served = 0
    var footprints: [Footprint] = []
    for number in 0..<pieces {
      call.client(SurvivalSound.append(SurvivalSound.piece(number)))
      if call.isSetUp {
        if number % turn == 0 { call.service(GeminiCall.heard("So")) }
        call.service(Self.speech(SurvivalSound.piece(served)))
        served += 1
        if number % turn == turn - 1 {
          call.service(GeminiCall.said("Well"))
          call.service(GeminiCall.complete)
          call.service(GeminiCall.end)
          call.service(#"{"sessionResumptionUpdate":{"newHandle":"h\#(number)","resumable":true}}"#)
        }
        if number % (9 * 60 * 50) == 8 * 60 * 50 { call.service(#"{"goAway":{"timeLeft":"60s"}}"#) }
      }
      if number % turn == turn / 3 { footprints.append(try Self.footprint(of: call.session)) }
      call.pass()
    }
    #expect(call.closeCode == nil && call.eventTypes["error"] == nil)
    #expect(call.dials == 4, "one connection for each goAway")
    #expect(call.played == Array(0..<served), "all that the service said, in order")
    var next = 0
    for (index, numbers) in call.heard.map(\.numbers).enumerated() {
      let first = try #require(numbers.first)
      let overlap = next - first
      #expect(index == 0 ? overlap == 0 : (0...150).contains(overlap), "at most 3 s are heard again")
      #expect(numbers == Array(first..<(first + numbers.count)), "no gap and no other order")
      next = first + numbers.count
    }
    #expect(next >= pieces - 5, "but for what is gathered to a piece of its own")
    let most = try #require(footprints.last)
    #expect(footprints.count == 60 && most.items <= 2 * 60 + 2)
    for (index, footprint) in footprints.enumerated() {
      var expected = footprints[1]
      expected.items = footprint.items
      #expect(index == 0 || footprint == expected)
    }
    #expect(most.recentMs < 3_200 && most.held == 0)
  }

  static func speech(_ piece: String) -> String {
    #"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":"audio/pcm;rate=24000","data":"\#(piece)"}}]}}}"#
  }
}
