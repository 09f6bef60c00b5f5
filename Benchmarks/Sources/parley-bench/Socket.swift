import Glibc

/// Why the benchmark stops. Nothing is retried: a figure from a run with a fault would be worth nothing.
struct BenchFault: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  /// A failed system call, with the system's words for `errno`.
  static func system(_ call: String) -> BenchFault { BenchFault("\(call): \(String(cString: strerror(errno)))") }
}

/// A blocking TCP socket on the loopback interface. Whoever made it closes it.
struct Socket {
  let descriptor: Int32

  /// Listens on 127.0.0.1; what it accepts inherits its options.
  static func listening(port: UInt16) throws(BenchFault) -> Socket {
    let made = try make()
    guard withLoopback(port, { bind(made.descriptor, $0, $1) }) == 0 else { throw .system("bind to port \(port)") }
    guard listen(made.descriptor, 4_096) == 0 else { throw .system("listen") }
    return made
  }

  static func connected(port: UInt16) throws(BenchFault) -> Socket {
    let made = try make()
    guard withLoopback(port, { connect(made.descriptor, $0, $1) }) == 0 else {
      throw .system("connect to port \(port)")
    }
    return made
  }

  func accepted() throws(BenchFault) -> Socket {
    let peer = Socket(descriptor: accept(descriptor, nil, nil))
    guard peer.descriptor >= 0 else { throw .system("accept") }
    return peer
  }

  /// Reads what is there into `bytes` from `start` on, waiting for the first byte. 0 at the end of the stream.
  func read(into bytes: inout [UInt8], from start: Int) throws(BenchFault) -> Int {
    let count = bytes.withUnsafeMutableBytes {
      Glibc.recv(descriptor, $0.baseAddress?.advanced(by: start), $0.count - start, 0)
    }
    if count < 0, errno == ECONNRESET { return 0 }
    guard count >= 0 else { throw .system("read") }
    return count
  }

  func write(_ bytes: [UInt8]) throws(BenchFault) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        send(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw .system("write") }
      written += count
    }
  }

  func close() { Glibc.close(descriptor) }

  /// No Nagle delay; a read that waits 10 s for its peer fails.
  private static func make() throws(BenchFault) -> Socket {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var on: Int32 = 1
    var patience = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    guard descriptor >= 0 else { throw .system("socket") }
    return Socket(descriptor: descriptor)
  }

  private static func withLoopback(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}
