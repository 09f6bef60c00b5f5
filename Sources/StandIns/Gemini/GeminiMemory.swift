import Synchronization

/// What a session of the service has in its context.
struct GeminiConversation: Sendable, Hashable {
  struct Turn: Sendable, Hashable {
    var isUser: Bool
    var text: String
  }

  /// The session's number; a resumed connection goes on with it.
  var session = 0
  /// The number of the connection that has the session.
  var connection = 0
  var model = ""
  var turns: [Turn] = []
  var images = 0
  var textTokens = 0
  var audioTokens = 0
  /// Spoken turns, and what the user wants them to be heard as.
  var spokenTurns = 0
  var phrase: String?

  var userTexts: [String] { turns.filter(\.isUser).map(\.text) }
  /// 256 tokens for an image.
  var tokens: Int { textTokens + audioTokens + images * 256 }

  mutating func append(_ text: String, isUser: Bool) {
    turns.append(Turn(isUser: isUser, text: text))
    textTokens += text.split(separator: " ").count
  }
}

/// What one service remembers beyond its connections: the sessions behind its handles, which of them are connected, the
/// calls that it made, and how much audio it heard. Shared by the scripts of one server.
public final class GeminiMemory: Sendable {
  enum Resumption: Sendable, Hashable {
    case conversation(GeminiConversation)
    case unknown
    /// The session has another connection still.
    case connected
    case otherModel
    /// The user has asked for a failure.
    case broken
  }

  private struct State {
    var sessions = 0
    var handles: [String: GeminiConversation] = [:]
    var handleCount = 0
    var connections = 0
    /// The connection of each session that has one.
    var connected: [Int: Int] = [:]
    var broken: Set<Int> = []
    var calls: [Int: Set<String>] = [:]
    var callCount = 0
    var tokenUses: [String: Int] = [:]
    var audioBytes = 0

    mutating func connect(_ conversation: inout GeminiConversation) {
      connections += 1
      conversation.connection = connections
      connected[conversation.session] = connections
    }
  }

  private let state = Mutex(State())

  public init() {}

  /// The bytes of audio heard over all connections, decoded.
  public var audioBytes: Int { state.withLock(\.audioBytes) }

  func heard(audioBytes: Int) {
    state.withLock { $0.audioBytes += audioBytes }
  }

  // MARK: Sessions

  func begin(model: String) -> GeminiConversation {
    state.withLock { state in
      state.sessions += 1
      var conversation = GeminiConversation(session: state.sessions, model: model)
      state.connect(&conversation)
      return conversation
    }
  }

  /// The session behind a handle, connected from now on.
  func resume(_ handle: String, model: String) -> Resumption {
    state.withLock { state in
      guard var conversation = state.handles[handle] else { return .unknown }
      guard state.connected[conversation.session] == nil else { return .connected }
      guard conversation.model == model else { return .otherModel }
      guard state.broken.remove(conversation.session) == nil else { return .broken }
      state.connect(&conversation)
      return .conversation(conversation)
    }
  }

  /// The end of a connection; nothing if the session has another by now.
  func disconnect(_ conversation: GeminiConversation) {
    state.withLock { state in
      guard state.connected[conversation.session] == conversation.connection else { return }
      state.connected[conversation.session] = nil
    }
  }

  /// A new handle for the session as it is now; what comes later is lost to whoever resumes with it.
  func keep(_ conversation: GeminiConversation) -> String {
    state.withLock { state in
      state.handleCount += 1
      let handle = "5f0c1c5e-\(String(10_000 + state.handleCount).dropFirst())"
      state.handles[handle] = conversation
      return handle
    }
  }

  func forgetHandles(of session: Int) {
    state.withLock { state in
      state.handles = state.handles.filter { $0.value.session != session }
    }
  }

  func breakNextResumption(of session: Int) {
    _ = state.withLock { $0.broken.insert(session) }
  }

  // MARK: Calls and tokens

  /// The number of a new call.
  func nextCall() -> Int {
    state.withLock { state in
      state.callCount += 1
      return state.callCount
    }
  }

  func remember(call: String, of session: Int) {
    _ = state.withLock { $0.calls[session, default: []].insert(call) }
  }

  func hasMade(call: String, in session: Int) -> Bool {
    state.withLock { $0.calls[session]?.contains(call) ?? false }
  }

  /// Counts a new session for an ephemeral token; false when it has had all of its uses.
  func use(token: String, limit: Int) -> Bool {
    state.withLock { state in
      let uses = state.tokenUses[token, default: 0]
      guard uses < limit else { return false }
      state.tokenUses[token] = uses + 1
      return true
    }
  }
}
