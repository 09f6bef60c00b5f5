import Access
import Envelope
import Routing
import Synchronization
import Translation

@testable import Operator

/// Admits who shows `hyb_good`, wherever, and gives tokens that say what was ordered.
final class FakeTokenDesk: TokenIssuing {
  static let key = "hyb_good"
  static let publishable = "vkey_page"
  static let issuedAt = 1_767_229_435

  private let seen = Mutex<MintOrder?>(nil)

  /// The last order.
  var order: MintOrder? { seen.withLock { $0 } }

  func admit(_ asker: TokenAsker) async throws(HTTPFault) -> Admittance {
    let credential: Credential?
    do {
      credential = try Credential.extract(headers: asker.headers, target: asker.target)
    } catch {
      throw HTTPFault(.badCredential(error), contact: "")
    }
    guard let key = credential?.key ?? asker.keyInBody else { throw HTTPFault(.noCredential, contact: "") }
    guard [Self.key, Self.publishable].contains(key.reveal()) else { throw HTTPFault(.wrongKey, contact: "") }
    return Admittance(principal: .anonymous)
  }

  func issue(
    _ order: MintOrder, to admittance: Admittance, askedBy asker: TokenAsker
  ) async throws(HTTPFault) -> IssuedToken {
    seen.withLock { $0 = order }
    if order.session["audio"]?["output"]?["voice"] == "nobody" {
      throw HTTPFault(.invalidValue("nobody", param: "session.audio.output.voice"))
    }
    var session = RealtimeSession.defaults(
      id: "sess_1", model: order.model ?? "gemini-3.8-live", voice: "marin", expiresAt: 0)
    if order.purpose == .transcription { session.become(.transcription) }
    if let voice = order.session["audio"]?["output"]?["voice"]?.string { session.audio.output.voice = .named(voice) }
    session.instructions = order.session["instructions"]?.string ?? ""
    return IssuedToken(
      value: Redacted("ek_eyJ.e30.c2ln"), id: "3q2-7w", issuedAt: Self.issuedAt,
      expiresAt: Self.issuedAt + (order.lifetimeSeconds ?? 300), provider: order.provider ?? "gemini",
      model: order.model ?? "gemini-3.8-live", session: JSONCoding.encode(session).object ?? [:],
      webSocketURL: "ws://\(asker.values(of: "host").first ?? "")/v1/realtime")
  }
}
