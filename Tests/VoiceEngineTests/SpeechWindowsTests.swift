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

  @Test("a long pause between two stretches of sound is cut in its middle; short ones and the ends are not")
  func pauses() {
    func sound(_ milliseconds: Int) -> [Int16] { (0..<(16 * milliseconds)).map { $0 % 2 == 0 ? 4_000 : -4_000 } }
    func quiet(_ milliseconds: Int) -> [Int16] { (0..<(16 * milliseconds)).map { $0 % 2 == 0 ? 40 : -40 } }
    let two = quiet(900) + sound(800) + quiet(500) + sound(400) + quiet(800) + sound(600) + quiet(900)
    let cut = 16 * (900 + 800 + 500 + 400 + 400)
    #expect(SpeechWindows.ranges(of: two) == [0..<cut, cut..<two.count])
    let click = sound(800) + quiet(800) + sound(100) + quiet(800)
    #expect(SpeechWindows.ranges(of: click) == [0..<click.count], "a click is no sentence")
    let noise = quiet(3_000)
    #expect(SpeechWindows.ranges(of: noise) == [0..<noise.count])
  }

  @Test("what a lost model repeats is said once; what people repeat stays")
  func loops() {
    #expect(SpeechText.words(of: String(repeating: " Count to 5.", count: 24)) == "Count to 5.")
    #expect(SpeechText.words(of: " Flip" + String(repeating: " a coin", count: 33)) == "Flip a coin")
    #expect(SpeechText.words(of: String(repeating: " no", count: 40)) == "no")
    for text in ["No, no, no.", "one two one two one two", "very very very very very good", "5 5 5 5"] {
      #expect(SpeechText.words(of: text) == text)
    }
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

  @Test("less than 200 ms and less than -66 dBFS are not worth transcribing")
  func worth() {
    #expect(!SpeechText.isWorthTranscribing([]))
    #expect(!SpeechText.isWorthTranscribing(Array(repeating: 9_000, count: 3_199)))
    #expect(!SpeechText.isWorthTranscribing(Array(repeating: -15, count: 16_000)))
    #expect(SpeechText.isWorthTranscribing(Array(repeating: -16, count: 3_200)))
    #expect(SpeechText.isWorthTranscribing(Array(repeating: .min, count: 3_200)))
  }
}
