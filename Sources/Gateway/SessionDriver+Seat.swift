import Metering
import NIOCore
import SessionCore
import Translation

// How long a session may go on by the minutes that its holders have.

extension SessionDriver {
  /// The session is told how long it may go on, now and whenever that changes.
  func takeSeat() {
    guard let seat else { return }
    let driver = NIOLoopBound(self, eventLoop: loop)
    seat.begin(at: Instant(loop.now)) { [loop] grant in
      loop.execute { driver.value.granted(grant) }
    }
  }

  private func granted(_ grant: SeatGrant?) {
    guard !hasEnded, let seat else { return }
    session.limitsStand(seat.standing())
    guard let grant else { return }
    step { session, now in
      session.grant(
        TimeGrant(endsAt: grant.endsAt, isFinal: grant.isFinal, name: .maxMinutesPerDay, most: seat.minutesOfDay),
        at: now)
    }
    flush()
  }
}
