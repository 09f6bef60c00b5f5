import Audio
import Envelope
import NIOCore
public import Translation

// What a service says of a response that the client does not want any more, and what it leaves unsaid of one that is open.

extension WireTranslator {
  /// No sound of a cancelled response is passed on any more: with a slow client megabytes of it may be on their way, and the
  /// end comes behind them (fault row 51).
  mutating func cancelAsked(responseID: String?, at now: Instant) {
    guard let id = responseID ?? mender.conversationResponseID, mender.openResponseIDs.contains(id),
      !cancelledResponses.contains(id)
    else { return }
    cancelledResponses.append(id)
    watchResponses(at: now)
  }

  /// A sound that came by the tree's way.
  ///
  /// - Returns: whether the client is to hear it.
  mutating func observeSound(_ event: JSONObject) -> Bool {
    if let id = event["response_id"]?.string, cancelledResponses.contains(id) { return false }
    speech.append(bytes: Base64.decodedByteCount(of: (event["delta"]?.string ?? "").utf8))
    return true
  }

  /// After each sign of the service, other than sound: it has so much time for the next.
  mutating func watchResponses(at now: Instant) {
    if !cancelledResponses.isEmpty {
      let open = mender.openResponseIDs
      cancelledResponses.removeAll { !open.contains($0) }
    }
    guard mender.isMidTurn, !isHeldBack else { return stallsAt = nil }
    stallsAt = now + (cancelledResponses.isEmpty ? Limits.stallTimeout : Limits.cancelTimeout)
  }

  /// The service has stopped in the middle of a response. What it may say of that later would be wrong, so the call goes on
  /// over another connection.
  mutating func responseStalled(at now: Instant, port: inout Port) {
    port.note(.warning, "the provider did not go on with a response", [:])
    closeOpenResponses(Self.stalled, port: &port)
    renew(at: now, port: &port)
  }

  private static let stalled = UpstreamVerdict(
    code: "upstream_timeout", message: "The provider did not go on with its response in time.", outlook: .mayRecover)

  public mutating func upstreamIsHeldBack(_ isHeld: Bool, at now: Instant) {
    isHeldBack = isHeld
    if !isHeld {
      if transcriptAt != nil { transcriptAt = now + Limits.transcriptTimeout }
      for index in awaited.indices where awaited[index].since != nil { awaited[index].since = now }
    }
    watchResponses(at: now)
  }
}
