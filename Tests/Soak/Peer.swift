import ArgumentParser
import Envelope
import Foundation
import NIOCore
import StandIns
import Synchronization

/// The services behind Parley, in a process of their own: the strict stand-ins, which keep a ledger here of what each
/// connection was told.
struct Peer: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Play the services and keep a ledger.", shouldDisplay: false)

  @Option var geminiPort: Int
  @Option var openaiPort: Int
  @Option var ledger: String

  func run() async throws {
    let book = try PeerBook(path: ledger)
    var gemini = GeminiLiveStandIn.Options()
    gemini.answerInterval = .milliseconds(10)
    gemini.storyFrames = Numbers.storyParts
    gemini.storyInterval = .milliseconds(30)
    gemini.goAwayAfter = .seconds(7)
    // Parley leaves three seconds before that, whatever is under way: more than the slowest story takes is before it.
    gemini.timeLeft = .seconds(8)
    var realtime = RealtimeStandIn.Options()
    realtime.answerInterval = .milliseconds(10)
    realtime.storyFrames = Numbers.storyParts
    realtime.storyInterval = .milliseconds(30)
    let (geminiOptions, realtimeOptions) = (gemini, realtime)
    let (geminiMemory, realtimeMemory) = (GeminiMemory(), RealtimeMemory())
    let servers = [
      try await StandInServer.start("gemini", port: geminiPort, record: StandInRecord(omitsAudio: true)) {
        LedgerScript(GeminiLiveStandIn(options: geminiOptions, memory: geminiMemory), book: book, service: "gemini")
      },
      try await StandInServer.start("openai", port: openaiPort, record: StandInRecord(omitsAudio: true)) {
        LedgerScript(RealtimeStandIn(options: realtimeOptions, memory: realtimeMemory), book: book, service: "openai")
      },
    ]
    for server in servers { try await server.waitUntilStopped() }
  }
}

/// The ledger's file: a line of JSON when a connection begins, and one when it has ended.
final class PeerBook: Sendable {
  private let state: Mutex<(file: FileHandle, connections: Int)>

  static func number(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }

  init(path: String) throws {
    let url = URL(fileURLWithPath: path)
    try Data().write(to: url)
    state = Mutex((try FileHandle(forWritingTo: url), 0))
  }

  func begin(service: String) -> Int {
    state.withLock { state in
      state.connections += 1
      let line: JSONValue = [
        "connection": Self.number(state.connections), "service": .string(service),
        "at": Self.number(CommonTime.milliseconds()),
      ]
      state.file.write(Data((line.text + "\n").utf8))
      return state.connections
    }
  }

  func end(_ line: JSONObject) {
    state.withLock { $0.file.write(Data((JSONValue.object(line).text + "\n").utf8)) }
  }
}

/// A stand-in whose connection is written down.
struct LedgerScript: StandInScript {
  private var script: any StandInScript
  private let book: PeerBook
  private let service: String
  private var connection = 0
  private var session: Int?
  private var sound = NumberedSoundReader()
  private var notes: [JSONValue] = []
  /// What a service says that still holds the connection whose place a new one was to take.
  private static let busy = (code: UInt16(1011), reason: "Internal error occurred.")
  /// The codes with which a service says that it was told something wrong; it has others for troubles of its own.
  private static let refusing: Set<UInt16> = [1002, 1003, 1007, 1008, 1009, 1011]
  private var wasBusy = false
  /// What the service refused: a rule of its wire was broken.
  private var refusals: [JSONValue] = []

  init(_ script: any StandInScript, book: PeerBook, service: String) {
    (self.script, self.book, self.service) = (script, book, service)
  }

  var pause: Duration? { script.pause }
  var summary: JSONValue? { script.summary }

  mutating func judge(_ request: StandInRequest) -> StandInVerdict { script.judge(request) }

  mutating func begin() -> [StandInFrame] {
    connection = book.begin(service: service)
    return noting(script.begin())
  }

  mutating func receive(_ message: StandInMessage) -> [StandInFrame] {
    switch message {
    case .text(let text): hear(text)
    case .binary(let bytes): hear(String(buffer: bytes))
    }
    return noting(script.receive(message))
  }

  mutating func advance() -> [StandInFrame] { noting(script.advance()) }
  mutating func takeAlarms() -> [StandInAlarm] { script.takeAlarms() }
  mutating func ring(_ alarm: StandInAlarm) -> [StandInFrame] { noting(script.ring(alarm)) }

  mutating func connectionEnded() {
    script.connectionEnded()
    let number = PeerBook.number
    book.end([
      "connection": number(connection), "service": .string(service), "ended": true,
      "at": number(CommonTime.milliseconds()),
      "session": session.map(number) ?? .null, "notes": .array(notes), "strayBytes": number(sound.strayBytes),
      "runs": .array(sound.runs.map { .array([number($0.lowerBound), number($0.upperBound)]) }),
      "refusals": .array(refusals), "busy": .bool(wasBusy),
    ])
  }

  private mutating func hear(_ text: String) {
    guard let message = try? JSONValue(parsing: text) else { return }
    let audio =
      message["realtimeInput"]?["audio"]?["data"]
      ?? (message["type"] == "input_audio_buffer.append" ? message["audio"] : nil)
    if let audio = audio?.string {
      sound.hear(Data(base64Encoded: audio).map(Array.init) ?? [])
      return
    }
    if session == nil { session = Numbers.session(in: text) }
    notes += Numbers.notes(in: text).map { .string($0) }
  }

  private mutating func noting(_ frames: [StandInFrame]) -> [StandInFrame] {
    for frame in frames {
      switch frame {
      case .violation(let violation): refusals.append(violation)
      case .close(let code, let reason) where (code, reason) == Self.busy: wasBusy = true
      case .close(let code, let reason) where Self.refusing.contains(code):
        refusals.append(.string("close \(code) \(reason)"))
      case .text, .binary, .close, .abort: break
      }
    }
    return frames
  }
}
