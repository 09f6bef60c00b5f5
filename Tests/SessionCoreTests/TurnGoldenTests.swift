import Envelope
import Foundation
import ParleyTesting
import Testing
import Translation

/// The transcripts of all families, each input 100 ms after the one before: what is measured of their turns.
@Suite struct TurnsOfGoldenCalls {
  private static func played(_ name: String) throws -> SessionDialogue {
    let file = GoldenTranscripts.folder.appending(path: name)
    return try GoldenTranscript(lines: String(contentsOf: file, encoding: .utf8)).played(pausing: .milliseconds(100))
  }

  @Test("every response of a conversation is one turn, whatever is said", arguments: GoldenTranscripts.names)
  func invariants(_ name: String) throws {
    #expect(try Self.played(name).turnViolations == [])
  }

  @Test(
    "end of speech or request to first audio, and the provider's share, of every family",
    arguments: [
      ("local/spoken-turn", ["began", "first 300 upstream 300", "completed 24/6"]),
      ("local/manual-turn", ["began", "first 300 upstream 300", "completed 13/6"]),
      ("inworld/voice-turn", ["began", "first 1000 upstream 1000", "completed 60/30"]),
      ("xai/audio-turn", ["began", "first 1000 upstream 1000", "completed 5/42"]),
      ("vowel/text-turn", ["began", "first 800 upstream 800", "completed 2/4"]),
      ("vowel/telephone", ["began", "first 800 upstream 800", "completed 2/4"]),
      ("azure/text-turn", ["began", "first 800 upstream 800", "completed 16/98"]),
      ("azure/preview-text-turn", ["began", "first 700 upstream 700", "completed 16/45"]),
      ("azure/voice-live-text-turn", ["began", "first 700 upstream 700", "completed 16/45"]),
      ("gemini-live/manual-turn", ["began", "first 200 upstream 200", "completed 10/5"]),
      // The provider tells where speech ends.
      ("gemini-live/voice-activity", ["began", "first 400 upstream 400", "completed 10/5"]),
      // It does not: the last word of the transcript is taken for the end, or nothing is measured.
      ("gemini-live/voice-turn", ["began", "first 100 upstream 100", "completed 412/42"]),
      ("gemini-live/one-frame", ["began", "completed 10/5"]),
    ])
  func firstAudio(_ name: String, _ expected: [String]) throws {
    #expect(try Self.played(name + ".jsonl").measures.map(\.words) == expected)
  }

  @Test(
    "what is held while a connection is away, or made anew, is the gateway's share",
    arguments: [
      ("gemini-live/history-2.5", ["began", "first 300 upstream 100", "completed 10/5"]),
      ("gemini-live/speak-first", ["began", "first 200 upstream 100", "completed 10/5"]),
      ("xai/manual-repeated", ["began", "first 1650 upstream 700", "completed 5/42"]),
      (
        "gemini-live/lost-before-the-answer",
        ["began", "first 100 upstream 100", "completed 10/5", "began", "first 400 upstream 100", "completed 10/5"]
      ),
    ])
  func gatewayShare(_ name: String, _ expected: [String]) throws {
    #expect(try Self.played(name + ".jsonl").measures.map(\.words) == expected)
  }

  @Test(
    "speech or a cancel into a speaking answer is measured to its last audio, and the answer is cancelled",
    arguments: [
      (
        "local/barge-in",
        [
          "began", "first 300 upstream 300", "silent 0", "cancelled 9/0", "began", "first 300 upstream 300",
          "completed 18/6",
        ]
      ),
      ("azure/voice-live-interrupted", ["began", "first 800 upstream 800", "silent 0", "cancelled 1/22", "began"]),
      ("xai/barge-in", ["began", "first 600 upstream 600", "silent 0", "cancelled 4/4"]),
      ("inworld/cancelled-and-late", ["began", "first 500 upstream 500", "silent 0", "cancelled 0/1"]),
      // Nothing had been said that could fall silent.
      ("gemini-live/cancel-before-output", ["began", "cancelled"]),
      ("vowel/interrupted", ["began", "cancelled 0/1"]),
    ])
  func interruptions(_ name: String, _ expected: [String]) throws {
    #expect(try Self.played(name + ".jsonl").measures.map(\.words) == expected)
  }

  @Test(
    "calls of functions are turns without audio, and the answer to their results is measured from the request for it",
    arguments: [
      (
        "xai/tool-round",
        ["began", "first 600 upstream 600", "completed 5/42", "began", "first 600 upstream 600", "completed 5/42"]
      ),
      (
        "gemini-live/parallel-calls-vertex",
        ["began", "completed", "began", "first 100 upstream 100", "completed 10/5"]
      ),
      // The client asks before it has given the last result.
      (
        "gemini-live/create-between-results",
        ["began", "completed", "began", "first 100 upstream 100", "completed 10/5"]
      ),
      ("gemini-live/text-output", ["began", "completed"]),
      ("local/text-turn", ["began", "incomplete 12/6"]),
    ])
  func withoutAudio(_ name: String, _ expected: [String]) throws {
    #expect(try Self.played(name + ".jsonl").measures.map(\.words) == expected)
  }

  @Test("responses beside the conversation are no turns", arguments: ["gemini-live/out-of-band", "local/out-of-band"])
  func beside(_ name: String) throws {
    let call = try Self.played(name + ".jsonl")
    let responses = call.history.count { $0["type"] == "response.done" }
    let turns = call.measures.count { if case .ended = $0 { true } else { false } }
    #expect(turns > 0 && turns < responses)
  }
}

extension TurnMeasure {
  /// The measure in a few words, times in milliseconds: `first 300 upstream 200`.
  var words: String {
    switch self {
    case .began: "began"
    case .firstAudio(let whole, let upstream):
      "first \(whole.wholeMilliseconds) upstream \(upstream.wholeMilliseconds)"
    case .silenced(let duration): "silent \(duration.wholeMilliseconds)"
    case .ended(let outcome, let id, let input, let output):
      "\(outcome)\(id == nil ? " unbegun" : "")" + (input.map { " \($0)/\(output ?? 0)" } ?? "")
    }
  }
}
