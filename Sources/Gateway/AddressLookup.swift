import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Asks what addresses a name has, one family at a time, so that a name service that answers for one only does not keep
/// the other waiting. All that ask the same at once share one question: a name that is never answered takes two threads,
/// however many sessions wait for it.
final class AddressLookup: Sendable {
  /// Blocks until there is an answer.
  typealias Ask =
    @Sendable (_ host: String, _ port: Int, _ family: NIOBSDSocket.AddressFamily) throws -> [SocketAddress]

  /// The system's: `/etc/hosts`, DNS, and what else it has.
  static let system = AddressLookup(asking: askSystem)

  private struct Question: Hashable {
    var host: String
    var port: Int
    var family: NIOBSDSocket.AddressFamily
  }

  private static let threads: NIOThreadPool = {
    // A configuration names a handful of hosts, and most of them may be without an answer.
    let threads = NIOThreadPool(numberOfThreads: 32)
    threads.start()
    return threads
  }()

  private let ask: Ask
  private let waiting = Mutex<[Question: [EventLoopPromise<[SocketAddress]>]]>([:])

  init(asking ask: @escaping Ask) {
    self.ask = ask
  }

  func addresses(
    of host: String, port: Int, _ family: NIOBSDSocket.AddressFamily, on loop: any EventLoop
  ) -> EventLoopFuture<[SocketAddress]> {
    let promise = loop.makePromise(of: [SocketAddress].self)
    let question = Question(host: host, port: port, family: family)
    let isFirst = waiting.withLock { waiting in
      waiting[question, default: []].append(promise)
      return waiting[question]?.count == 1
    }
    if isFirst {
      Self.threads.submit { [self] _ in
        let answer = Result { try ask(host, port, family) }
        let promises = waiting.withLock { $0.removeValue(forKey: question) } ?? []
        for promise in promises { promise.completeWith(answer) }
      }
    }
    return promise.futureResult
  }

  private static func askSystem(
    _ host: String, _ port: Int, _ family: NIOBSDSocket.AddressFamily
  ) throws -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_family = CInt(family.rawValue)
    hints.ai_protocol = CInt(IPPROTO_TCP)
    var first: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &first)
    guard code == 0, let first else { throw LookupFault(code: code) }
    defer { freeaddrinfo(first) }
    return sequence(first: first, next: { $0.pointee.ai_next }).compactMap { entry in
      guard entry.pointee.ai_family == hints.ai_family, let address = entry.pointee.ai_addr else { return nil }
      let bytes = UnsafeRawPointer(address)
      return switch family {
      case .inet: SocketAddress(bytes.loadUnaligned(as: sockaddr_in.self), host: host)
      case .inet6: SocketAddress(bytes.loadUnaligned(as: sockaddr_in6.self), host: host)
      default: nil
      }
    }
  }
}

/// A name without an address of a family.
struct LookupFault: Error, Hashable {
  /// Of `getaddrinfo`.
  var code: CInt
}
