import Envelope
import Testing

@testable import soak

/// A soak that sees nothing proves nothing: each rule is broken here once.
@Suite("The soak's rules")
struct JudgementTests {
  private func client(blocks: Int = 0, notes: [Int: String] = [:], errors: [String] = []) -> ClientLedger {
    var ledger = ClientLedger(session: 7, provider: "gemini0")
    ledger.end = .finished
    ledger.blocksSent = blocks
    ledger.errors = errors
    for (number, outcome) in notes { ledger.notes[number] = .init(isStory: false, isAdded: true, outcome: outcome) }
    return ledger
  }

  private func upstream(
    notes: [String] = [], runs: [ClosedRange<Int>] = [], stray: Int = 0, refusals: [String] = []
  ) -> UpstreamLedger {
    UpstreamLedger(connection: 1, session: 7, notes: notes, runs: runs, strayBytes: stray, refusals: refusals)
  }

  private func violations(_ client: ClientLedger, _ upstream: UpstreamLedger...) -> [String] {
    var client = client
    Judgement.judge(&client, upstream)
    return client.violations
  }

  @Test("A call of one connection that heard everything in order breaks nothing")
  func whole() {
    #expect(violations(client(blocks: 50, notes: [1: "completed"]), upstream(notes: ["7.1"], runs: [0...49])) == [])
  }

  @Test("A call that goes on over another connection may be told its last seconds again")
  func renewed() {
    let call = client(blocks: 400, notes: [1: "completed", 2: "completed"])
    #expect(
      violations(call, upstream(notes: ["7.1"], runs: [0...249]), upstream(notes: ["7.1", "7.2"], runs: [120...399]))
        == [])
    #expect(
      !violations(call, upstream(notes: ["7.1"], runs: [0...249]), upstream(notes: ["7.1", "7.2"], runs: [20...399]))
        .isEmpty)
  }

  @Test("Sound that is lost is told of, within a connection and between two")
  func lostSound() {
    #expect(!violations(client(blocks: 50), upstream(runs: [0...20, 22...49])).isEmpty)
    #expect(!violations(client(blocks: 50), upstream(runs: [0...48])).isEmpty)
    #expect(!violations(client(blocks: 50), upstream(runs: [0...20]), upstream(runs: [22...49])).isEmpty)
    var struck = client(blocks: 50)
    struck.upstreamWasStruck = true
    Judgement.judge(&struck, [upstream(runs: [0...20]), upstream(runs: [22...48])])
    #expect(struck.violations == [])
    #expect(struck.blocksUnheard == 1)
    let told = client(blocks: 50, errors: ["context_lost"])
    #expect(violations(told, upstream(runs: [0...20]), upstream(runs: [22...49])) == [])
  }

  @Test("Sound that is doubled, torn or never spoken is told of")
  func wrongSound() {
    #expect(!violations(client(blocks: 50), upstream(runs: [0...20, 20...49])).isEmpty)
    #expect(!violations(client(blocks: 50), upstream(runs: [0...49], stray: 2)).isEmpty)
    #expect(!violations(client(blocks: 50), upstream(runs: [0...50])).isEmpty)
  }

  @Test("Notes that are lost, doubled, out of order or another's are told of")
  func notes() {
    let call = client(notes: [1: "completed", 2: "completed"])
    #expect(!violations(call, upstream(notes: ["7.1"])).isEmpty)
    #expect(!violations(call, upstream(notes: ["7.1", "7.2", "7.2"])).isEmpty)
    #expect(!violations(call, upstream(notes: ["7.2", "7.1"])).isEmpty)
    #expect(!violations(call, upstream(notes: ["7.1", "7.2", "8.1"])).isEmpty)
    #expect(!violations(call, upstream(notes: ["7.1", "7.2"], refusals: ["close 1007"])).isEmpty)
    #expect(violations(call, upstream(notes: ["7.1", "7.2"])) == [])
  }

  @Test("A note that nobody answered, and a close without a word before it, are told of")
  func ends() {
    var call = client()
    call.notes[1] = .init(isStory: false, isAdded: true, isAsked: true)
    call.finish()
    #expect(call.violations.count == 1)
    for (code, isFine) in [(1_000, true), (1_013, false), (1_011, false)] {
      var closed = client()
      closed.end = .closed(code)
      closed.finish()
      #expect(closed.violations.isEmpty == isFine)
    }
    var told = client(errors: ["upstream_lost"])
    told.end = .closed(1_013)
    told.finish()
    #expect(told.violations.isEmpty)
  }
}

@Suite("The soak's ledger of what is heard")
struct ClientLedgerTests {
  /// A response to note 1 of session 7, a story, of which these numbers are heard.
  private func story(_ words: [String], sound: [UInt8] = [], status: String = "completed") -> [String] {
    var ledger = ClientLedger(session: 7, provider: "gemini0")
    ledger.notes[1] = .init(isStory: true, isAdded: true)
    let about: JSONObject = ["response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0]
    func event(_ type: String, _ members: JSONObject) -> JSONValue {
      var event: JSONObject = ["type": .string(type), "event_id": .string("e\(ledger.transcript.count)\(type)")]
      for (key, value) in members { event[key] = value }
      return .object(event)
    }
    ledger.hear(event("response.created", ["response": ["id": "r", "metadata": ["note": "note_7_1"]]]))
    for word in words {
      var members = about
      members["delta"] = .string(word)
      ledger.hear(event("response.output_audio_transcript.delta", members))
    }
    if !sound.isEmpty {
      var members = about
      members["delta"] = .string(Base64Bytes.encode(sound))
      ledger.hear(event("response.output_audio.delta", members))
    }
    ledger.hear(event("response.done", ["response": ["id": "r", "status": .string(status)]]))
    // The events are no whole ones; what is of interest is what the ledger says of the story.
    return ledger.violations.filter { $0.contains("story") || $0.contains("sound") }
  }

  private let everyWord = ["Once upon a time: 1"] + (2...Numbers.storyParts).map { ", \($0)" }

  @Test("A whole story breaks nothing, and a cancelled one may end anywhere")
  func whole() {
    #expect(story(everyWord, sound: Numbers.storySound) == [])
    #expect(story(Array(everyWord.prefix(3)), sound: Array(Numbers.storySound.prefix(99)), status: "cancelled") == [])
  }

  @Test("A story with a number lost, doubled or out of order, and one that is not whole, are told of")
  func broken() {
    for wrong in [
      Array(everyWord.dropLast()), everyWord + [", 21"], Array(everyWord.prefix(3) + everyWord.dropFirst(4)),
      Array(everyWord.prefix(3) + everyWord.dropFirst(2)),
    ] {
      #expect(!story(wrong, sound: Numbers.storySound).isEmpty)
    }
  }

  @Test("Sound that is not what was said, too short or too long, is told of")
  func sound() {
    var wrong = Numbers.storySound
    wrong[5_000] ^= 1
    for sound in [wrong, Array(Numbers.storySound.dropLast(2)), Numbers.storySound + [0, 0]] {
      #expect(!story(everyWord, sound: sound).isEmpty)
    }
  }
}

@Suite("Numbered sound")
struct NumberedSoundTests {
  @Test("Blocks are read from pieces of any size, and a gap, a repeat and a torn block show")
  func pieces() {
    func read(_ bytes: [UInt8], piece: Int) -> NumberedSoundReader {
      var reader = NumberedSoundReader()
      for start in stride(from: 0, to: bytes.count, by: piece) {
        reader.hear(Array(bytes[start..<min(start + piece, bytes.count)]))
      }
      return reader
    }
    let blocks = (0..<70_000).map { $0 }
    func sound(_ numbers: some Sequence<Int>) -> [UInt8] {
      numbers.flatMap { NumberedSound.block($0, isLoud: $0.isMultiple(of: 3)) }
    }
    for piece in [2, 958, 960, 4_800] {
      #expect(read(sound(blocks[65_500..<65_540]), piece: piece).runs == [65_500...65_539])
      #expect(read(sound([1, 2, 4, 5]), piece: piece).runs == [1...2, 4...5])
      #expect(read(sound([1, 2, 2]), piece: piece).runs == [1...2, 2...2])
      // A renewed connection begins in the middle of a block.
      let late = read(Array(sound([1, 2, 3]).dropFirst(500)), piece: piece)
      #expect(late.runs == [2...3])
      #expect(late.strayBytes == 0)
      var torn = sound([1, 2, 3])
      torn[1_500] ^= 4
      #expect(read(torn, piece: piece).strayBytes == NumberedSound.bytesInBlock)
      #expect(read(torn, piece: piece).runs == [1...1, 3...3])
    }
  }
}
