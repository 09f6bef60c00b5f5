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
    var words = ""
    var sound = 0
  }

  let session: Int
  let provider: String
  var end = End.neverBegan
  var blocksSent = 0
  var notes: [Int: Note] = [:]
  var errors: [String] = []
  var failedResponses = 0
  var spokenAnswers = 0
  var violations: [String] = []
  /// The last of what was said and heard, for the report.
  var transcript: [String] = []
  private var invariants = EventInvariants()
  private var responses: [String: Int?] = [:]
  private var sounds: [String: Int] = [:]

  init(session: Int, provider: String) {
    (self.session, self.provider) = (session, provider)
  }

  /// Whether an event has told that something of the call was lost.
  var wasToldOfLoss: Bool { failedResponses > 0 || errors.contains { $0 == "context_lost" || $0 == "upstream_lost" } }

  mutating func record(_ line: String) {
    transcript.append(line)
    if transcript.count > 60 { transcript.removeFirst() }
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
      let named = noteNumber(event["response"]?["metadata"]?["note"]?.string, prefix: "note")
      responses[id] = .some(named)
      if named == nil { spokenAnswers += 1 }
    case "response.output_audio_transcript.delta":
      guard let delta = event["delta"]?.string, let number = note(of: event) else { break }
      notes[number]?.words += delta
      if let note = notes[number], note.isStory, !Numbers.story.hasPrefix(note.words) {
        broke("the story of note \(number) is out of order: \(note.words.suffix(40))")
      }
    case "response.output_audio.delta": hearSound(event)
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

  private mutating func hearSound(_ event: JSONValue) {
    guard let id = event["response_id"]?.string, let text = event["delta"]?.string else { return }
    let bytes = Base64Bytes.decode(text)
    let number = note(of: event)
    let isStory = number.flatMap { notes[$0]?.isStory } ?? false
    let expected = isStory ? Numbers.storySound : Numbers.answerSound
    let start = sounds[id, default: 0]
    sounds[id] = start + bytes.count
    if let number { notes[number]?.sound += bytes.count }
    if start + bytes.count > expected.count {
      broke("\(id) has more sound than was said: \(start + bytes.count) of \(expected.count) bytes")
    } else if !expected[start..<start + bytes.count].elementsEqual(bytes) {
      broke("\(id) has other sound than was said, from byte \(start)")
    }
  }

  private mutating func hearDone(_ event: JSONValue) {
    guard let response = event["response"], let id = response["id"]?.string else { return }
    let status = response["status"]?.string ?? ""
    record("< response.done \(id) \(status)")
    if status == "failed" { failedResponses += 1 }
    guard let number = responses[id].flatMap(\.self), let note = notes[number] else { return }
    if note.outcome != nil, note.outcome != "error" { broke("note \(number) was answered twice") }
    notes[number]?.outcome = status
    guard status == "completed" else { return }
    if note.isStory {
      if note.words != Numbers.story { broke("the story of note \(number) is not whole: \(note.words.suffix(40))") }
    } else if !note.words.hasPrefix("You said: ")
      || !note.words.contains("note \(Numbers.note(number, session: session));")
    {
      broke("note \(number) was answered with: \(note.words)")
    }
    let expected = note.isStory ? Numbers.storySound.count : Numbers.answerSound.count
    if note.sound != expected { broke("note \(number) was answered with \(note.sound) of \(expected) bytes of sound") }
  }

  private func note(of event: JSONValue) -> Int? {
    event["response_id"]?.string.flatMap { responses[$0] }.flatMap(\.self)
  }

  private func noteNumber(_ id: String?, prefix: String) -> Int? {
    guard let id, id.hasPrefix("\(prefix)_\(session)_") else { return nil }
    return Int(id.dropFirst("\(prefix)_\(session)_".count))
  }

  // MARK: The end

  /// What must hold when the session is over.
  mutating func finish() {
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
