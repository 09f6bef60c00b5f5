import NIOCore
import NIOPosix
import NIOSSL
import Translation
import WebSocketWire

@testable import Gateway

/// A stand-in provider that answers every connection by one script, over plain TCP or TLS.
struct ScriptedUpstream {
  enum Script: Sendable {
    /// Reads the request and says nothing.
    case silence
    /// Closes as soon as the connection is there.
    case hangUp
    /// Answers the request head; `%ACCEPT%` stands for the right accept value.
    case answer(String)
    /// Answers 101 and these texts, in the same segment, then a close frame with the code if there is one.
    case open(texts: [String], close: UInt16? = nil)
    /// Answers 101 and these texts, and hands over every text that comes.
    case heard([String], @Sendable (String) -> Void)
    /// Answers 101 and these bytes.
    case openRaw([UInt8])
    /// As the script for this request head says.
    indirect case asked(@Sendable (_ head: String) -> Script)
  }

  static let upgraded =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %ACCEPT%\r\n"

  let channel: any Channel
  /// The request heads that came.
  let requests: AsyncStream<String>
  /// One element for each connection that ended.
  let ends: AsyncStream<Void>
  var port: Int { channel.localAddress?.port ?? 0 }

  static func certificatePath(_ name: String) -> String {
    let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
    return "/\(folder)/Certificates/\(name).pem"
  }

  /// `certificate` is the name of one in `Certificates`; nil for plain TCP.
  static func start(_ script: Script, certificate: String? = nil) async throws -> ScriptedUpstream {
    let (requests, request) = AsyncStream.makeStream(of: String.self)
    let (ends, end) = AsyncStream.makeStream(of: Void.self)
    var tls: NIOSSLContext?
    if let certificate {
      let chain = try NIOSSLCertificate.fromPEMFile(certificatePath(certificate)).map {
        NIOSSLCertificateSource.certificate($0)
      }
      let key = try NIOSSLPrivateKey(file: certificatePath("server-key"), format: .pem)
      tls = try NIOSSLContext(
        configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
    }
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { [tls] channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
          try channel.pipeline.syncOperations.addHandler(ScriptHandler(script: script, request: request, end: end))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return ScriptedUpstream(channel: channel, requests: requests, ends: ends)
  }

  func stop() async {
    try? await channel.close()
  }
}

extension ScriptedUpstream {
  /// What a dial ends with; nil: it opened.
  func dialled(
    with authorization: UpstreamTarget.Authorization, _ headers: [UpstreamTarget.Header] = [], tokens: AccessTokens
  ) async throws -> UpstreamEnd? {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let target = UpstreamTarget(
      endpoint: UpstreamEndpoint(isSecure: false, host: "127.0.0.1", port: port), pathAndQuery: "/ws",
      headers: headers, authorization: authorization)
    let promise = loop.makePromise(of: UpstreamEnd?.self)
    loop.execute {
      let connector = UpstreamConnector(
        target: target, limits: EdgeLimits(), outgoing: Outgoing(tokens: tokens), loop: loop
      ) { outcome in
        switch outcome {
        case .opened(let leg):
          leg.close(.normal, reason: "")
          promise.succeed(nil)
        case .failed(let end): promise.succeed(end)
        }
      }
      connector.start()
    }
    return try await promise.futureResult.get()
  }
}

private final class ScriptHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var script: ScriptedUpstream.Script
  private let request: AsyncStream<String>.Continuation
  private let end: AsyncStream<Void>.Continuation
  private var head = ""
  private var connection = WebSocketConnection(role: .server)

  init(
    script: ScriptedUpstream.Script, request: AsyncStream<String>.Continuation, end: AsyncStream<Void>.Continuation
  ) {
    self.script = script
    self.request = request
    self.end = end
  }

  func channelActive(context: ChannelHandlerContext) {
    if case .hangUp = script { context.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !head.hasSuffix("\r\n\r\n") else {
      if case .heard(_, let hear) = script { self.hear(unwrapInboundIn(data), hear) }
      return
    }
    head += String(buffer: unwrapInboundIn(data))
    guard head.hasSuffix("\r\n\r\n") else { return }
    request.yield(head)
    if case .asked(let choose) = script { script = choose(head) }
    var answer = ByteBuffer()
    var opened = ScriptedUpstream.upgraded + "\r\n"
    switch script {
    case .silence, .hangUp, .asked: return
    case .answer(let text): opened = text
    case .open, .openRaw, .heard: break
    }
    let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-key: ") }
    let key = line.map { String($0.dropFirst("sec-websocket-key: ".count)) } ?? ""
    answer.writeString(opened.replacing("%ACCEPT%", with: Handshake.accept(forKey: key)))
    if case .heard(let texts, _) = script {
      for text in texts { connection.send(.text, ByteBuffer(string: text).readableBytesView) }
      answer.writeImmutableBuffer(connection.outbound)
      connection.emptyOutbound()
    }
    if case .open(let texts, let code) = script {
      for text in texts { connection.send(.text, ByteBuffer(string: text).readableBytesView) }
      if let code { connection.close(CloseCode(rawValue: code), reason: "as scripted") }
      answer.writeImmutableBuffer(connection.outbound)
    }
    if case .openRaw(let bytes) = script { answer.writeBytes(bytes) }
    context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
  }

  private func hear(_ bytes: ByteBuffer, _ hear: (String) -> Void) {
    connection.receive(bytes)
    while let event = connection.nextEvent() {
      if case .text(let text) = event { hear(String(buffer: text)) }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    end.yield()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
