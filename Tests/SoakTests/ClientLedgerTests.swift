import Envelope
import Testing

@testable import soak

/// The ledger of session 7, and what its client hears.
private struct Call {
  var ledger: ClientLedger

  init(_ provider: String = "gemini0") {
    ledger = ClientLedger(session: 7, provider: provider)
    ledger.end = .finished
  }

  /// The events are no whole ones; what is of interest is what the ledger says of answers.
  var violations: [String] {
    let rules = ["story", "sound", "note", "cancelled by", "complete and empty", "ended as", "said:"]
    return ledger.violations.filter { violation in rules.contains { violation.contains($0) } }
  }

  mutating func write(_ number: Int = 1, isStory: Bool = false, crossesSpeech: Bool = false) {
    ledger.notes[number] = .init(isStory: isStory, crossesSpeech: crossesSpeech, isAdded: true)
  }

  mutating func hear(_ type: String, _ members: JSONObject = [:]) {
    var event: JSONObject = ["type": .string(type), "event_id": .string("e\(ledger.transcript.count)\(type)")]
    for (key, value) in members { event[key] = value }
    ledger.hear(.object(event))
  }

  mutating func begin(_ id: String, note: Int? = 1) {
    let metadata: JSONValue = note.map { ["note": .string("note_7_\($0)")] } ?? [:]
    hear("response.created", ["response": ["id": .string(id), "metadata": metadata]])
  }

  mutating func say(_ id: String, _ words: String, sound: [UInt8]) {
    let about: JSONObject = ["response_id": .string(id), "item_id": "i", "output_index": 0, "content_index": 0]
    func delta(_ text: String) -> JSONObject {
      var members = about
      members["delta"] = .string(text)
      return members
    }
    if !words.isEmpty { hear("response.output_audio_transcript.delta", delta(words)) }
    if !sound.isEmpty { hear("response.output_audio.delta", delta(Base64Bytes.encode(sound))) }
  }

  mutating func end(_ id: String, _ status: String = "completed") {
    hear("response.done", ["response": ["id": .string(id), "status": .string(status)]])
  }

  mutating func answer(
    _ id: String, note: Int? = 1, _ words: String, sound: [UInt8] = Numbers.answerSound, status: String = "completed"
  ) {
    begin(id, note: note)
    say(id, words, sound: sound)
    end(id, status)
  }

  mutating func speak() { ledger.blocks.append(.init(atMs: 0, isLoud: true)) }
}

@Suite("The soak's ledger of what is heard")
struct ClientLedgerTests {
  /// A response to note 1 of session 7, a story, of which these numbers are heard.
  private func story(_ words: [String], sound: [UInt8] = [], status: String = "completed") -> [String] {
    var call = Call()
    call.write(isStory: true)
    call.answer("r", words.joined(), sound: sound, status: status)
    call.ledger.finish()
    return call.violations.filter { $0.contains("story") || $0.contains("sound") }
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

  private let words = "You said: note 7.1;"
  private let part = Array(Numbers.answerSound.prefix(960))

  @Test("A complete answer may lack sound only if its client cancelled that very answer")
  func cancelled() {
    for (cancels, isFine) in [([1], true), ([], false), ([2], false)] {
      var call = Call()
      call.write()
      call.begin("r")
      for note in cancels { #expect((call.ledger.cancel(note) == "r") == isFine) }
      call.say("r", words, sound: part)
      call.end("r")
      call.ledger.finish()
      #expect(call.violations.isEmpty == isFine)
    }
  }

  @Test("A cancelled answer that is complete has all its words, and no sound but its own")
  func cancelledWords() {
    for (words, sound) in [("Y", part), (words, Numbers.answerSound + [0]), (words, part + [1, 2, 3])] {
      var call = Call()
      call.write()
      call.begin("r")
      _ = call.ledger.cancel(1)
      call.say("r", words, sound: sound)
      call.end("r")
      #expect(!call.violations.isEmpty)
    }
  }

  @Test("Speech that came after it may take back sound of a complete answer, and nothing else may")
  func takenBack() {
    for (speaks, isStarted, isFine) in [(true, true, true), (false, true, false), (true, false, false)] {
      var call = Call()
      call.write()
      call.begin("r")
      if speaks { call.speak() }
      call.say("r", words, sound: part)
      call.end("r")
      if isStarted { call.hear("input_audio_buffer.speech_started") }
      #expect(call.violations.isEmpty)
      var next = call
      next.begin("s", note: nil)
      #expect(next.violations.isEmpty == isFine)
      call.ledger.finish()
      #expect(call.violations.isEmpty == isFine)
    }
  }

  @Test("An answer is cancelled by its client or by speech, and ends in one of three ways")
  func statuses() {
    var call = Call()
    call.write()
    call.answer("r", words, status: "cancelled")
    #expect(call.violations.count == 1)
    call = Call()
    call.write()
    call.begin("r")
    call.hear("input_audio_buffer.speech_started")
    call.end("r", "cancelled")
    #expect(call.violations.isEmpty)
    call = Call()
    call.write()
    call.answer("r", words, status: "incomplete")
    #expect(call.violations.count == 1)
    call = Call()
    call.write()
    call.answer("r", words, status: "failed")
    #expect(call.violations.isEmpty)
    #expect(call.ledger.failedResponses == 1)
    #expect(call.ledger.tellings.count == 1)
  }

  @Test("A complete answer is empty, or another's, only where it may have been taken for one to speech")
  func crossing() {
    for provider in ["gemini0", "openai0"] {
      for crosses in [true, false] {
        for (answer, sound) in [("", []), ("You said: something", Numbers.answerSound)] {
          var call = Call(provider)
          call.speak()
          call.write(crossesSpeech: crosses)
          call.answer("r", answer, sound: sound)
          #expect(call.violations.isEmpty == crosses)
          #expect(call.ledger.crossedAnswers == (crosses ? 1 : 0))
        }
      }
    }
    var call = Call()
    call.answer("r", note: nil, "", sound: [])
    #expect(call.violations.count == 1)
  }

  @Test("The answer to a note comes once, whichever request it is taken for")
  func twice() {
    var call = Call()
    call.write(crossesSpeech: true)
    call.answer("r", words)
    #expect(call.violations.isEmpty)
    call.answer("s", note: nil, words)
    #expect(call.violations.count == 1)
  }

  @Test("A note whose creation was an error counts as refused")
  func refused() {
    var call = Call()
    call.write()
    call.hear("error", ["error": ["code": "invalid_value", "event_id": "create_7_1"]])
    #expect(call.ledger.notes[1]?.isRefused == true)
    #expect(call.ledger.errors == ["invalid_value"])
    call.hear("error", ["error": ["code": "context_lost"]])
    #expect(call.ledger.tellings.count == 1)
  }
}
