import Metering
import NativeCode

/// Asks a store, and gives up after a while.
enum Storage {
  /// How long a store may take to answer, beyond which it counts as away.
  static let patience = Duration.seconds(5)

  /// The answer of whichever comes first, the store or the time. A store that hangs is left alone, not waited for.
  ///
  /// - Throws: `HTTPFault`: 503 `ledger_unavailable` where it does not answer, 400 for what it cannot hold, 409 for
  ///   what is there already.
  static func asked<Answer: Sendable>(
    within patience: Duration = Self.patience, _ ask: @escaping @Sendable () async throws -> Answer
  ) async throws -> Answer {
    let result: Result<Answer, any Error>? = await firstWithin(patience) {
      do {
        return .success(try await ask())
      } catch let fault as StorageFault {
        return .failure(HTTPFault(fault))
      } catch {
        return .failure(error)
      }
    }
    guard let result else { throw HTTPFault.ledgerUnavailable }
    return try result.get()
  }
}

extension HTTPFault {
  init(_ fault: StorageFault) {
    switch fault {
    case .unavailable, .damaged: self = .ledgerUnavailable
    case .conflict(let text): self = .conflict("conflict", text)
    case .unsuitable(let text): self.init(status: 400, code: "invalid_value", message: text)
    }
  }
}
