import Testing

@testable import VoiceEngine

struct SpeechWindowsTests {
  @Test("25 s are one window, nothing is none")
  func one() {
    #expect(SpeechWindows.ranges(of: []) == [])
    #expect(SpeechWindows.ranges(of: [1]) == [0..<1])
    #expect(SpeechWindows.ranges(of: Array(repeating: 9, count: 400_000)) == [0..<400_000])
  }

  @Test("a longer turn is cut in the quietest 100 ms of the last 5 s of each window")
  func quietest() {
    var samples = [Int16](repeating: 1_000, count: 1_000_000)
    // The first is outside the 5 s, the third is less quiet.
    for start in [200_000, 350_000, 390_000] {
      for index in start..<(start + 1_600) { samples[index] = start == 390_000 ? 10 : 0 }
    }
    for index in 700_000..<701_600 { samples[index] = -1 }
    #expect(SpeechWindows.ranges(of: samples) == [0..<350_800, 350_800..<700_800, 700_800..<1_000_000])
  }

  @Test("windows cover everything, in order, none of them too long", arguments: [400_001, 1_234_567, 5_000_000])
  func cover(count: Int) {
    let samples = (0..<count).map { Int16(truncatingIfNeeded: ($0 &* 7_919) ^ ($0 >> 3)) }
    let ranges = SpeechWindows.ranges(of: samples)
    #expect(ranges.first?.lowerBound == 0)
    #expect(ranges.last?.upperBound == count)
    for (left, right) in zip(ranges, ranges.dropFirst()) { #expect(left.upperBound == right.lowerBound) }
    #expect(ranges.allSatisfy { !$0.isEmpty && $0.count <= SpeechWindows.longest })
  }

  @Test(
    "what Whisper writes for silence and noise is nothing",
    arguments: [
      "", "  ", "[BLANK_AUDIO]", " [BLANK_AUDIO] ", "(wind blowing)", " [Music] (applause).", "*sighs*", "♪♪", "You",
      " you.", "you!", "...", "( never closed",
    ])
  func blank(transcript: String) {
    #expect(SpeechText.words(of: transcript) == "")
  }

  @Test("words are kept, without the space before them")
  func words() {
    #expect(SpeechText.words(of: " What is it?\n") == "What is it?")
    #expect(SpeechText.words(of: " You are right.") == "You are right.")
    #expect(SpeechText.words(of: " (laughs) Yes.") == "(laughs) Yes.")
    #expect(SpeechText.words(of: " 5.") == "5.")
  }

  @Test("less than 100 ms and less than -66 dBFS are not worth transcribing")
  func worth() {
    #expect(!SpeechText.isWorthTranscribing([]))
    #expect(!SpeechText.isWorthTranscribing(Array(repeating: 9_000, count: 1_599)))
    #expect(!SpeechText.isWorthTranscribing(Array(repeating: -15, count: 16_000)))
    #expect(SpeechText.isWorthTranscribing(Array(repeating: -16, count: 1_600)))
    #expect(SpeechText.isWorthTranscribing(Array(repeating: .min, count: 1_600)))
  }
}
