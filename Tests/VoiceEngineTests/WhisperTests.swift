import Foundation
import Synchronization
import Testing

@testable import VoiceEngine

/// Whisper itself, on the model that setup installs.
@Suite(
  .serialized,
  .enabled(if: RecognitionParts.haveWhisper, "whisper or its model is not installed: run make setup"),
  .enabled(if: RecognitionParts.haveVoice, "espeak-ng is not installed: run make setup"))
struct WhisperTests {
  /// A turn that is complete.
  static func begin(
    _ samples: [Int16], by transcriber: WhisperTranscriber, options: TranscriptionOptions = .init(),
    partial: @escaping @Sendable (String) -> Void = { _ in }
  ) -> any Transcription {
    let transcription = transcriber.begin(options, partial: partial)
    transcription.append(samples)
    return transcription
  }

  static func text(of samples: [Int16], options: TranscriptionOptions = .init()) async throws -> String {
    try await begin(samples, by: RecognitionParts.transcriber.value, options: options).finish()
  }

  @Test("the transcriber says what it is")
  func description() async throws {
    let description = try await RecognitionParts.transcriber.value.description
    #expect(description.label == "whisper tiny.en (1.8.5)")
    #expect(description.stage == .stt)
    #expect(description.degradation == nil)
  }

  @Test("synthetic speech becomes its words")
  func words() async throws {
    let text = try await Self.text(of: RecognitionParts.speech("what is the weather in Paris")).lowercased()
    #expect(text.contains("weather") && text.contains("paris"))
    #expect(text.first?.isWhitespace == false)
  }

  @Test("a turn may come in pieces")
  func pieces() async throws {
    let transcription = try await RecognitionParts.transcriber.value.begin(.init()) { _ in }
    let samples = try RecognitionParts.speech("please repeat after me, good morning everybody")
    for start in stride(from: 0, to: samples.count, by: 777) {
      transcription.append(Array(samples[start..<min(start + 777, samples.count)]))
    }
    let text = try await transcription.finish().lowercased()
    #expect(text.contains("repeat after me") && text.contains("good morning"))
  }

  @Test("silence and noise are nothing", arguments: [0, 20, 300, 3_000])
  func nothing(amplitude: Int) async throws {
    let text = try await Self.text(of: RecognitionParts.noise(seconds: 3, amplitude: amplitude))
    #expect(text == "")
  }

  @Test("no samples at all, and very few, are nothing")
  func few() async throws {
    for count in [0, 1, 800, 1_600] {
      let text = try await Self.text(of: Array(RecognitionParts.noise(seconds: 1, amplitude: 3_000).prefix(count)))
      #expect(text == "", "\(count) samples")
    }
  }

  @Test("a turn of more than 25 s is transcribed in windows and tells what it understood so far")
  func long() async throws {
    let pause = RecognitionParts.silence(seconds: 8)
    let samples =
      try pause + RecognitionParts.speech("the first answer is apples") + pause + pause
      + RecognitionParts.speech("the second answer is bananas") + RecognitionParts.silence(seconds: 1)
    #expect(SpeechWindows.ranges(of: samples).count == 2)
    let partials = Mutex<[String]>([])
    let transcription = try await Self.begin(samples, by: RecognitionParts.transcriber.value) { text in
      partials.withLock { $0.append(text) }
    }
    let text = try await transcription.finish()
    #expect(text.lowercased().contains("apples") && text.lowercased().contains("bananas"))
    let partial = try #require(partials.withLock { $0.first })
    #expect(partials.withLock { $0.count } == 1)
    #expect(partial.lowercased().contains("apples") && text.hasPrefix(partial) && text != partial)
  }

  @Test("an English model refuses other languages by name and takes all kinds of English")
  func language() async throws {
    let samples = try RecognitionParts.speech("good morning")
    for language in ["en", "en-US", "EN_gb"] {
      let text = try await Self.text(of: samples, options: TranscriptionOptions(language: language))
      #expect(text.lowercased().contains("good morning"))
    }
    let fault = await #expect(throws: StageFault.self) {
      try await Self.text(of: samples, options: TranscriptionOptions(language: "de"))
    }
    #expect(fault?.code == "stt_refused")
    #expect(fault?.message.contains("tiny.en") == true && fault?.message.contains("“de”") == true)
  }

  @Test("a prompt is taken, however long and strange")
  func prompt() async throws {
    let samples = try RecognitionParts.speech("good morning")
    for prompt in ["", "Names: Parley, Hybrie.", "\u{0}\u{1F600}<|endoftext|>"] {
      let text = try await Self.text(of: samples, options: TranscriptionOptions(prompt: prompt))
      #expect(text.lowercased().contains("morning"), "\(prompt)")
    }
    // Nonsense makes nonsense of the words, but no fault.
    let nonsense = TranscriptionOptions(prompt: String(repeating: "a", count: 100_000))
    let text = try await Self.text(of: samples, options: nonsense)
    #expect(text.count < 2_000)
  }

  @Test("a turn whose end was anticipated is computed once, without the silence behind it")
  func anticipated() async throws {
    let transcriber = try await RecognitionParts.loaded()
    let turn = try Self.begin(RecognitionParts.speech("good morning everybody"), by: transcriber)
    turn.anticipateEnd()
    turn.anticipateEnd()
    turn.append(RecognitionParts.silence(seconds: 1))
    #expect(try await turn.finish().lowercased().contains("good morning"))
    #expect(transcriber.queue.windowsBegun == 1 && transcriber.queueLength == 0)
  }

  @Test("a turn that went on after its end was anticipated has all of its words")
  func wentOn() async throws {
    let transcriber = try await RecognitionParts.loaded()
    let turn = try Self.begin(RecognitionParts.speech("good morning"), by: transcriber)
    turn.anticipateEnd()
    turn.goOn()
    turn.append(RecognitionParts.silence(seconds: 0.3))
    turn.append(try RecognitionParts.speech("what is the weather in Paris"))
    let text = try await turn.finish().lowercased()
    #expect(text.contains("morning") && text.contains("paris"))
  }

  @Test("what is anticipated takes no place from turns that are over, and ends with its own")
  func givesWay() async throws {
    var settings = WhisperSettings()
    settings.capacity = 1
    let transcriber = try await RecognitionParts.loaded(settings)
    let samples = try RecognitionParts.speech("good morning everybody")
    let early = Self.begin(samples, by: transcriber)
    early.anticipateEnd()
    #expect(try await Self.begin(samples, by: transcriber).finish().lowercased().contains("morning"))
    #expect(try await early.finish().lowercased().contains("morning"), "given up for the other, and done anew")
    let dropped = Self.begin(samples, by: transcriber)
    dropped.anticipateEnd()
    dropped.cancel()
    await #expect(throws: CancellationError.self) { try await dropped.finish() }
    #expect(transcriber.queueLength == 0)
  }

  @Test("a second finish and a finish after cancel are cancelled")
  func twice() async throws {
    let transcriber = try await RecognitionParts.transcriber.value
    let once = try Self.begin(RecognitionParts.speech("good morning"), by: transcriber)
    _ = try await once.finish()
    once.cancel()
    await #expect(throws: CancellationError.self) { try await once.finish() }
    let cancelled = try Self.begin(RecognitionParts.speech("good morning"), by: transcriber)
    cancelled.cancel()
    await #expect(throws: CancellationError.self) { try await cancelled.finish() }
    #expect(transcriber.queueLength == 0)
  }

  @Test("abort ends the computation, and the recogniser works on", arguments: [false, true])
  func abort(byTask: Bool) async throws {
    let transcriber = try await RecognitionParts.transcriber.value
    let begun = transcriber.queue.windowsBegun
    let aborted = transcriber.queue.windowsAborted
    let transcription = Self.begin(RecognitionParts.noise(seconds: 25, amplitude: 3_000), by: transcriber)
    let task = Task { try await transcription.finish() }
    while transcriber.queue.windowsBegun == begun { await Task.yield() }
    if byTask { task.cancel() } else { transcription.cancel() }
    await #expect(throws: CancellationError.self) { try await task.value }
    while transcriber.queueLength > 0 { await Task.yield() }
    // The library itself said that it gave up.
    #expect(transcriber.queue.windowsAborted == aborted + 1)
    let text = try await Self.text(of: RecognitionParts.speech("good morning"))
    #expect(text.lowercased().contains("morning"))
  }

  @Test("a turn beyond capacity is refused, and a cancelled one that waits never runs")
  func capacity() async throws {
    var settings = WhisperSettings()
    settings.capacity = 2
    let transcriber = try await WhisperTranscriber.load(folder: RecognitionParts.folder, settings: settings)
    let samples = RecognitionParts.noise(seconds: 25, amplitude: 3_000)
    let first = Self.begin(samples, by: transcriber)
    let running = Task { try await first.finish() }
    while transcriber.queue.windowsBegun == 0 { await Task.yield() }
    let second = Self.begin(samples, by: transcriber)
    let waiting = Task { try await second.finish() }
    while transcriber.queueLength < 2 { await Task.yield() }

    let fault = await #expect(throws: StageFault.self) { try await Self.begin(samples, by: transcriber).finish() }
    #expect(fault?.code == "rate_limit_exceeded")
    #expect(fault?.stage == .stt)
    second.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    first.cancel()
    await #expect(throws: CancellationError.self) { try await running.value }
    let text = try await Self.begin(RecognitionParts.speech("good morning"), by: transcriber).finish()
    #expect(text.lowercased().contains("morning"))
    #expect(transcriber.queue.windowsBegun == 2)
    #expect(transcriber.queueLength == 0)
  }

  @Test("turns at the same time each get their own words")
  func concurrent() async throws {
    let transcriber = try await RecognitionParts.transcriber.value
    let sentences = [
      "what is the weather in Paris", "please tell me a story", "how much is seven plus five", "good morning everybody",
    ]
    let texts = try await withThrowingTaskGroup(of: (String, String).self) { group in
      for sentence in sentences {
        let turn = try Self.begin(RecognitionParts.speech(sentence), by: transcriber)
        group.addTask { (sentence, try await turn.finish().lowercased()) }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    for (sentence, word) in zip(sentences, ["weather", "story", "plus", "morning"]) {
      #expect(texts[sentence]?.contains(word) == true || texts[sentence]?.contains("7 + 5") == true)
    }
  }

  @Test("a missing library is stt_unavailable and a language that does not exist is refused at the start")
  func unavailable() async throws {
    let fault = await #expect(throws: StageFault.self) {
      try await WhisperTranscriber.load(folder: EngineFolder(root: "/nowhere"))
    }
    #expect(fault?.code == "stt_unavailable")
    #expect(fault?.message.contains("/nowhere/lib/libwhisper.so.1.8.5") == true)
    for language in ["de", "qq"] {
      var settings = WhisperSettings()
      settings.language = language
      let fault = await #expect(throws: StageFault.self) {
        try await WhisperTranscriber.load(folder: RecognitionParts.folder, settings: settings)
      }
      #expect(fault?.code == "stt_refused")
    }
  }
}
