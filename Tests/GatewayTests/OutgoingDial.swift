import NIOCore
import NIOPosix
import Synchronization
import Translation
import WebSocketWire

@testable import Gateway

/// One dial of a connector, by itself.
struct OutgoingDial {
  /// Why it did not open; nil if it did.
  var end: UpstreamEnd?
  /// What it is connected to, when it opened.
  var remote: SocketAddress?
  /// Of the open connection's socket.
  var kernelBuffer: Int?

  static func to(
    _ endpoint: UpstreamEndpoint, _ outgoing: Outgoing, _ change: (inout EdgeLimits) -> Void = { _ in }
  ) async throws -> OutgoingDial {
    var limits = EdgeLimits()
    limits.upstreamConnect = .seconds(20)
    limits.upstreamTLS = .seconds(20)
    limits.upstreamUpgrade = .seconds(20)
    change(&limits)
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let target = UpstreamTarget(endpoint: endpoint, pathAndQuery: "/ws", headers: [])
    let promise = loop.makePromise(of: OutgoingDial.self)
    loop.execute { [limits] in
      let connector = UpstreamConnector(target: target, limits: limits, outgoing: outgoing, loop: loop) { outcome in
        switch outcome {
        case .failed(let end): promise.succeed(OutgoingDial(end: end))
        case .opened(let leg):
          guard let channel = leg.context?.channel else { return promise.succeed(OutgoingDial(end: .lost)) }
          let remote = channel.remoteAddress
          channel.getOption(.socketOption(.so_rcvbuf)).map { size in
            OutgoingDial(remote: remote, kernelBuffer: Int(size))
          }.cascade(to: promise)
          leg.close(.normal, reason: "")
        }
      }
      connector.start()
    }
    return try await promise.futureResult.get()
  }
}

/// A name service of the test's own, which counts what it is asked.
final class TestNames: Sendable {
  typealias Answer =
    @Sendable (_ host: String, _ family: NIOBSDSocket.AddressFamily, _ count: Int) throws -> [SocketAddress]

  private let asked = Mutex<[String]>([])
  private let answer: Answer

  /// - Parameter answer: `count` says how often this was asked before.
  init(_ answer: @escaping Answer) {
    self.answer = answer
  }

  /// What was asked: `name A` or `name AAAA`, sorted.
  var questions: [String] { asked.withLock { $0.sorted() } }

  var lookup: AddressLookup {
    AddressLookup { [self] host, _, family in
      let question = "\(host) \(family == .inet6 ? "AAAA" : "A")"
      let count = asked.withLock { asked in
        asked.append(question)
        return asked.count { $0 == question } - 1
      }
      return try answer(host, family, count)
    }
  }

  /// Every name has this address, and no other.
  static func always(_ address: String, port: Int) -> TestNames {
    TestNames { _, family, _ in
      let address = try SocketAddress(ipAddress: address, port: port)
      guard (address.protocol == .inet6) == (family == .inet6) else { throw LookupFault(code: 0) }
      return [address]
    }
  }
}
