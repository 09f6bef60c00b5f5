import Audio
import Foundation
import Logging
import Testing
import Translation

@testable import VoiceEngine

/// The detector of turns for sessions of other providers, on Silero as setup installs it, on the energy detector, and on
/// one whose probabilities the test chooses.
@Suite("Turns for other providers")
struct SpeechTurnDetectorTests {
  enum Ear: String, CaseIterable {
    case silero, energy

    func detector() throws -> SpeechTurnDetector {
      switch self {
      case .silero: SpeechTurnDetector(try SileroFactory(folder: RecognitionParts.folder).detector())
      case .energy: SpeechTurnDetector(EnergyDetector())
      }
    }
  }

  /// espeak-ng speaks for two seconds, in a room with a little noise.
  struct Scene {
    static let beforeMs = 1_000
    static let afterMs = 1_500

    let rate: Int
    let samples: [Int16]
    /// Where the voice begins and ends.
    let speech: Range<Int>

    init(rate: Int) throws {
      let fixtures = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
      let file = fixtures.appendingPathComponent("Fixtures/speech-mulaw.wav")
      let (original, originalRate) = try WAV.samples(of: [UInt8](try Data(contentsOf: file)))
      let voice = Resampler.convert(original, from: originalRate, to: rate)
      self.rate = rate
      samples = Self.room(ms: Self.beforeMs, rate) + voice + Self.room(ms: Self.afterMs, rate)
      // In steps of 10 ms: what has a fiftieth of the loudest step's energy, 17 dB below it, is heard.
      let step = rate / 100
      let energies = stride(from: 0, through: voice.count - step, by: step).map { start in
        voice[start..<start + step].reduce(0) { $0 + Int($1) * Int($1) }
      }
      let heard = energies.indices.filter { energies[$0] * 50 > energies.max() ?? 0 }
      speech =
        Self.beforeMs + (heard.first ?? 0) * 10..<Self.beforeMs + ((heard.last ?? 0) + 1) * 10
    }

    static func room(ms: Int, _ rate: Int) -> [Int16] {
      Array(RecognitionParts.noise(seconds: Double(ms * rate) / 16_000_000, amplitude: 20).prefix(ms * rate / 1_000))
    }
  }

  /// All events of a sound that comes in pieces of the given lengths, over and over.
  private func events(
    _ samples: [Int16], rate: Int, by detector: inout SpeechTurnDetector, pieces: [Int] = [480]
  ) -> [TurnEvent] {
    var events: [TurnEvent] = []
    var start = 0
    var index = 0
    samples.withUnsafeBufferPointer { samples in
      while start < samples.count {
        let end = min(samples.count, start + pieces[index % pieces.count])
        events += detector.hear(UnsafeBufferPointer(rebasing: samples[start..<end]), rate: rate)
        start = end
        index += 1
      }
    }
    return events
  }

  /// Sound that `LoudnessDetector` gives this probability.
  private func sound(frames: Int, _ probability: Double) -> [Int16] {
    [Int16](repeating: Int16(probability * 8_192), count: frames * 512)
  }

  /// One turn, from where to where.
  private func bounds(of events: [TurnEvent]) -> Range<Int>? {
    guard events.count == 2, case .started(let start) = events[0], case .stopped(let end) = events[1] else {
      return nil
    }
    return start..<end
  }

  // MARK: Real detectors

  @Test(
    "speech is one turn, from its begin to the end of the silence after it", arguments: Ear.allCases,
    [8_000, 16_000, 24_000, 48_000])
  func speech(ear: Ear, rate: Int) throws {
    let scene = try Scene(rate: rate)
    #expect(scene.speech.count > 1_500)
    var detector = try ear.detector()
    let found = events(scene.samples, rate: rate, by: &detector)
    let turn = try #require(bounds(of: found), "\(found)")
    #expect(abs(turn.lowerBound - scene.speech.lowerBound) <= 150, "\(turn), not \(scene.speech)")
    #expect(
      abs(turn.upperBound - detector.settings.silenceMs - scene.speech.upperBound) <= 150,
      "\(turn), not \(scene.speech)")
  }

  @Test("silence and noise are no turn", arguments: Ear.allCases, [0, 3, 100, 3_000])
  func noise(ear: Ear, amplitude: Int) throws {
    for rate in [8_000, 16_000, 24_000] {
      var detector = try ear.detector()
      let noise = RecognitionParts.noise(seconds: 10 * Double(rate) / 16_000, amplitude: amplitude)
      #expect(events(noise, rate: rate, by: &detector) == [])
    }
  }

  @Test("how the audio is cut changes nothing", arguments: Ear.allCases, [8_000, 16_000, 24_000, 44_100, 48_000])
  func pieces(ear: Ear, rate: Int) throws {
    let scene = try Scene(rate: rate)
    let samples = scene.samples + scene.samples
    var whole = try ear.detector()
    let expected = events(samples, rate: rate, by: &whole, pieces: [samples.count])
    #expect(expected.count == 4)
    for pieces in [[1], [1_023, 1, 1_025, 7], [rate / 50], [rate], [3, 511, 513, 20_000]] {
      var detector = try ear.detector()
      #expect(events(samples, rate: rate, by: &detector, pieces: pieces) == expected, "\(pieces)")
    }
  }

  @Test("a copy goes on by itself", arguments: Ear.allCases)
  func copies(ear: Ear) throws {
    let scene = try Scene(rate: 24_000)
    var alone = try ear.detector()
    let expected = events(scene.samples, rate: 24_000, by: &alone)
    #expect(expected.count == 2)
    // In the midst of the first word, and of a frame.
    let cut = (scene.speech.lowerBound + 250) * 24 + 5
    var detector = try ear.detector()
    let first = events(Array(scene.samples[..<cut]), rate: 24_000, by: &detector)
    var copy = detector
    var other = detector
    #expect(events(Scene.room(ms: 3_000, 24_000), rate: 24_000, by: &other).count == 1)
    other.settings.threshold = 1
    other.isAssistantHeard = true
    other.forgetTurn()
    #expect(first + events(Array(scene.samples[cut...]), rate: 24_000, by: &detector) == expected)
    #expect(first + events(Array(scene.samples[cut...]), rate: 24_000, by: &copy) == expected)
    #expect(!detector.isAssistantHeard)
    #expect(detector.settings.threshold == 0.5)
  }

  @Test("a change of the rate keeps the time", arguments: Ear.allCases)
  func rates(ear: Ear) throws {
    let scene = try Scene(rate: 16_000)
    var plain = try ear.detector()
    let expected = try #require(bounds(of: events(scene.samples, rate: 16_000, by: &plain)))
    var detector = try ear.detector()
    // 60 s of the room in pieces of 333 ms, none of which is a whole number of samples at 16 kHz.
    let rates = [8_000, 24_000, 48_000, 44_100, 16_000, 22_050]
    var lapsed = 0.0
    for index in 0..<180 {
      let rate = rates[index % rates.count]
      let room = Array(Scene.room(ms: 1_000, rate).prefix(rate / 3))
      #expect(events(room, rate: rate, by: &detector) == [])
      lapsed += Double(room.count) / Double(rate) * 1_000
    }
    let found = try #require(bounds(of: events(scene.samples, rate: 16_000, by: &detector)))
    // A frame stands elsewhere, and each change may move the time by half a sample.
    let allowed = 40.0
    #expect(abs(Double(found.lowerBound) - lapsed - Double(expected.lowerBound)) <= allowed, "\(found), \(expected)")
    #expect(abs(Double(found.upperBound) - lapsed - Double(expected.upperBound)) <= allowed, "\(found), \(expected)")
  }

  // MARK: Settings

  @Test("R251: the threshold holds from the next frame on")
  func threshold() {
    var detector = SpeechTurnDetector(LoudnessDetector())
    detector.settings.threshold = 0.8
    #expect(detector.settings.silenceMs == 500)
    #expect(events(sound(frames: 10, 0.7), rate: 16_000, by: &detector) == [])
    // Half a frame that came before the change is judged after it.
    #expect(events(Array(sound(frames: 1, 0.7)[..<256]), rate: 16_000, by: &detector) == [])
    detector.settings.threshold = 0.6
    let next = Array(sound(frames: 3, 0.7)[256...])
    #expect(events(next, rate: 16_000, by: &detector) == [.started(atMs: 320)])
    // Below 0.6, but not clearly; clearly below 0.9.
    #expect(events(sound(frames: 30, 0.5), rate: 16_000, by: &detector) == [])
    detector.settings.threshold = 0.9
    #expect(events(sound(frames: 30, 0.5), rate: 16_000, by: &detector) == [.stopped(atMs: 43 * 32 + 16 * 32)])
  }

  @Test("R251: the silence that ends a turn holds from the next frame on")
  func silence() {
    var detector = SpeechTurnDetector(
      LoudnessDetector(), settings: TurnDetectorSettings(threshold: 0.5, silenceMs: 2_000))
    let speech = sound(frames: 10, 1)
    #expect(events(speech + sound(frames: 20, 0), rate: 16_000, by: &detector) == [.started(atMs: 0)])
    detector.settings.silenceMs = 320
    // 640 ms of silence have been heard.
    #expect(events(sound(frames: 1, 0), rate: 16_000, by: &detector) == [.stopped(atMs: 31 * 32)])
    #expect(events(speech + sound(frames: 9, 0), rate: 16_000, by: &detector) == [.started(atMs: 31 * 32)])
    #expect(events(sound(frames: 1, 0), rate: 16_000, by: &detector) == [.stopped(atMs: 51 * 32)])
    detector.settings.silenceMs = 3_200
    #expect(events(speech + sound(frames: 99, 0), rate: 16_000, by: &detector).count == 1)
    #expect(events(sound(frames: 1, 0), rate: 16_000, by: &detector) == [.stopped(atMs: 161 * 32)])
  }

  @Test("while the assistant is heard, speech must last longer")
  func echo() {
    var detector = SpeechTurnDetector(LoudnessDetector())
    detector.isAssistantHeard = true
    #expect(events(sound(frames: 9, 1) + sound(frames: 1, 0), rate: 16_000, by: &detector) == [])
    #expect(events(sound(frames: 10, 1), rate: 16_000, by: &detector) == [.started(atMs: 320)])
    detector.forgetTurn()
    detector.isAssistantHeard = false
    #expect(events(sound(frames: 3, 1), rate: 16_000, by: &detector) == [.started(atMs: 640)])
  }

  @Test("what is forgotten has no event, and time goes on")
  func forgetting() {
    var detector = SpeechTurnDetector(LoudnessDetector())
    #expect(events(sound(frames: 10, 1), rate: 16_000, by: &detector) == [.started(atMs: 0)])
    detector.forgetTurn()
    #expect(events(sound(frames: 40, 0), rate: 16_000, by: &detector) == [])
    // A beginning.
    #expect(events(sound(frames: 2, 1), rate: 16_000, by: &detector) == [])
    detector.forgetTurn()
    #expect(events(sound(frames: 2, 1), rate: 16_000, by: &detector) == [])
    #expect(events(sound(frames: 1, 1), rate: 16_000, by: &detector) == [.started(atMs: 52 * 32)])
    #expect(events(sound(frames: 40, 0), rate: 16_000, by: &detector) == [.stopped(atMs: 71 * 32)])
  }

  @Test("no turn is cut for its length, and a long piece leaves no more behind than a short one")
  func length() throws {
    var detector = SpeechTurnDetector(LoudnessDetector())
    let minute = [Int16](repeating: 8_000, count: 60 * 48_000)
    #expect(events(minute, rate: 48_000, by: &detector, pieces: [minute.count]) == [.started(atMs: 0)])
    let pending = try #require(Mirror(reflecting: detector).descendant("pending") as? [Int16])
    #expect(pending.count < 512)
    #expect(pending.capacity < 4_096)
  }

  @Test("nothing at another rate changes nothing; a rate out of bounds counts as the nearest")
  func oddInput() {
    var detector = SpeechTurnDetector(LoudnessDetector())
    let loud = [Int16](repeating: 8_000, count: 24_000)
    var found = events(loud, rate: 24_000, by: &detector)
    for rate in [Int.min, 0, 8_000, .max] {
      found += detector.hear(UnsafeBufferPointer(start: nil, count: 0), rate: rate)
    }
    found += events([Int16](repeating: 0, count: 24_000), rate: 24_000, by: &detector)
    #expect(bounds(of: found)?.lowerBound == 0)
    for (rate, counted) in [(Int.min, 8_000), (0, 8_000), (96_000, 48_000), (.max, 48_000)] {
      var detector = SpeechTurnDetector(LoudnessDetector())
      var other = detector
      let sound = loud + [Int16](repeating: 0, count: 48_000)
      let found = events(sound, rate: rate, by: &detector)
      #expect(found == events(sound, rate: counted, by: &other))
      #expect(found.count == 2)
    }
  }

  // MARK: The engine

  @Test("an engine makes detectors of its own kind, which share no memory")
  func engine() throws {
    let scene = try Scene(rate: 24_000)
    let factory = try SileroFactory(folder: RecognitionParts.folder)
    var parts = EngineParts.scripted()
    parts.makeDetector = { factory.detector() }
    let make = VoiceEngine(parts: parts, model: "m", turnDetection: nil).makeTurnDetector
    var expected = try Ear.silero.detector()
    let turn = events(scene.samples, rate: 24_000, by: &expected)
    for _ in 0..<2 {
      var detector = make()
      #expect(scene.samples.withUnsafeBufferPointer { detector.hear($0, rate: 24_000) } == turn)
    }
  }

  @Test("a server without a local provider has the installed detector, or the one that needs no model")
  func withoutEngine() throws {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let configuration = try RuntimeConfiguration(layers: [], environment: [:])
    func engine(_ folder: EngineFolder) -> VoiceEngine {
      VoiceEngine.detecting(configuration, folder: folder, logger: logger)
    }
    let installed = engine(RecognitionParts.folder)
    #expect(installed.parts.vad.implementation == "silero")
    #expect(!installed.isPresent)
    let scene = try Scene(rate: 24_000)
    for engine in [installed, engine(EngineFolder(root: "/nowhere")), .absent] {
      var detector = engine.makeTurnDetector()
      #expect(scene.samples.withUnsafeBufferPointer { detector.hear($0, rate: 24_000) }.count == 2)
    }
    #expect(engine(EngineFolder(root: "/nowhere")).parts.vad.implementation == "energy")
  }
}
