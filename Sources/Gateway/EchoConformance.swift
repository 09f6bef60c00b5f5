public import Logging
public import NIOCore
import Routing
public import Translation

import WebSocketWire

/// The production pipeline with an echo in place of a session, for conformance tests of both roles.
public enum EchoConformance {
  /// A server that opens a WebSocket at every path and sends every message back.
  public static func server(
    listeners: [ListenAddress], limits: EdgeLimits = EdgeLimits(), group: any EventLoopGroup, logger: Logger
  ) -> GatewayServer {
    GatewayServer(
      listeners: listeners.map { Listener(host: $0.host, port: $0.port) }, limits: limits, admission: EchoAdmission(),
      group: group, logger: logger)
  }

  /// Connects, sends every message back until the peer ends, and returns the texts that came.
  public static func client(
    target: UpstreamTarget, limits: EdgeLimits = EdgeLimits(), loop: any EventLoop
  ) async throws(EchoFault) -> [String] {
    let promise = loop.makePromise(of: Result<[String], EchoFault>.self)
    loop.execute {
      let connection = EchoClient(limits: limits, loop: loop, promise: promise)
      connection.connect(target)
    }
    let result: Result<[String], EchoFault>
    do {
      result = try await promise.futureResult.get()
    } catch {
      throw EchoFault.notConnected(.lost)
    }
    return try result.get()
  }
}

/// Why an echo connection was not made.
public enum EchoFault: Error, Sendable, Equatable {
  case notConnected(UpstreamEnd)
}

/// One echo connection in the client role; it owns its leg as a session would.
private final class EchoClient: FrameLegOwner {
  private let limits: EdgeLimits
  private let loop: any EventLoop
  private let promise: EventLoopPromise<Result<[String], EchoFault>>
  private let echo = EchoOwner()
  private var connector: UpstreamConnector?
  private var texts: [String] = []

  init(limits: EdgeLimits, loop: any EventLoop, promise: EventLoopPromise<Result<[String], EchoFault>>) {
    self.limits = limits
    self.loop = loop
    self.promise = promise
  }

  func connect(_ target: UpstreamTarget) {
    let connector = UpstreamConnector(target: target, limits: limits, outgoing: Outgoing(), loop: loop) {
      [self] outcome in
      switch outcome {
      case .opened(let leg): leg.setOwner(self)
      case .failed(let end): promise.succeed(.failure(.notConnected(end)))
      }
    }
    self.connector = connector
    connector.start()
  }

  func leg(_ leg: FrameLeg, receivedText message: ByteBuffer) {
    // The whole of a conformance run may be 16 MiB messages; only short texts are answers to look at.
    if message.readableBytes <= 1024 { texts.append(String(buffer: message)) }
    echo.leg(leg, receivedText: message)
  }

  func leg(_ leg: FrameLeg, receivedBinary message: ByteBuffer) {
    echo.leg(leg, receivedBinary: message)
  }

  func legFinishedBurst(_ leg: FrameLeg) {
    echo.legFinishedBurst(leg)
  }

  func leg(_ leg: FrameLeg, becameWritable isWritable: Bool) {
    echo.leg(leg, becameWritable: isWritable)
  }

  func leg(_ leg: FrameLeg, ended end: LegEnd) {
    connector = nil
    promise.succeed(.success(texts))
  }

  func legShouldStop(_ leg: FrameLeg) {
    echo.legShouldStop(leg)
  }
}
