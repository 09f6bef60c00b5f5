import Envelope
import ParleyTesting

/// What a client has said and heard, and whether that can be true.
struct ClientLedger: Sendable {
  enum End: Sendable, Equatable {
    /// The client was never let in: its link was struck before the 101.
    case neverBegan
    /// The client said goodbye and the handshake was completed.
    case finished
    /// The client went without a word, as its script says.
    case dropped
    /// Parley closed, with this code.
    case closed(Int)
    /// The bytes ended, or the connection was reset.
    case lost
    /// Nothing came any more.
    case silent
  }

  struct Note: Sendable {
    var isStory: Bool
    var isAdded = false
    var isAsked = false
    /// A response was done with this status, or an error named the request.
    var outcome: String?
  }

  /// An answer, as far as it was heard.
  private struct Response: Sendable {
    /// The note that it names.
    var note: Int?
    var words = ""
    var sound: [UInt8] = []
    var isEmpty: Bool { words.isEmpty && sound.isEmpty }
    /// Sound may come before any word, and then more of it than an ordinary answer has.
    var isStory: Bool { words.isEmpty || words.hasPrefix("Once") }
  }

  let session: Int
  let provider: String
  var end = End.neverBegan
  var blocksSent = 0
  /// Whether a fault struck between Parley and the service.
  var upstreamWasStruck = false
  var notes: [Int: Note] = [:]
  var errors: [String] = []
  var failedResponses = 0
  var spokenAnswers = 0
  var violations: [String] = []
  /// Blocks that the service was not told of, and an event told so.
  var blocksLost = 0
  /// Blocks that went into a connection to the service that was lost, and no event told so.
  var blocksUnheard = 0
  /// The last of what was said and heard and what struck, with the milliseconds since the session began.
  private(set) var transcript: [(atMs: Int, line: String)] = []
  private let began = ContinuousClock.now
  private var invariants = EventInvariants()
  private var responses: [String: Response] = [:]

  init(session: Int, provider: String) {
    (self.session, self.provider) = (session, provider)
  }

  /// Whether an event has told that something of the call was lost.
  var wasToldOfLoss: Bool { failedResponses > 0 || errors.contains { $0 == "context_lost" || $0 == "upstream_lost" } }

  mutating func record(_ line: String, atMs: Int? = nil) {
    let elapsed = began.duration(to: .now)
    transcript.append((atMs ?? Int(elapsed / .milliseconds(1)), line))
    if transcript.count > 80 { transcript.removeFirst() }
  }

  mutating func broke(_ rule: String) {
    violations.append(rule)
    record("VIOLATION \(rule)")
  }

  // MARK: What is heard

  mutating func hear(_ event: JSONValue) {
    let before = invariants.violations.count
    invariants.observe(event)
    for violation in invariants.violations[before...] { broke(violation) }
    let type = event["type"]?.string ?? ""
    switch type {
    case "error": hearError(event)
    case "conversation.item.added":
      if let number = noteNumber(event["item"]?["id"]?.string, prefix: "item") { notes[number]?.isAdded = true }
    case "response.created":
      guard let id = event["response"]?["id"]?.string else { break }
      let note = noteNumber(event["response"]?["metadata"]?["note"]?.string, prefix: "note")
      responses[id] = Response(note: note)
      if note == nil { spokenAnswers += 1 }
    case "response.output_audio_transcript.delta":
      guard let id = event["response_id"]?.string, let delta = event["delta"]?.string else { break }
      responses[id]?.words += delta
    case "response.output_audio.delta":
      guard let id = event["response_id"]?.string, let delta = event["delta"]?.string else { break }
      responses[id]?.sound += Base64Bytes.decode(delta)
    case "response.done": hearDone(event)
    default: break
    }
  }

  private mutating func hearError(_ event: JSONValue) {
    let error = event["error"]
    errors.append(error?["code"]?.string ?? error?["type"]?.string ?? "unnamed")
    record("< error \(error?["code"]?.string ?? "") \(error?["message"]?.string ?? "")")
    if let number = noteNumber(error?["event_id"]?.string, prefix: "ask") {
      if notes[number]?.outcome == nil { notes[number]?.outcome = "error" }
    }
    if let number = noteNumber(error?["event_id"]?.string, prefix: "create") { notes[number]?.isAdded = true }
  }

  private mutating func hearDone(_ event: JSONValue) {
    guard let id = event["response"]?["id"]?.string, let response = responses.removeValue(forKey: id) else { return }
    let status = event["response"]?["status"]?.string ?? ""
    record("< response.done \(id) \(status)")
    if status == "failed" { failedResponses += 1 }
    judge(response, id, isWhole: status == "completed" && !response.isEmpty)
    guard let number = response.note, let note = notes[number] else { return }
    if note.outcome != nil, note.outcome != "error" { broke("note \(number) was answered twice") }
    notes[number]?.outcome = status
    // Gemini's answers have no names: one to speech may be taken for one to a note that crosses it.
    guard status == "completed", !(provider.hasPrefix("gemini") && blocksSent > 0) else { return }
    let isAnswer =
      note.isStory ? response.isStory : response.words.contains("note \(Numbers.note(number, session: session));")
    if !isAnswer { broke("note \(number) was answered with: \(response.words.prefix(80))") }
  }

  /// Holds what was heard of an answer against what was said.
  private mutating func judge(_ response: Response, _ id: String, isWhole: Bool) {
    let expected = response.isStory ? Numbers.storySound : Numbers.answerSound
    if response.isStory {
      let isRight = isWhole ? response.words == Numbers.story : Numbers.story.hasPrefix(response.words)
      if !isRight { broke("\(id) told the story as: \(response.words.suffix(60))") }
    } else if isWhole, !response.words.hasPrefix("You said: ") {
      broke("\(id) said: \(response.words.prefix(80))")
    }
    let count = response.sound.count
    if count > expected.count || (isWhole && count < expected.count) {
      broke("\(id) has \(count) of \(expected.count) bytes of sound")
    } else if !expected.starts(with: response.sound) {
      broke("\(id) has other sound than was said")
    }
  }

  private func noteNumber(_ id: String?, prefix: String) -> Int? {
    guard let id, id.hasPrefix("\(prefix)_\(session)_") else { return nil }
    return Int(id.dropFirst("\(prefix)_\(session)_".count))
  }

  // MARK: The end

  /// What must hold when the session is over.
  mutating func finish() {
    for (id, response) in responses.sorted(by: { $0.key < $1.key }) { judge(response, id, isWhole: false) }
    if case .closed(let code) = end, code != 1000 {
      if ![1012, 1013, 1014].contains(code) { broke("closed with \(code)") }
      if errors.isEmpty { broke("closed with \(code) and no error event before") }
    }
    guard end == .finished else { return }
    for (number, note) in notes.sorted(by: { $0.key < $1.key }) {
      if !note.isAdded { broke("note \(number) was neither added nor refused") }
      if note.isAsked, note.outcome == nil { broke("note \(number) was asked about and got no response") }
    }
  }
}
