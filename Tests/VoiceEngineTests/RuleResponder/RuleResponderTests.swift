import Foundation
import Testing

@testable import VoiceEngine

/// Wednesday, 5 March 2025, 15:05 UTC; chance always takes the highest number.
func ruleResponder(hour: Int = 15) throws -> RuleResponder {
  let zone = try #require(TimeZone(identifier: "UTC"))
  let now = Date(timeIntervalSince1970: 1_741_187_100 + Double(hour - 15) * 3_600)
  return RuleResponder(now: { now }, timeZone: zone, random: { $0.upperBound })
}

/// All text of the answer.
func said(_ request: ResponderRequest, hour: Int = 15) throws -> String {
  try ruleResponder(hour: hour).events(for: request).compactMap {
    if case .text(let text) = $0 { text } else { nil }
  }.joined()
}

func said(_ text: String, hour: Int = 15) throws -> String {
  var request = ResponderRequest()
  request.messages = [ChatMessage(role: .user, text: text)]
  return try said(request, hour: hour)
}

@Suite struct RuleResponderTests {
  static let reflection =
    "I have no language model. Point LLM_BASE_URL at an OpenAI-compatible server to get real answers."

  static let answers: [(String, String)] = [
    ("What time is it?", "It is 3:05 PM."), ("what time is it", "It is 3:05 PM."),
    ("What's the time?", "It is 3:05 PM."), ("Could you tell me the time, please?", "It is 3:05 PM."),
    ("Hey, do you have the time?", "It is 3:05 PM."), ("Time.", "It is 3:05 PM."),
    ("What time is it in Tokyo?", "I only know the time here. It is 3:05 PM."),
    ("What day is it today?", "Today is Wednesday, March 5, 2025."),
    ("What is today's date?", "Today is Wednesday, March 5, 2025."),
    ("what’s the date", "Today is Wednesday, March 5, 2025."),
    ("What day is tomorrow?", "Tomorrow is Thursday, March 6, 2025."),
    ("What day was yesterday?", "Yesterday was Tuesday, March 4, 2025."),
    ("What year is it?", "It is 2025."), ("Which month is it?", "It is March."),
    ("Repeat after me: the quick brown fox.", "the quick brown fox."),
    ("Repeat after me, Hello World", "Hello World."), ("Say good morning everyone!", "good morning everyone!"),
    ("Can you say \"banana\"?", "banana?"), ("Please repeat what time is it", "what time is it."),
    ("echo Größe 7", "Größe 7."), ("Repeat after me.", "I do not know what to repeat."),
    ("Say that again.", "I have not said anything yet."),
    ("What is seven times eight?", "7 times 8 is 56."), ("what's 7 x 8", "7 times 8 is 56."),
    ("7 times 8 is?", "7 times 8 is 56."), ("7x8", "7 times 8 is 56."), ("7 × 8 =", "7 times 8 is 56."),
    ("Seven multiplied by eight.", "7 times 8 is 56."), ("12 divided by 4", "12 divided by 4 is 3."),
    ("12 / 4?", "12 divided by 4 is 3."), ("What is 10 divided by 4?", "10 divided by 4 is 2.5."),
    ("what is ten divided by three", "10 divided by 3 is about 3.33."),
    ("twenty five plus seventeen", "25 plus 17 is 42."), ("Twenty-five plus 17.", "25 plus 17 is 42."),
    ("How much is 1,000 plus 1?", "1000 plus 1 is 1001."), ("what is 9-4", "9 minus 4 is 5."),
    ("three minus five", "3 minus 5 is minus 2."), ("what is 15% of 80", "15 percent of 80 is 12."),
    ("Fifteen percent of eighty.", "15 percent of 80 is 12."), ("0.1 plus 0.2", "0.1 plus 0.2 is 0.3."),
    ("What's the square root of 81?", "The square root of 81 is 9."),
    ("square root of two", "The square root of 2 is about 1.41."),
    ("the square root of minus four", "A negative number has no real square root."),
    ("What is five divided by zero?", "Nothing can be divided by zero."),
    ("add three and four", "3 plus 4 is 7."), ("Subtract 3 from 10.", "10 minus 3 is 7."),
    ("multiply six by seven", "6 times 7 is 42."), ("Divide 81 by 9.", "81 divided by 9 is 9."),
    ("two hundred and five plus one", "205 plus 1 is 206."), ("What is two plus to?", "2 plus 2 is 4."),
    ("three point five times two", "3.5 times 2 is 7."), ("nine squared", "9 squared is 81."),
    ("two to the power of ten", "2 to the power of 10 is 1024."), ("half of nine", "Half of 9 is 4.5."),
    ("what is the sum of 2 and 3", "2 plus 3 is 5."),
    ("what is one plus two plus three", "I can only work with two numbers at a time."),
    ("10 to the power of 999", "10 to the power of 999 has no result that I can give."),
    ("a million times a million", "1000000 times 1000000 is 1000000000000."),
    ("Spell cat.", "cat is spelled C, A, T."), ("How do you spell Parley?", "parley is spelled P, A, R, L, E, Y."),
    ("spell the word hi", "hi is spelled H, I."), ("How is cat spelled?", "cat is spelled C, A, T."),
    ("Count to five.", "1, 2, 3, 4, 5."), ("Count from three to nine", "3, 4, 5, 6, 7, 8, 9."),
    ("count from 3 to 5 please", "3, 4, 5."), ("Count down from five.", "5, 4, 3, 2, 1."),
    ("Count to for.", "1, 2, 3, 4."), ("count backwards from three to zero", "3, 2, 1, 0."),
    ("Flip a coin.", "Tails."), ("heads or tails?", "Tails."), ("Roll a die.", "You rolled 6."),
    ("roll two dice", "You rolled 6 and 6, together 12."), ("Roll a d20.", "You rolled 20."),
    ("roll a twenty sided die", "You rolled 20."), ("Pick a number between 1 and 10.", "10."),
    ("What can you do?", TalkSkills.help), ("Help!", TalkSkills.help), ("Which engine is this?", TalkSkills.identity),
    ("Who are you?", TalkSkills.identity), ("Hello.", TalkSkills.greeting), ("Hi there!", TalkSkills.greeting),
    ("Thank you very much.", "You are welcome."), ("Goodbye.", "Goodbye."), ("Thank you, goodbye.", "Goodbye."),
    ("Bye bye!", "Goodbye."),
    ("Stop.", "Okay."), ("Stop it, Parley!", "Okay."),
    ("", "I did not hear anything."), (" \n", "I did not hear anything."),
    ("I like trains", "You said: I like trains. " + reflection),
    ("What time does the train leave?", "You said: What time does the train leave? " + reflection),
    ("I paid five plus tax", "You said: I paid five plus tax. " + reflection),
    ("…?!", "You said: …?! " + reflection),
  ]

  @Test("each utterance, as a recogniser may write it, has its answer", arguments: answers)
  func answer(_ heard: String, _ expected: String) throws {
    #expect(try said(heard) == expected)
  }

  @Test(
    "midnight and noon are told on the twelve-hour clock",
    arguments: [(0, "12:05 AM"), (12, "12:05 PM"), (9, "9:05 AM")])
  func clock(_ hour: Int, _ text: String) throws {
    #expect(try said("what time is it", hour: hour) == "It is \(text).")
  }

  @Test("the time is told in the given time zone")
  func zone() throws {
    let zone = try #require(TimeZone(identifier: "Asia/Tokyo"))
    let clock = ClockSkill(now: Date(timeIntervalSince1970: 1_741_187_100), timeZone: zone)
    #expect(clock.time(Utterance("what time is it")) == "It is 12:05 AM.")
    #expect(clock.date(Utterance("what day is it")) == "Today is Thursday, March 6, 2025.")
  }

  @Test("counting ends after fifty numbers and says so")
  func longCount() throws {
    let text = try said("count to 1000")
    #expect(text.hasSuffix("49, 50. I stop after 50 numbers."))
    #expect(try said("count to 50").hasSuffix("49, 50."))
    #expect(try said("count to 2.5") == "I can only count whole numbers up to a million.")
    #expect(try said("count to 99999999999999999999") == "I can only count whole numbers up to a million.")
  }

  @Test("the missing language model is named once per session")
  func confessesOnce() throws {
    var request = ResponderRequest()
    request.messages = [
      ChatMessage(role: .user, text: "I like trains"),
      ChatMessage(role: .assistant, text: "You said: I like trains. " + Self.reflection),
      ChatMessage(role: .user, text: "I like boats too"),
    ]
    #expect(try said(request) == "You said: I like boats too.")
  }

  @Test("it tells what it heard before: the words, how many, how many turns")
  func heard() throws {
    var request = ResponderRequest()
    request.messages = [
      ChatMessage(role: .user, text: "I like trains"), ChatMessage(role: .assistant, text: "You said: I like trains."),
      ChatMessage(role: .user, text: "What did I say?"),
    ]
    #expect(try said(request) == "Before this you said: I like trains.")
    request.messages[2].text = "How many words did I say?"
    #expect(try said(request) == "Your last turn had 3 words. This is turn 2.")
    request.messages[2].text = "how many turns was that"
    #expect(try said(request) == "This is turn 2.")
    request.messages[2].text = "Say that again."
    #expect(try said(request) == "You said: I like trains.")
    var first = ChatMessage(role: .user, text: "What did I say?")
    first.speech = [Int16](repeating: 0, count: 24_000)
    request.messages = [first]
    #expect(try said(request) == "This is the first thing you said: 4 words, in 1.5 seconds.")
  }

  @Test("without a message of the user it greets, or says what the instructions give word for word")
  func greeting() throws {
    var request = ResponderRequest()
    #expect(try said(request) == TalkSkills.greeting)
    request.instructions = "Greet the user."
    #expect(try said(request) == TalkSkills.greeting)
    request.instructions = "You are kind. Say exactly: \"Welcome to the shop.\"\nThen wait."
    #expect(try said(request) == "Welcome to the shop.")
  }

  @Test("the text comes in several pieces, with usage and one end")
  func pieces() async throws {
    var request = ResponderRequest()
    request.messages = [ChatMessage(role: .user, text: "What can you do?")]
    var texts: [String] = []
    var rest: [ResponderEvent] = []
    for try await event in try ruleResponder().respond(to: request) {
      if case .text(let text) = event { texts.append(text) } else { rest.append(event) }
    }
    #expect(texts.count > 5)
    #expect(texts.joined() == TalkSkills.help)
    #expect(rest == [.usage(inputTokens: 4, outputTokens: (TalkSkills.help.count + 3) / 4), .finished(.complete)])
  }

  @Test("an answer beyond the client's limit of tokens is cut and says why", arguments: [0, 1, 5])
  func limit(_ tokens: Int) throws {
    var request = ResponderRequest()
    request.messages = [ChatMessage(role: .user, text: "What can you do?")]
    request.maximumTokens = tokens
    let events = try ruleResponder().events(for: request)
    #expect(events.last == .finished(.maximumTokens))
    #expect(events.contains(.usage(inputTokens: 4, outputTokens: tokens)))
    #expect(try said(request) == String(TalkSkills.help.prefix(tokens * 4)))
  }

  @Test("odd input is answered and bounded, whatever it is")
  func oddInput() throws {
    var state: UInt64 = 7
    func next(_ bound: UInt64) -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return (mixed ^ (mixed >> 31)) % bound
    }
    let vocabulary = [
      "count", "to", "from", "minus", "-", "9", "1e9", "spell", "say", "plus", "x", "%", "of", "roll", "d", "sided",
      "call",
      "half", "and", "hundred", "million", "point", "square", "root", "in", "'", "🤷🏽‍♀️", "\u{301}",
      "how", "is", "spelled",
    ]
    for round in 0..<600 {
      var text = ""
      for _ in 0...next(12) {
        if round.isMultiple(of: 2) {
          text += vocabulary[Int(next(UInt64(vocabulary.count)))] + " "
        } else if let scalar = Unicode.Scalar(UInt32(next(0x11_0000))) {
          text.unicodeScalars.append(scalar)
        }
      }
      let answer = try said(text)
      #expect(!answer.isEmpty && answer.count < 2_200, "\(text)")
    }
    for text in ["a", "9", "spell ", "count to ", "\u{301}", "say x ", "- ", "hundred thousand "] {
      #expect(try said(String(repeating: text, count: 10_000)).count < 2_200)
    }
  }
}
