import Envelope
public import Translation

// What our own mistakes do (fault row 65): the session ends that met one, and no other.

extension Session {
  /// Something is as it never can be. The client is told with an error id, which is in the log beside what was found.
  ///
  /// - Parameter invariant: what does not hold, in words of our own.
  public mutating func fail(_ invariant: String, at now: Instant) {
    defer { dress() }
    found(invariant, at: now)
  }

  /// The same within a step.
  mutating func found(_ invariant: String, at now: Instant) {
    guard phase != .ended else { return }
    let id = port.ids.next(.event)
    port.note(.error, "an invariant does not hold", ["invariant": invariant, "error_id": id])
    end(
      EventFault(
        type: "server_error", code: "internal_error",
        message: "The gateway has made a mistake and ends this session; connect again. Its operator finds error \(id).",
        param: nil),
      closing: 1011, at: now)
  }
}
