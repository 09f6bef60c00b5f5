import Synchronization

/// Something counted that is in use until it is given back, or dropped by whoever held it.
final class OccupiedPlace: Sendable {
  private let isTaken = Mutex(true)
  private let onReturn: @Sendable () -> Void

  init(onReturn: @escaping @Sendable () -> Void) {
    self.onReturn = onReturn
  }

  func giveBack() {
    let wasTaken = isTaken.withLock { isTaken in
      defer { isTaken = false }
      return isTaken
    }
    if wasTaken { onReturn() }
  }

  deinit {
    giveBack()
  }
}
