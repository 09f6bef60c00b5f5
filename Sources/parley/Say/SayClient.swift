import Audio
import Envelope
import NIOCore
import VoiceEngine

/// One question over one WebSocket, in real time, as a microphone would send it.
actor SayClient {
  struct Settings {
    var instructions: String?
    var voice: String?
    /// Without anything from the server.
    var patience = Duration.seconds(30)
  }

  private static let chunkMs = 20
  /// For a transcript that comes after its answer.
  private static let transcriptGrace = Duration.seconds(3)
  /// For the last words of a question with pauses to be noticed.
  private static let pauseGrace = Duration.milliseconds(1_500)

  private let socket: any Socket
  private let question: Question
  private let settings: Settings
  private let show: @Sendable (String) -> Void
  private let clock = ContinuousClock()
  private let opening: ContinuousClock.Instant
  private var exchange: Exchange
  private var questionEnd = Duration.zero
  /// When the server, or the question, last went on.
  private var lastProgress: ContinuousClock.Instant

  /// - Parameter show: takes the line of an event.
  init(socket: any Socket, question: Question, settings: Settings, show: @escaping @Sendable (String) -> Void) {
    self.socket = socket
    self.question = question
    self.settings = settings
    self.show = show
    opening = clock.now
    lastProgress = opening
    if case .speech = question { exchange = Exchange(isSpoken: true) } else { exchange = Exchange(isSpoken: false) }
  }

  /// Asks, and returns when the answer is complete.
  func run() async throws(SayFault) -> LatencyTable {
    defer { socket.close() }
    do {
      try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask { try await self.listen() }
        group.addTask { try await self.ask() }
        group.addTask { try await self.watch() }
        while let isOver = try await group.next(), !isOver {}
        group.cancelAll()
      }
    } catch let fault as SayFault {
      throw fault
    } catch {
      throw SayFault("\(error)")
    }
    return LatencyTable(exchange: exchange, questionEnd: questionEnd)
  }

  private var sinceOpening: Duration { opening.duration(to: clock.now) }

  // MARK: The server's side

  private func listen() async throws -> Bool {
    do {
      for try await message in socket.messages {
        guard case .text(let text) = message else { continue }
        take(text)
      }
      throw SayFault("the server closed the connection before the answer was complete")
    } catch let closed as SocketClosed {
      let reason = closed.reason.isEmpty ? "" : ": \(closed.reason)"
      throw SayFault("the server closed the connection (\(closed.code))\(reason)")
    }
  }

  private func take(_ text: String) {
    guard let event = try? JSONValue(parsing: text) else {
      show("(a message that is not JSON)")
      return
    }
    let time = sinceOpening
    lastProgress = clock.now
    exchange.take(event, at: time)
    if let line = EventLine.text(of: event, at: time, in: exchange) { show(line) }
  }

  /// Looks after what no event tells: that it is over, and that nothing happens.
  private func watch() async throws -> Bool {
    while true {
      if let failure = exchange.failure { throw SayFault(failure) }
      if exchange.isAnswered {
        let isLate = lastProgress.duration(to: clock.now) > Self.transcriptGrace
        if !exchange.isTranscriptDue || isLate { return true }
      }
      if lastProgress.duration(to: clock.now) > settings.patience { throw SayFault(silence) }
      try await clock.sleep(for: .milliseconds(10))
    }
  }

  /// What the server did not do.
  private var silence: String {
    let what =
      if !exchange.isConfigured {
        "the server did not begin the session"
      } else if exchange.isSpoken, exchange.moments[.speechStopped] == nil, exchange.moments[.responseCreated] == nil {
        "the server heard no speech that ended"
      } else if exchange.moments[.responseCreated] == nil {
        "no answer began"
      } else {
        "the answer did not go on"
      }
    return "\(what) within \(Milliseconds.text(settings.patience)) ms"
  }

  // MARK: Our side

  private func ask() async throws -> Bool {
    try await wait { $0.isCreated }
    socket.send(text: update.text)
    try await wait { $0.isConfigured }
    switch question {
    case .text(let words):
      let item: JSONValue = [
        "type": "message", "role": "user", "content": [["type": "input_text", "text": .string(words)]],
      ]
      send(["type": "conversation.item.create", "item": item])
      send(["type": "response.create"])
      questionEnd = sinceOpening
      exchange.isQuestionSent = true
    case .speech(let samples):
      try await speak(samples)
    }
    return false
  }

  private func wait(until isSo: (Exchange) -> Bool) async throws {
    while !isSo(exchange) { try await clock.sleep(for: .milliseconds(2)) }
  }

  private func speak(_ samples: [Int16]) async throws {
    let count = Question.rate * Self.chunkMs / 1_000
    let begin = clock.now
    var sent = 0
    questionEnd = sinceOpening + Question.soundEnd(of: samples)
    for start in stride(from: 0, to: samples.count, by: count) {
      sent += 1
      try await clock.sleep(until: begin + .milliseconds(sent * Self.chunkMs))
      let chunk = samples[start..<min(start + count, samples.count)]
      append(chunk + repeatElement(0, count: count - chunk.count))
      lastProgress = clock.now
    }
    guard exchange.hasTurnDetection else {
      send(["type": "input_audio_buffer.commit"])
      send(["type": "response.create"])
      exchange.isQuestionSent = true
      return
    }
    let silence = ArraySlice(repeatElement(Int16(0), count: count))
    let (end, signs) = (clock.now, exchange.turnSignCount)
    // A pause in the question may have ended a turn before; then nothing may follow but silence.
    while exchange.turnSignCount == signs,
      signs == 0 || exchange.isSpeaking || end.duration(to: clock.now) < Self.pauseGrace
    {
      sent += 1
      try await clock.sleep(until: begin + .milliseconds(sent * Self.chunkMs))
      append(silence)
    }
    exchange.isQuestionSent = true
  }

  private func append(_ samples: ArraySlice<Int16>) {
    var bytes = ByteBuffer()
    samples.withUnsafeBufferPointer { PCM16.encode($0, into: &bytes) }
    var audio = ByteBuffer()
    bytes.withUnsafeReadableBytes { Base64.encode($0, into: &audio) }
    send(["type": "input_audio_buffer.append", "audio": .string(String(buffer: audio))])
  }

  private func send(_ event: JSONValue) {
    socket.send(text: event.text)
  }

  /// The session as the question needs it. What the server has settled already stays.
  private var update: JSONValue {
    let format: JSONValue = ["type": "audio/pcm", "rate": .number(JSONNumber(Question.rate))]
    var input: JSONObject = ["format": format]
    if exchange.isSpoken, !exchange.isTranscribing { input["transcription"] = ["model": "gpt-4o-mini-transcribe"] }
    var output: JSONObject = ["format": format]
    if let voice = settings.voice { output["voice"] = .string(voice) }
    var session: JSONObject = [
      "type": "realtime", "audio": ["input": .object(input), "output": .object(output)],
    ]
    if let instructions = settings.instructions { session["instructions"] = .string(instructions) }
    return ["type": "session.update", "session": .object(session)]
  }
}
