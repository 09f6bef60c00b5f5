// audio-path: carries audio frames through the pure core as the gateway does, and counts what they allocate.
//
//   audio-path FRAMES [plant]      under the counting library of Benchmarks/MallocCount
//
// A frame is one message in one direction: half of them go from the client to Gemini, half come back. Status 1 when the
// steady state allocates at all. With `plant` each frame allocates once more: a run that passes then counts nothing.

import Envelope
import Glibc
import NIOCore
import SessionCore
import Translation
import WebSocketWire

/// Both connections of a session, and the session between them; without sockets.
struct Call {
  private var session: Session
  private var client = WebSocketConnection(role: .server)
  private var provider = WebSocketConnection(role: .client)
  private var now = Instant(nanoseconds: 1_000_000_000)
  private let planted: Bool
  /// Kept from one frame to the next, or the optimiser takes it away.
  private var plant: UnsafeMutableRawPointer?
  /// What the gateway's timer would be set to; asked for after every message.
  private(set) var deadline: Instant?
  /// Messages that went out on either side.
  private(set) var delivered = 0

  init(planted: Bool) {
    self.planted = planted
    let endpoint = UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: 9, basePath: "")
    guard
      let service = ProviderKind.geminiLive(GeminiLiveSettings()).service(
        at: endpoint, key: Redacted("key"), model: "gemini-3.8-live")
    else { stop("no service of Gemini's") }
    session = Session(
      SessionParameters(
        provider: ProviderConfiguration(name: "gemini", service: service), requestedModel: "gemini-3.8-live",
        unixTime: 1_767_229_435, seed: 12),
      at: now)
    session.begin(at: now)
    session.upstreamOpened(at: now)
    deliver()
    session.timeReached(at: session.deadline ?? now)
    deliver()
  }

  /// The bytes of one frame from the client's socket.
  mutating func clientSent(_ bytes: ByteBuffer) {
    client.receive(bytes)
    while let event = client.nextEvent() {
      guard case .text(let message) = event else { stop("the client's frame is \(event)") }
      session.downstreamText(message, at: now)
      deliver()
    }
  }

  /// The bytes of one frame from the provider's socket.
  mutating func providerSent(_ bytes: ByteBuffer) {
    provider.receive(bytes)
    while let event = provider.nextEvent() {
      guard case .binary(let message) = event else { stop("the provider's frame is \(event)") }
      session.upstreamMessage(message, at: now)
      deliver()
    }
    now = now + .milliseconds(20)
  }

  private mutating func deliver() {
    var sent = 0
    while session.outbox.downstream.consume({ message, _ in client.send(.text, message) }) { sent += 1 }
    while session.outbox.upstream.consume({ message, _ in provider.send(.text, message) }) { sent += 1 }
    if session.hasActions { session.outbox.actions.removeAll() }
    deadline = session.deadline
    delivered += sent
    // What the sockets take.
    client.emptyOutbound()
    provider.emptyOutbound()
    if planted {
      free(plant)
      plant = malloc(sent + 1)
    }
  }
}

/// The allocation calls of this process so far, as the counting library keeps them in a file.
func allocationCalls(_ file: Int32) -> UInt64 {
  var counters: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
  let size = MemoryLayout.size(ofValue: counters)
  guard pread(file, &counters, size, 0) == size else { stop("no counters: is the counting library preloaded?") }
  return counters.0 + counters.1 + counters.2 + counters.3 + counters.4
}

func stop(_ reason: String) -> Never {
  let line = Array("audio-path: \(reason)\n".utf8)
  write(2, line, line.count)
  exit(2)
}

/// A frame as its sender's side of a connection makes it.
func frame(_ opcode: Opcode, _ role: WebSocketWire.Role, _ text: String) -> ByteBuffer {
  var connection = WebSocketConnection(role: role)
  connection.send(opcode, ByteBuffer(string: text).readableBytesView)
  return connection.outbound
}

@main
struct AudioPath {
  static func main() {
    guard let count = CommandLine.arguments.dropFirst().first.flatMap({ Int($0) }), count > 0 else {
      stop("how many frames?")
    }
    let path = getenv("PARLEY_MALLOC_COUNT_FILE").map { String(cString: $0) } ?? ""
    let file = open(path, O_RDONLY)
    var isClean = true
    for bytes in [960, 4_800] {
      let audio = String(repeating: "UGFybGV5", count: bytes / 6)
      let append = frame(.text, .client, "{\"type\":\"input_audio_buffer.append\",\"audio\":\"\(audio)\"}")
      let part = "{\"inlineData\": {\"mimeType\": \"audio/pcm;rate=24000\", \"data\": \"\(audio)\"}}"
      let answer = frame(.binary, .server, "{\"serverContent\": {\"modelTurn\": {\"parts\": [\(part)]}}}\n")
      var call = Call(planted: CommandLine.arguments.contains("plant"))
      call.providerSent(frame(.binary, .server, "{\"setupComplete\": {}}"))
      // The first frames make the buffers that all others use, and fill what looks back.
      for _ in 0..<4_000 {
        call.clientSent(append)
        call.providerSent(answer)
      }
      let deliveredBefore = call.delivered
      let before = allocationCalls(file)
      for _ in 0..<(count / 2) {
        call.clientSent(append)
        call.providerSent(answer)
      }
      let calls = allocationCalls(file) - before
      let delivered = call.delivered - deliveredBefore
      print("\(bytes) bytes of audio a frame: \(delivered) frames, \(calls) allocations")
      guard delivered == count / 2 * 2 else { stop("\(count) frames went in, \(delivered) came out") }
      if calls > 0 { isClean = false }
    }
    exit(isClean ? 0 : 1)
  }
}
