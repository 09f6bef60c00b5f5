import CLinux
import Glibc

/// Waits for whichever of many sockets has something to read (epoll).
struct Watch {
  private let descriptor: Int32
  private var events = [epoll_event](repeating: epoll_event(), count: 1_024)

  init() throws(BenchFault) {
    // The kernel may otherwise let a wait last 50 us longer.
    sharpen_timers()
    descriptor = epoll_create1(0)
    guard descriptor >= 0 else { throw .system("epoll_create1") }
  }

  func add(_ socket: Socket) throws(BenchFault) {
    var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: socket.descriptor))
    guard epoll_ctl(descriptor, EPOLL_CTL_ADD, socket.descriptor, &event) == 0 else { throw .system("epoll_ctl") }
  }

  /// The descriptors that have something to read, none when the time is over; nil waits for ever. A closed socket is
  /// forgotten by itself.
  mutating func ready(within nanoseconds: UInt64?) throws(BenchFault) -> [Int32] {
    let most = Int32(events.count)
    let count: Int32
    if let nanoseconds {
      var patience = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
      count = epoll_pwait2(descriptor, &events, most, &patience, nil)
    } else {
      count = epoll_pwait2(descriptor, &events, most, nil, nil)
    }
    guard count >= 0 || errno == EINTR else { throw .system("epoll_pwait2") }
    return events.prefix(Int(max(count, 0))).map(\.data.fd)
  }

  func close() { Glibc.close(descriptor) }
}
