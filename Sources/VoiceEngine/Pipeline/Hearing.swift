import Audio
import Envelope
import LocalVoiceProvider
import NIOCore

/// A turn that was heard.
struct HeardTurn {
  var name: String
  var transcription: (any Transcription)?
  /// 16 kHz; empty unless a model wants to hear it.
  var samples: [Int16]
  /// Whether there is enough speech in it to be worth a transcription: noise and silence come back as words otherwise.
  var isSpeech: Bool
  /// Found by the detector, and so announced.
  var isDetected = false
}

/// The ear of one session: the client's audio comes in, in its own format, and turns come out.
struct Hearing {
  enum Event {
    case started(turn: String, atMs: Int)
    case stopped(HeardTurn, atMs: Int, wasCut: Bool)
  }

  private static let leastPreRollMs = 300
  private static let perMs = Endpointer.samplesPerMillisecond
  private static let clearlySpeech: Float = 0.6
  private static let perhapsSpeech: Float = 0.3
  /// Who is silent for longer has probably finished.
  private static let pauseWithinSpeechMs = 200
  private static let samplesAtOnce = 32_000

  private let parts: EngineParts
  private var settings: HearingSettings
  private var decoder: InputDecoder
  private var detector: any VoiceActivityDetector
  private var endpointer = Endpointer()
  private var turnCount = 0

  /// What was heard lately, and the position of its first sample.
  private var recent: [Int16] = []
  private var recentStart = 0
  /// Up to here the detector has heard; never past the end of `recent`.
  private var judgedEnd = 0
  private var frame: [Float]

  private var isEndAnticipated = false
  /// The turn that is going on, and up to where it has its audio.
  private var turn: HeardTurn?
  private var turnEnd = 0
  /// No turn reaches back behind this.
  private var lastTurnEnd = 0

  init(_ settings: HearingSettings, parts: EngineParts) {
    self.parts = parts
    self.settings = settings
    decoder = InputDecoder(settings.format)
    detector = parts.makeDetector()
    frame = [Float](repeating: 0, count: detector.frameSampleCount)
    endpointer.settings.longestTurn = parts.longestTurnMs
    tune()
  }

  /// Whether turns are found rather than committed.
  var isDetecting: Bool { settings.detection == .automatic }

  /// What the turns that begin from here on are transcribed with.
  var options: TranscriptionOptions {
    TranscriptionOptions(language: settings.language, prompt: settings.prompt)
  }

  /// The turn that was announced and whose end was not, and the position now.
  var announced: (turn: String, atMs: Int)? {
    guard let turn, turn.isDetected else { return nil }
    return (turn.name, judgedEnd / Self.perMs)
  }

  mutating func apply(_ new: HearingSettings) {
    if new.format != settings.format { decoder = InputDecoder(new.format) }
    if new.detection != settings.detection {
      isEndAnticipated = false
      turn?.transcription?.goOn()
      // A turn that was being detected goes on until it is committed; one that nobody committed begins to be detected.
      if new.detection == .automatic {
        turn?.transcription?.cancel()
        turn = nil
        lastTurnEnd = judgedEnd
      } else {
        // The detector has found that it is speech, whatever is still to come.
        turn?.isSpeech = true
      }
      endpointer.abandon()
    }
    settings = new
    tune()
  }

  private mutating func tune() {
    endpointer.settings.threshold = Float(settings.threshold)
    endpointer.settings.silence = settings.silenceMs
  }

  /// Samples that a turn has from before its first sound: speech to text wants to hear a moment of it.
  private var preRoll: Int { max(settings.prefixPaddingMs, Self.leastPreRollMs) * Self.perMs }

  // MARK: Audio

  /// More of the client's audio, which `hear` then goes through.
  mutating func take(_ base64: ByteBuffer) {
    decoder.decode(base64, into: &recent)
  }

  /// Hears at most two seconds of what was taken, so that many minutes at once do not keep other sessions from being
  /// heard. Nil when all of it has been heard.
  mutating func hear(whileSpeaking isSpeaking: Bool) -> [Event]? {
    endpointer.isAssistantHeard = isSpeaking
    var events: [Event] = []
    let end = min(recentStart + recent.count, judgedEnd + Self.samplesAtOnce)
    guard judgedEnd + frame.count <= end else { return nil }
    while judgedEnd + frame.count <= end {
      let probability = judge()
      switch settings.detection {
      case .automatic: follow(probability, &events)
      case .manual: listen(probability)
      }
    }
    trim()
    return events
  }

  /// The probability of the next frame.
  private mutating func judge() -> Float {
    let offset = judgedEnd - recentStart
    let count = frame.count
    recent.withUnsafeBufferPointer { samples in
      frame.withUnsafeMutableBufferPointer { frame in
        for index in 0..<count { frame[index] = Float(samples[offset &+ index]) * (1 / 32_768) }
      }
    }
    judgedEnd += count
    return frame.withUnsafeBufferPointer { detector.probability(of: $0) }
  }

  private mutating func follow(_ probability: Float, _ events: inout [Event]) {
    let event = endpointer.hear(probability, sampleCount: frame.count)
    switch event {
    case .started(let start)?:
      turnCount += 1
      let name = "vad_\(turnCount)"
      open(name, from: start - preRoll)
      turn?.isDetected = true
      let told = max(lastTurnEnd, start - settings.prefixPaddingMs * Self.perMs)
      events.append(.started(turn: name, atMs: told / Self.perMs))
    case .stopped(let utterance)?:
      append(upTo: judgedEnd)
      if var turn {
        turn.isSpeech = utterance.isPlausible
        events.append(.stopped(turn, atMs: utterance.end / Self.perMs, wasCut: utterance.wasCut))
      }
      close()
    case nil:
      append(upTo: judgedEnd)
      anticipate()
    }
  }

  /// Most of the silence that ends a turn is spent on recognising it, in case it is the end.
  private mutating func anticipate() {
    let quiet = endpointer.quietMilliseconds ?? 0
    if quiet >= Self.pauseWithinSpeechMs, !isEndAnticipated, settings.silenceMs > Self.pauseWithinSpeechMs {
      isEndAnticipated = true
      turn?.transcription?.anticipateEnd()
    } else if quiet == 0, isEndAnticipated {
      isEndAnticipated = false
      turn?.transcription?.goOn()
    }
  }

  private mutating func listen(_ probability: Float) {
    _ = endpointer.hear(0, sampleCount: frame.count)
    // Nobody listens while a client is silent between two turns: a service for it would be paid for nothing.
    if turn == nil, probability >= Self.perhapsSpeech {
      turnCount += 1
      open("manual_\(turnCount)", from: judgedEnd - frame.count - preRoll)
    }
    if probability >= Self.clearlySpeech { turn?.isSpeech = true }
    append(upTo: judgedEnd)
  }

  // MARK: Turns

  private mutating func open(_ name: String, from start: Int) {
    turnEnd = max(start, lastTurnEnd, recentStart)
    turn = HeardTurn(
      name: name, transcription: parts.transcriber?.begin(options) { _ in }, samples: [], isSpeech: false)
    append(upTo: judgedEnd)
  }

  private mutating func append(upTo end: Int) {
    guard turn != nil, end > turnEnd else { return }
    let piece = Array(recent[(turnEnd - recentStart)..<(end - recentStart)])
    turn?.transcription?.append(piece)
    if parts.responder.takesSpeech { turn?.samples += piece }
    turnEnd = end
  }

  private mutating func close() {
    turn = nil
    isEndAnticipated = false
    lastTurnEnd = turnEnd
    endpointer.abandon()
  }

  /// The client ends the turn: all that was heard since the last one, or what is left of it.
  mutating func commit(as name: String) -> HeardTurn {
    let isDetected = settings.detection == .automatic && turn != nil
    append(upTo: recentStart + recent.count)
    turnEnd = recentStart + recent.count
    var committed = turn ?? HeardTurn(name: name, transcription: nil, samples: [], isSpeech: false)
    committed.name = name
    decoder.realign()
    if isDetected { committed.isSpeech = true }
    close()
    return committed
  }

  /// What came after a turn whose commit crossed its end.
  mutating func forgetLeftover() {
    lastTurnEnd = recentStart + recent.count
  }

  /// Forgets what was heard since the last turn, and gives the turn that was going on.
  mutating func clear() -> [HeardTurn] {
    let dropped = turn.map { [$0] } ?? []
    turnEnd = recentStart + recent.count
    close()
    decoder.realign()
    detector.reset()
    return dropped
  }

  /// Keeps what a turn may reach back for, and no more.
  private mutating func trim() {
    let needed =
      turn == nil ? judgedEnd - preRoll - endpointer.settings.speechToInterrupt * Self.perMs : turnEnd
    let excess = needed - recentStart
    // In blocks, because what is kept is moved.
    guard excess > 16_000 else { return }
    recent.removeFirst(excess)
    recentStart += excess
  }
}

/// The client's audio, as base64 in its format, to samples at 16 kHz.
struct InputDecoder {
  private let format: InputFormat
  private var resampler: Resampler
  private var bytes = ByteBuffer()
  private var samples: [Int16] = []
  /// The first half of a sample that was cut between two messages.
  private var halfSample: UInt8?

  private enum InputFormat {
    case pcm
    case g711(G711.Law)
  }

  init(_ format: AudioFormat) {
    self.format =
      switch format {
      case .pcm: .pcm
      case .pcmu: .g711(.muLaw)
      case .pcma: .g711(.aLaw)
      }
    resampler = Resampler(from: format.rate, to: 16_000)
  }

  /// What comes next begins with a whole sample.
  mutating func realign() { halfSample = nil }

  mutating func decode(_ base64: ByteBuffer, into output: inout [Int16]) {
    bytes.clear()
    if let halfSample { bytes.writeInteger(halfSample) }
    halfSample = nil
    // It was checked when it came, so it decodes.
    _ = base64.withUnsafeReadableBytes { Base64.decode($0, into: &bytes) }
    if case .pcm = format, !bytes.readableBytes.isMultiple(of: 2) {
      halfSample = bytes.getInteger(at: bytes.writerIndex - 1)
    }
    samples.removeAll(keepingCapacity: true)
    bytes.withUnsafeReadableBytes { raw in
      switch format {
      case .pcm: PCM16.decode(raw, into: &samples)
      case .g711(let law): G711.decode(raw, law, into: &samples)
      }
    }
    samples.withUnsafeBufferPointer { resampler.process($0, into: &output) }
  }
}
