import Envelope
import Synchronization
import Testing
import Translation

@testable import VoiceEngine

/// A socket whose other end is a test.
final class ScriptedSocket: Socket {
  /// What the engine did.
  enum Act: Sendable, Equatable {
    case text(String)
    case binary([UInt8])
    case close
  }

  let messages: AsyncThrowingStream<SocketMessage, any Error>
  private let sender: AsyncThrowingStream<SocketMessage, any Error>.Continuation
  private let acts: AsyncStream<Act>
  private let recorder: AsyncStream<Act>.Continuation

  init() {
    (messages, sender) = AsyncThrowingStream.makeStream()
    (acts, recorder) = AsyncStream.makeStream()
  }

  func send(text: String) { recorder.yield(.text(text)) }
  func send(binary: [UInt8]) { recorder.yield(.binary(binary)) }
  func close() { recorder.yield(.close) }

  /// Says something to the engine.
  func say(_ text: String) { sender.yield(.text(text)) }
  func end(_ error: (any Error)? = nil) { sender.finish(throwing: error) }

  /// Waits for the next thing that the engine does.
  func next() async -> Act? {
    var iterator = acts.makeAsyncIterator()
    return await iterator.next()
  }

  /// Everything up to the close.
  func rest() async -> [Act] {
    var rest: [Act] = []
    while let act = await next(), act != .close { rest.append(act) }
    return rest
  }
}

/// Opens one socket when the test says so.
final class ScriptedDialer: SocketDialer {
  struct Call: Sendable {
    var url: String
    var headers: [String: String]
  }

  let socket = ScriptedSocket()
  private let calls: AsyncStream<Call>
  private let caller: AsyncStream<Call>.Continuation
  private let opens: AsyncThrowingStream<Void, any Error>
  private let opener: AsyncThrowingStream<Void, any Error>.Continuation

  init() {
    (calls, caller) = AsyncStream.makeStream()
    (opens, opener) = AsyncThrowingStream.makeStream()
  }

  func open(_ url: String, headers: [(String, Redacted<String>)]) async throws -> any Socket {
    caller.yield(
      Call(url: url, headers: Dictionary(uniqueKeysWithValues: headers.map { ($0.0, $0.1.reveal()) })))
    for try await _ in opens { return socket }
    throw CancellationError()
  }

  func accept() { opener.yield() }
  func refuse(_ error: any Error) { opener.finish(throwing: error) }

  func call() async -> Call? {
    for await call in calls { return call }
    return nil
  }
}

@Suite("Deepgram's live transcription", .timeLimit(.minutes(2))) struct RemoteDeepgramTests {
  static let finalize = #"{"type":"Finalize"}"#
  static let closeStream = #"{"type":"CloseStream"}"#
  static let keepAlive = #"{"type":"KeepAlive"}"#
  static let key = Redacted("dg-secret-0123456789")

  static func results(_ text: String, isFinal: Bool = false, fromFinalize: Bool = false) -> String {
    #"{"type":"Results","channel_index":[0,1],"is_final":\#(isFinal),"speech_final":false,"#
      + #""from_finalize":\#(fromFinalize),"channel":{"alternatives":[{"transcript":"\#(text)","confidence":0.9}]}}"#
  }

  /// A turn whose clocks never run out unless a test changes them.
  static func timing(_ change: (inout DeepgramTranscriber.Timing) -> Void = { _ in }) -> DeepgramTranscriber.Timing {
    var timing = DeepgramTranscriber.Timing()
    timing.open = .seconds(600)
    timing.keepAlive = .seconds(600)
    timing.patience = .seconds(600)
    timing.final = .seconds(600)
    change(&timing)
    return timing
  }

  static func transcriber(
    _ dialer: ScriptedDialer, _ timing: DeepgramTranscriber.Timing = timing(), language: String = "en-US"
  ) -> DeepgramTranscriber {
    var settings = DeepgramTranscriber.Settings(key: key)
    settings.language = language
    return DeepgramTranscriber(dialer: dialer, settings: settings, timing: timing)
  }

  @Test("R124: the address, its query, and the key")
  func address() async throws {
    let dialer = ScriptedDialer()
    let turn = Self.transcriber(dialer).begin(.init()) { _ in }
    let call = try #require(await dialer.call())
    let query =
      "model=nova-3&language=en-US&encoding=linear16&sample_rate=16000&channels=1&interim_results=true"
      + "&endpointing=false&smart_format=true&punctuate=true"
    #expect(call.url == "wss://api.deepgram.com/v1/listen?" + query)
    #expect(call.headers == ["Authorization": "Token dg-secret-0123456789"])
    turn.cancel()
  }

  @Test("languages, key terms, and other hosts")
  func options() {
    let transcriber = Self.transcriber(ScriptedDialer())
    #expect(transcriber.url(.init(language: "en")).contains("&language=en-US&"))
    #expect(transcriber.url(.init(language: "de")).contains("&language=de&"))
    #expect(
      transcriber.url(.init(prompt: "Parley, Köln & co")).hasSuffix("&keyterm=Parley&keyterm=K%C3%B6ln%20%26%20co"))
    var settings = DeepgramTranscriber.Settings(key: Self.key)
    settings.baseURL = "http://localhost:9"
    settings.model = "nova-2"
    let other = DeepgramTranscriber(dialer: ScriptedDialer(), settings: settings)
    #expect(other.url(.init(prompt: "x")).hasPrefix("ws://localhost:9/v1/listen?model=nova-2&"))
    #expect(!other.url(.init(prompt: "x")).contains("keyterm"))
  }

  @Test("a whole turn: audio waits for the socket, results come together, Finalize, then CloseStream")
  func turn() async throws {
    let dialer = ScriptedDialer()
    let partials = Mutex<[String]>([])
    let turn = Self.transcriber(dialer).begin(.init()) { text in partials.withLock { $0.append(text) } }
    turn.append([1, -2])
    turn.append([])
    turn.append([256])
    let call = await dialer.call()
    #expect(call != nil)
    dialer.accept()
    let socket = dialer.socket
    #expect(await socket.next() == .binary([1, 0, 0xFE, 0xFF]))
    #expect(await socket.next() == .binary([0, 1]))
    socket.say(Self.results("what"))
    socket.say(Self.results("what time"))
    socket.say(Self.results("What time is it", isFinal: true))
    socket.say(#"{"type":"UtteranceEnd","last_word_end":-1}"#)
    socket.say(Self.results("in"))
    async let text = turn.finish()
    #expect(await socket.next() == .text(Self.finalize))
    socket.say(Self.results("in Paris?", isFinal: true, fromFinalize: true))
    #expect(await socket.next() == .text(Self.closeStream))
    #expect(await socket.next() == .close)
    #expect(try await text == "What time is it in Paris?")
    #expect(partials.withLock(\.self) == ["what", "what time", "What time is it", "What time is it in"])
  }

  @Test("long audio goes in frames of at most 250 ms, none of them empty")
  func frames() async throws {
    let dialer = ScriptedDialer()
    let turn = Self.transcriber(dialer).begin(.init()) { _ in }
    dialer.accept()
    let samples = (0..<10_000).map { Int16($0) }
    turn.append(samples)
    var bytes: [UInt8] = []
    var sizes: [Int] = []
    while bytes.count < 20_000, case .binary(let frame)? = await dialer.socket.next() {
      sizes.append(frame.count)
      bytes += frame
    }
    #expect(sizes == [8_000, 8_000, 4_000])
    #expect(bytes == samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] })
    turn.cancel()
    #expect(await dialer.socket.rest() == [])
  }

  @Test("a service with nothing left to say is closed, and what it said before is the text")
  func nothingLeft() async throws {
    let dialer = ScriptedDialer()
    let turn = Self.transcriber(dialer, Self.timing { $0.patience = .zero }).begin(.init()) { _ in }
    turn.append([1])
    dialer.accept()
    #expect(await dialer.socket.next() == .binary([1, 0]))
    dialer.socket.say(Self.results("Yes.", isFinal: true))
    async let text = turn.finish()
    #expect(await dialer.socket.next() == .text(Self.finalize))
    #expect(await dialer.socket.next() == .text(Self.closeStream))
    dialer.socket.say(#"{"type":"Metadata","request_id":"x"}"#)
    #expect(try await text == "Yes.")
  }

  @Test("a normal close behind CloseStream is the end of the text")
  func normalClose() async throws {
    let dialer = ScriptedDialer()
    let turn = Self.transcriber(dialer, Self.timing { $0.patience = .zero }).begin(.init()) { _ in }
    turn.append([1])
    dialer.accept()
    dialer.socket.say(Self.results("Yes.", isFinal: true))
    async let text = turn.finish()
    #expect(await dialer.socket.next() == .binary([1, 0]))
    #expect(await dialer.socket.next() == .text(Self.finalize))
    dialer.socket.end()
    #expect(try await text == "Yes.")
  }

  @Test("signs of life while there is no audio")
  func alive() async throws {
    let dialer = ScriptedDialer()
    let turn = Self.transcriber(dialer, Self.timing { $0.keepAlive = .milliseconds(5) }).begin(.init()) { _ in }
    dialer.accept()
    for _ in 0..<3 { #expect(await dialer.socket.next() == .text(Self.keepAlive)) }
    turn.cancel()
    #expect(await dialer.socket.rest().allSatisfy { $0 == .text(Self.keepAlive) })
  }

  @Test("a turn without audio costs nothing and is empty")
  func empty() async throws {
    let dialer = ScriptedDialer()
    let turn = Self.transcriber(dialer).begin(.init()) { _ in }
    dialer.accept()
    #expect(try await turn.finish() == "")
    #expect(await dialer.socket.rest().isEmpty)
  }

  @Test("a cancelled turn closes its socket")
  func cancelled() async throws {
    let dialer = ScriptedDialer()
    let turn = Self.transcriber(dialer).begin(.init()) { _ in }
    turn.append([1])
    dialer.accept()
    #expect(await dialer.socket.next() == .binary([1, 0]))
    let finish = Task { try await turn.finish() }
    #expect(await dialer.socket.next() == .text(Self.finalize))
    finish.cancel()
    #expect(await dialer.socket.next() == .close)
    await #expect(throws: CancellationError.self) { try await finish.value }
  }
}

@Suite("Faults of Deepgram's live transcription", .timeLimit(.minutes(2))) struct RemoteDeepgramFaultTests {
  typealias Deepgram = RemoteDeepgramTests

  /// The fault of a turn in which `act` happens.
  static func fault(
    _ timing: DeepgramTranscriber.Timing = Deepgram.timing(), _ act: (ScriptedDialer) -> Void
  ) async throws -> StageFault {
    let dialer = ScriptedDialer()
    let turn = Deepgram.transcriber(dialer, timing).begin(.init()) { _ in }
    turn.append([1])
    act(dialer)
    do {
      let text = try await turn.finish()
      Issue.record("\(text)")
    } catch let fault as StageFault {
      return fault
    }
    throw CancellationError()
  }

  @Test(
    "the handshake",
    arguments: [
      (400, "stt_refused"), (401, "stt_refused"), (402, "stt_refused"), (403, "stt_refused"),
      (429, "rate_limit_exceeded"), (503, "stt_refused"), (504, "stt_timeout"),
    ])
  func handshake(_ status: Int, _ code: String) async throws {
    let body = #"{"err_code":"INVALID_AUTH","err_msg":"Invalid credentials.","request_id":"x"}"#
    let byBody = try await Self.fault { $0.refuse(SocketRefusal(status: status, body: body)) }
    #expect(byBody.stage == .stt && byBody.code == code)
    #expect(byBody.message == "Deepgram answered with status \(status): Invalid credentials.")
    let byHeader = try await Self.fault {
      $0.refuse(SocketRefusal(status: status, headers: ["dg-error": "No dg-secret-0123456789"], body: body))
    }
    #expect(byHeader.message == "Deepgram answered with status \(status): No <redacted>")
    let other = #"{"category":"BAD","message":"no such model","details":"x"}"#
    let byCategory = try await Self.fault { $0.refuse(SocketRefusal(status: status, body: other)) }
    #expect(byCategory.message.hasSuffix(": no such model"))
    let bare = try await Self.fault { $0.refuse(SocketRefusal(status: status)) }
    #expect(bare.message == "Deepgram answered with status \(status).")
  }

  @Test(
    "close codes",
    arguments: [
      (UInt16(1008), "DATA-0000", "stt_refused"), (1011, "NET-0000", "stt_timeout"), (1011, "NET-0001", "stt_timeout"),
      (1006, "", "stt_protocol_error"),
    ])
  func closes(_ code: UInt16, _ reason: String, _ fault: String) async throws {
    let found = try await Self.fault {
      $0.accept()
      $0.socket.end(SocketClosed(code: code, reason: reason))
    }
    #expect(found.code == fault && found.message.contains("code \(code)") && found.message.contains(reason))
  }

  @Test("a service that cannot be reached")
  func unreachable() async throws {
    struct NoRoute: Error {}
    #expect(try await Self.fault { $0.refuse(NoRoute()) }.code == "stt_unreachable")
  }

  @Test("a socket that does not open in time, and a text that does not come in time")
  func timeouts() async throws {
    let open = try await Self.fault(Deepgram.timing { $0.open = .milliseconds(5) }) { _ in }
    #expect(open.code == "stt_timeout" && open.message.contains("connected"))
    let final = try await Self.fault(Deepgram.timing { $0.final = .milliseconds(5) }) { $0.accept() }
    #expect(final.code == "stt_timeout" && final.message.contains("did not finish the text"))
    let turn = try await Self.fault(Deepgram.timing { $0.turn = .milliseconds(5) }) { $0.accept() }
    #expect(turn.code == "stt_timeout" && turn.message.contains("took longer"))
  }

  @Test(
    "messages that end a turn",
    arguments: [("{nope", "stt_protocol_error"), (#"{"type":"Error","description":"no"}"#, "stt_refused")])
  func messages(_ message: String, _ code: String) async throws {
    let fault = try await Self.fault {
      $0.accept()
      $0.socket.say(message)
    }
    #expect(fault.code == code)
  }

  @Test("a fault before the end of the turn is told at its end")
  func early() async throws {
    let dialer = ScriptedDialer()
    let turn = Deepgram.transcriber(dialer).begin(.init()) { _ in }
    turn.append([1])
    dialer.accept()
    #expect(await dialer.socket.next() == .binary([1, 0]))
    dialer.socket.end(SocketClosed(code: 1011, reason: "NET-0001"))
    #expect(await dialer.socket.next() == .close)
    turn.append([2])
    await #expect(throws: StageFault.self) { try await turn.finish() }
  }
}

@Suite("Results of Deepgram") struct RemoteDeepgramAssemblyTests {
  @Test("interim results replace each other; empty ones clear what they take back; unknown messages mean nothing")
  func assembly() throws {
    var assembly = DeepgramAssembly()
    func take(_ text: String) throws -> DeepgramAssembly.Effect { assembly.take(try JSONValue(parsing: text)) }
    #expect(try take(RemoteDeepgramTests.results("a")) == .partial("a"))
    #expect(try take(RemoteDeepgramTests.results("a")) == .none)
    #expect(try take(RemoteDeepgramTests.results("")) == .partial(""))
    #expect(try take(RemoteDeepgramTests.results("a b", isFinal: true)) == .partial("a b"))
    #expect(try take(RemoteDeepgramTests.results("", isFinal: true)) == .none)
    #expect(try take(RemoteDeepgramTests.results(" c ")) == .partial("a b c"))
    #expect(try take(#"{"type":"SpeechStarted","timestamp":1}"#) == .none)
    #expect(try take(#"{"type":"Results"}"#) == .partial("a b"))
    #expect(try take("[]") == .none)
    #expect(try take(RemoteDeepgramTests.results("", isFinal: true, fromFinalize: true)) == .finalized)
    #expect(try take(#"{"type":"Metadata"}"#) == .ended)
    #expect(assembly.text == "a b")
  }
}
