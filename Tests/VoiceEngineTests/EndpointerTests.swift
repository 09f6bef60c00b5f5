import Testing

@testable import VoiceEngine

/// Each line of a dialogue is a run of frames with the same probability, and the events they must cause.
struct EndpointerTests {
  /// Samples of a frame.
  static let frame = 512

  static func hear(_ frames: Int, _ probability: Float, by endpointer: inout Endpointer) -> [Endpointer.Event] {
    var events: [Endpointer.Event] = []
    for _ in 0..<frames {
      if let event = endpointer.hear(probability, sampleCount: frame) { events.append(event) }
    }
    return events
  }

  static func utterance(
    _ start: Int, _ speechEnd: Int, _ end: Int, peak: Float, wasCut: Bool = false
  ) -> Endpointer.Event {
    .stopped(
      Endpointer.Utterance(
        start: start * frame, speechEnd: speechEnd * frame, end: end * frame, peak: peak, wasCut: wasCut))
  }

  @Test("a turn begins at the first of three frames of speech and ends after 550 ms of silence")
  func turn() {
    var endpointer = Endpointer()
    #expect(Self.hear(10, 0.05, by: &endpointer) == [])
    #expect(Self.hear(2, 0.5, by: &endpointer) == [])
    #expect(!endpointer.isInTurn)
    #expect(Self.hear(1, 0.5, by: &endpointer) == [.started(at: 10 * Self.frame)])
    #expect(endpointer.isInTurn)
    #expect(Self.hear(20, 0.9, by: &endpointer) == [])
    // 17 frames are 544 ms, 18 are 576.
    #expect(Self.hear(17, 0.1, by: &endpointer) == [])
    #expect(Self.hear(1, 0.1, by: &endpointer) == [Self.utterance(10, 33, 51, peak: 0.9)])
    #expect(Self.hear(100, 0.1, by: &endpointer) == [])
  }

  @Test("two frames of a click begin no turn, however often they come")
  func clicks() {
    var endpointer = Endpointer()
    for _ in 0..<50 {
      #expect(Self.hear(2, 0.99, by: &endpointer) == [])
      #expect(Self.hear(1, 0.49, by: &endpointer) == [])
    }
    #expect(!endpointer.isInTurn)
  }

  @Test("a dip of one frame inside a word does not end the turn, and starts the silence anew")
  func dips() {
    var endpointer = Endpointer()
    #expect(Self.hear(3, 0.9, by: &endpointer).count == 1)
    for _ in 0..<10 {
      #expect(Self.hear(17, 0.01, by: &endpointer) == [])
      #expect(Self.hear(1, 0.6, by: &endpointer) == [])
    }
    #expect(Self.hear(18, 0.01, by: &endpointer) == [Self.utterance(0, 183, 201, peak: 0.9)])
  }

  @Test("values between the thresholds neither begin a turn nor end one")
  func hysteresis() {
    var endpointer = Endpointer()
    #expect(Self.hear(100, 0.49, by: &endpointer) == [])
    #expect(Self.hear(3, 0.5, by: &endpointer) == [.started(at: 100 * Self.frame)])
    #expect(Self.hear(100, 0.36, by: &endpointer) == [])
    #expect(endpointer.isInTurn)
    // They do not interrupt a silence that has begun either; the turn ends with a silent frame.
    #expect(Self.hear(1, 0.3, by: &endpointer) == [])
    #expect(Self.hear(30, 0.36, by: &endpointer) == [])
    #expect(Self.hear(1, 0.3, by: &endpointer) == [Self.utterance(100, 203, 235, peak: 0.5)])
  }

  @Test("while the assistant is heard, ten frames are needed to begin")
  func assistantHeard() {
    var endpointer = Endpointer()
    endpointer.isAssistantHeard = true
    #expect(Self.hear(9, 0.9, by: &endpointer) == [])
    #expect(Self.hear(1, 0.2, by: &endpointer) == [])
    #expect(Self.hear(9, 0.9, by: &endpointer) == [])
    #expect(Self.hear(1, 0.9, by: &endpointer) == [.started(at: 10 * Self.frame)])
  }

  @Test("a turn is cut at 25 s, and speech that goes on begins the next one exactly there")
  func cut() {
    var endpointer = Endpointer()
    // 25 s are 781.25 frames.
    #expect(Self.hear(781, 0.8, by: &endpointer) == [.started(at: 0)])
    #expect(Self.hear(1, 0.8, by: &endpointer) == [Self.utterance(0, 782, 782, peak: 0.8, wasCut: true)])
    #expect(!endpointer.isInTurn)
    #expect(Self.hear(3, 0.8, by: &endpointer) == [.started(at: 782 * Self.frame)])
    #expect(Self.hear(18, 0, by: &endpointer) == [Self.utterance(782, 785, 803, peak: 0.8)])
  }

  @Test("R251: settings that change in a turn hold from the next frame on")
  func change() {
    var endpointer = Endpointer()
    #expect(Self.hear(5, 0.6, by: &endpointer) == [.started(at: 0)])
    #expect(Self.hear(7, 0.3, by: &endpointer) == [])
    endpointer.settings.silence = 256
    #expect(Self.hear(1, 0.3, by: &endpointer) == [Self.utterance(0, 5, 13, peak: 0.6)])
    endpointer.settings.threshold = 0.7
    #expect(Self.hear(50, 0.6, by: &endpointer) == [])
    endpointer.settings.threshold = 0.6
    #expect(Self.hear(3, 0.6, by: &endpointer) == [.started(at: 63 * Self.frame)])
    endpointer.settings.longestTurn = 128
    #expect(Self.hear(1, 0.6, by: &endpointer) == [Self.utterance(63, 67, 67, peak: 0.6, wasCut: true)])
  }

  @Test("a turn that is abandoned ends without an event, and time goes on")
  func abandon() {
    var endpointer = Endpointer()
    #expect(Self.hear(4, 0.9, by: &endpointer).count == 1)
    endpointer.abandon()
    #expect(!endpointer.isInTurn)
    #expect(Self.hear(40, 0, by: &endpointer) == [])
    #expect(Self.hear(3, 0.9, by: &endpointer) == [.started(at: 44 * Self.frame)])
    // A beginning is forgotten too.
    endpointer.abandon()
    #expect(Self.hear(2, 0.9, by: &endpointer) == [])
    endpointer.abandon()
    #expect(Self.hear(2, 0.9, by: &endpointer) == [])
  }

  @Test("frames of 20 ms are counted in time, not in frames")
  func shortFrames() {
    var endpointer = Endpointer()
    var events: [Endpointer.Event] = []
    for index in 0..<100 {
      if let event = endpointer.hear(index < 50 ? 1 : 0, sampleCount: 320) { events.append(event) }
      // 96 ms are reached with the fifth frame.
      if index == 3 { #expect(events == []) }
      if index == 4 { #expect(events == [.started(at: 0)]) }
    }
    let utterance = Endpointer.Utterance(start: 0, speechEnd: 16_000, end: 24_960, peak: 1, wasCut: false)
    #expect(events == [.started(at: 0), .stopped(utterance)])
  }

  @Test("a turn can end whatever the threshold", arguments: [Float(0.02), 0.1, 0.2, 0.5, 0.95])
  func thresholds(threshold: Float) {
    var endpointer = Endpointer()
    endpointer.settings.threshold = threshold
    #expect(Self.hear(3, 0.96, by: &endpointer) == [.started(at: 0)])
    #expect(Self.hear(18, 0.009, by: &endpointer).count == 1)
  }

  @Test("what is no number is silence, and absurd settings overflow nothing")
  func absurd() {
    var endpointer = Endpointer()
    endpointer.settings.silence = .max
    endpointer.settings.longestTurn = .max
    #expect(Self.hear(5, .nan, by: &endpointer) == [])
    #expect(Self.hear(3, 0.9, by: &endpointer) == [.started(at: 5 * Self.frame)])
    #expect(Self.hear(1_000, .nan, by: &endpointer) == [])
    endpointer.settings.silence = 0
    #expect(Self.hear(1, 0, by: &endpointer) == [Self.utterance(5, 8, 1_009, peak: 0.9)])
  }

  @Test("a cough and a murmur are not worth transcribing")
  func plausible() {
    func utterance(_ milliseconds: Int, peak: Float) -> Endpointer.Utterance {
      Endpointer.Utterance(start: 0, speechEnd: milliseconds * 16, end: 99_999, peak: peak, wasCut: false)
    }
    #expect(!utterance(249, peak: 0.99).isPlausible)
    #expect(!utterance(2_000, peak: 0.59).isPlausible)
    #expect(utterance(250, peak: 0.6).isPlausible)
  }
}
