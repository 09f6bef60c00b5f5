import NIOCore
import NIOPosix
import Testing
import VoiceEngine

@testable import Gateway

@Suite("Sockets of services", .timeLimit(.minutes(2))) struct SocketConnectorTests {
  static let connector = SocketConnector(
    group: MultiThreadedEventLoopGroup.singleton, outgoing: Outgoing())

  /// What the dial ends with; nil if it does not end within the patience of a test.
  static func outcome(of dial: Task<any Socket, any Error>) async -> Result<any Socket, any Error>? {
    let (outcomes, outcome) = AsyncStream.makeStream(of: Result<any Socket, any Error>.self)
    let deadline = MultiThreadedEventLoopGroup.singleton.next().scheduleTask(in: TestSocket.patience) {
      outcome.finish()
    }
    // A dial that never ends must not keep the test: nobody waits for this task.
    Task { outcome.yield(await dial.result) }
    var iterator = outcomes.makeAsyncIterator()
    let first = await iterator.next()
    deadline.cancel()
    return first
  }

  @Test("a cancelled dial ends, and its connection with it")
  func cancelledDial() async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let dial = Task { try await Self.connector.open("ws://127.0.0.1:\(upstream.port)/v1/listen", headers: []) }
    // The request is there, its answer never comes.
    var requests = upstream.requests.makeAsyncIterator()
    #expect(await requests.next()?.hasPrefix("GET /v1/listen HTTP/1.1\r\n") == true)
    dial.cancel()
    let outcome = try #require(await Self.outcome(of: dial))
    #expect(throws: CancellationError.self) { try outcome.get() }
    var ends = upstream.ends.makeAsyncIterator()
    #expect(await ends.next() != nil)
    await upstream.stop()
  }

  @Test("a dial that is cancelled before it begins ends")
  func dialCancelledBefore() async throws {
    let upstream = try await ScriptedUpstream.start(.silence)
    let dial = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await Self.connector.open("ws://127.0.0.1:\(upstream.port)/", headers: [])
    }
    let outcome = try #require(await Self.outcome(of: dial))
    #expect(throws: CancellationError.self) { try outcome.get() }
    await upstream.stop()
  }

  @Test("text and binary there and back, and a close with 1000 is the end")
  func roundTrip() async throws {
    let server = try await TestGateway.echo()
    let socket = try await Self.connector.open("ws://127.0.0.1:\(server.port)/", headers: [])
    var messages = socket.messages.makeAsyncIterator()
    socket.send(text: "Grüße")
    #expect(try await messages.next() == .text("Grüße"))
    socket.send(binary: [0, 1, 254, 255])
    #expect(try await messages.next() == .binary([0, 1, 254, 255]))
    socket.close()
    #expect(try await messages.next() == nil)
    await server.stop()
  }

  @Test("more than is held unread comes whole and in order")
  func moreThanIsHeld() async throws {
    let server = try await TestGateway.echo()
    let socket = try await Self.connector.open("ws://127.0.0.1:\(server.port)/", headers: [])
    let count = 32
    for index in 0..<count { socket.send(binary: Array(repeating: UInt8(index), count: 262_144)) }
    var messages = socket.messages.makeAsyncIterator()
    for index in 0..<count {
      #expect(try await messages.next() == .binary(Array(repeating: UInt8(index), count: 262_144)))
    }
    socket.close()
    #expect(try await messages.next() == nil)
    await server.stop()
  }

  @Test("another close than 1000 is an error with its code")
  func otherClose() async throws {
    let upstream = try await ScriptedUpstream.start(.open(texts: ["hello"], close: 1011))
    let socket = try await Self.connector.open("ws://127.0.0.1:\(upstream.port)/", headers: [])
    var messages = socket.messages.makeAsyncIterator()
    #expect(try await messages.next() == .text("hello"))
    await #expect(throws: SocketClosed(code: 1011, reason: "as scripted")) {
      for try await message in socket.messages { Issue.record("\(message)") }
    }
    await upstream.stop()
  }

  @Test("a port where nobody listens, and a server that wants no WebSocket")
  func refused() async throws {
    let upstream = try await ScriptedUpstream.start(.answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"))
    let url = "ws://127.0.0.1:\(upstream.port)/"
    let refusal = await #expect(throws: SocketRefusal.self) { _ = try await Self.connector.open(url, headers: []) }
    #expect(refusal?.status == 403)
    await upstream.stop()
    await #expect(throws: SocketFailure.self) { _ = try await Self.connector.open(url, headers: []) }
  }
}
