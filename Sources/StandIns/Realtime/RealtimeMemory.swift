import Envelope
import Synchronization

/// What a service remembers beyond one connection: the tokens that it has issued, the conversations that can be
/// resumed, and the connections that it is going to drop. Shared by the scripts of one server.
public final class RealtimeMemory: Sendable {
  private struct State {
    /// The claims of each token, and how many connections it has opened.
    var tokens: [String: (claims: JSONObject, uses: Int)] = [:]
    /// The items of conversations whose client has asked for resumption.
    var conversations: [String: [JSONObject]] = [:]
    var drops = 0
    var sessionKeys: Set<String> = []
  }

  private let state = Mutex(State())

  public init() {}

  // MARK: Tokens

  func issue(_ token: String, claims: JSONObject) {
    state.withLock { $0.tokens[token] = (claims, 0) }
  }

  /// The claims of a token that is known and has uses left; counts the use.
  func redeem(_ token: String, limit: Int?) -> JSONObject? {
    state.withLock { state in
      guard let known = state.tokens[token], limit.map({ known.uses < $0 }) ?? true else {
        return nil
      }
      state.tokens[token]?.uses += 1
      return known.claims
    }
  }

  /// Whether no other connection has come with that session key.
  func takeSessionKey(_ key: String) -> Bool {
    state.withLock { $0.sessionKeys.insert(key).inserted }
  }

  // MARK: Drops

  func dropNext(_ count: Int) {
    state.withLock { $0.drops = count }
  }

  func takeDrop() -> Bool {
    state.withLock { state in
      guard state.drops > 0 else { return false }
      state.drops -= 1
      return true
    }
  }

  // MARK: Conversations

  func isKnown(_ conversation: String) -> Bool {
    state.withLock { $0.conversations[conversation] != nil }
  }

  /// The client has opted in; true if the conversation was known before.
  func allowResumption(of conversation: String) -> Bool {
    state.withLock { state in
      guard state.conversations[conversation] == nil else { return true }
      state.conversations[conversation] = []
      return false
    }
  }

  func items(of conversation: String) -> [JSONObject] {
    state.withLock { $0.conversations[conversation] ?? [] }
  }

  /// Keeps the items if the conversation's client has opted in.
  func keep(_ items: [JSONObject], of conversation: String) {
    state.withLock { state in
      guard state.conversations[conversation] != nil else { return }
      state.conversations[conversation] = items
    }
  }

  func forgetConversations() {
    state.withLock { $0.conversations = [:] }
  }
}
