import Envelope
import StandIns

/// How sessions and what is written in them are numbered, so that both ends can keep the same ledger.
enum Numbers {
  /// The parts, of 100 ms each, of a long story.
  static let storyParts = 20
  static let storyRequest = "tell me a long story"

  static func instructions(session: Int) -> String { "soak session \(session);" }
  static func note(_ number: Int, session: Int) -> String { "\(session).\(number)" }

  static func session(in text: String) -> Int? {
    text.firstMatch(of: /soak session (\d+);/).flatMap { Int($0.1) }
  }

  /// The notes of the user's that a message tells, in its order; not those that an answer repeats.
  static func notes(in text: String) -> [String] {
    text.matches(of: /(You said: )?note (\d+\.\d+);/).compactMap { $0.1 == nil ? String($0.2) : nil }
  }

  /// What a story must say up to here.
  static let story = "Once upon a time: " + (1...storyParts).map(String.init).joined(separator: ", ")

  /// The sound of an ordinary answer, and that of a story.
  static let answerSound = StandInSound.tone
  static let storySound = (1...storyParts).flatMap { StandInSound.parts[$0 % StandInSound.parts.count] }
}
