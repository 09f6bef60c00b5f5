import Envelope
import NIOCore
import ParleyTesting

/// Times that all processes of a run have in common.
enum CommonTime {
  static func milliseconds(_ time: NIODeadline = .now()) -> Int { Int(time.uptimeNanoseconds / 1_000_000) }
}

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
    /// A spoken turn was not answered yet when it was written, to a service whose answers have no names.
    var crossesSpeech = false
    var isAdded = false
    /// Its creation was an error.
    var isRefused = false
    var isAsked = false
    /// A response was done with this status, or an error named the request.
    var outcome: String?
  }

  /// 20 ms of sound that were sent.
  struct Block: Sendable {
    var atMs: Int
    var isLoud: Bool
  }

  /// An answer, as far as it was heard.
  private struct Response: Sendable {
    /// The note that it names.
    var note: Int?
    /// How much had been spoken when it began.
    let blocksAtStart: Int
    /// The client has cancelled it.
    var isCancelled = false
    /// Speech began while it was under way.
    var isInterrupted = false
    var words = ""
    var sound: [UInt8] = []
    var isEmpty: Bool { words.isEmpty && sound.isEmpty }
    /// Sound may come before any word, and then more of it than an ordinary answer has.
    var isStory: Bool { words.isEmpty || words.hasPrefix("Once") }
  }

  let session: Int
  let provider: String
  var end = End.neverBegan
  var endedMs = 0
  var blocks: [Block] = []
  /// When a fault ended a connection between Parley and the service.
  var upstreamBreaks: [Int] = []
  /// When a stall, or a slow behaviour, began to hold back what was said there, a goodbye too.
  var upstreamHolds: [Int] = []
  /// When one of them vanished, so that nobody knew.
  var upstreamVanished: [Int] = []
  /// A fault ended the client's own connection.
  var clientWasBroken = false
  var notes: [Int: Note] = [:]
  var errors: [String] = []
  /// When an event told that something of the call was lost.
  var tellings: [Int] = []
  var failedResponses = 0
  var spokenTurns = 0
  var spokenAnswers = 0
  /// Answers that were held against no note, for they may be those to speech.
  var crossedAnswers = 0
  private(set) var hasCancelled = false
  private(set) var lastType = ""
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
  /// How often each note was answered in whole.
  private var answers: [Int: Int] = [:]
  /// A complete answer of which not all sound was heard: speech may have taken it back.
  private var takenBack: (rule: String, blocksAtStart: Int)?

  init(session: Int, provider: String) {
    (self.session, self.provider) = (session, provider)
  }

  var isGemini: Bool { provider.hasPrefix("gemini") }
  var blocksSent: Int { blocks.count }

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
    lastType = event["type"]?.string ?? ""
    switch lastType {
    case "error": hearError(event)
    case "input_audio_buffer.speech_started": hearSpeech()
    case "conversation.item.added":
      if let number = noteNumber(event["item"]?["id"]?.string, prefix: "item") { notes[number]?.isAdded = true }
    case "response.created":
      guard let id = event["response"]?["id"]?.string else { break }
      judgeTakenBack()
      let note = noteNumber(event["response"]?["metadata"]?["note"]?.string, prefix: "note")
      responses[id] = Response(note: note, blocksAtStart: blocksSent)
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

  /// Cancels the answer to a note, if there is one under way.
  ///
  /// - Returns: the answer's id.
  mutating func cancel(_ note: Int) -> String? {
    guard let id = responses.first(where: { $0.value.note == note })?.key else { return nil }
    responses[id]?.isCancelled = true
    hasCancelled = true
    return id
  }

  private mutating func hearSpeech() {
    for id in responses.keys { responses[id]?.isInterrupted = true }
    if let takenBack, blocksSent > takenBack.blocksAtStart { self.takenBack = nil }
  }

  private mutating func hearError(_ event: JSONValue) {
    let error = event["error"]
    let code = error?["code"]?.string ?? error?["type"]?.string ?? "unnamed"
    errors.append(code)
    if code == "context_lost" || code == "upstream_lost" { tellings.append(CommonTime.milliseconds()) }
    record("< error \(error?["code"]?.string ?? "") \(error?["message"]?.string ?? "")")
    if let number = noteNumber(error?["event_id"]?.string, prefix: "ask") {
      if notes[number]?.outcome == nil { notes[number]?.outcome = "error" }
    }
    if let number = noteNumber(error?["event_id"]?.string, prefix: "create") {
      notes[number]?.isAdded = true
      notes[number]?.isRefused = true
    }
  }

  private mutating func hearDone(_ event: JSONValue) {
    guard let id = event["response"]?["id"]?.string, let response = responses.removeValue(forKey: id) else { return }
    let status = event["response"]?["status"]?.string ?? ""
    record("< response.done \(id) \(status), \(response.words.suffix(40)), \(response.sound.count) bytes")
    let isWhole = status == "completed"
    judge(response, id, status)
    judge(response, id, isWhole: isWhole && !response.isEmpty)
    if isWhole { countAnswers(response) }
    guard let number = response.note, let note = notes[number] else { return }
    if note.outcome != nil, note.outcome != "error" { broke("note \(number) was answered twice") }
    notes[number]?.outcome = status
    guard isWhole else { return }
    guard !note.crossesSpeech else {
      crossedAnswers += 1
      return
    }
    let isAnswer = note.isStory ? response.words.hasPrefix("Once") : names(response, number)
    if !isAnswer { broke("note \(number) was answered with: \(response.words.prefix(80))") }
  }

  private func names(_ response: Response, _ note: Int) -> Bool {
    response.words.contains("note \(Numbers.note(note, session: session));")
  }

  private mutating func countAnswers(_ response: Response) {
    for number in notes.keys where names(response, number) {
      answers[number, default: 0] += 1
      if answers[number] == 2 { broke("the answer to note \(number) came twice") }
    }
  }

  /// Holds how an answer ended against what may have ended it.
  private mutating func judge(_ response: Response, _ id: String, _ status: String) {
    switch status {
    case "completed":
      // One of two that cross may have been taken for the other.
      let crosses = response.note.flatMap { notes[$0] }?.crossesSpeech == true
      if response.isEmpty, !crosses { broke("\(id) is complete and empty") }
    case "cancelled":
      if !response.isCancelled, !response.isInterrupted { broke("\(id) was cancelled by nobody") }
    case "failed":
      failedResponses += 1
      tellings.append(CommonTime.milliseconds())
    default: broke("\(id) ended as \(status)")
    }
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
    let rule = "\(id) has \(count) of \(expected.count) bytes of sound"
    if count > expected.count {
      broke(rule)
    } else if !expected.starts(with: response.sound) {
      broke("\(id) has other sound than was said")
    } else if isWhole, count < expected.count, !response.isCancelled {
      takenBack = (rule, response.blocksAtStart)
    }
  }

  /// No speech came before the next answer, or the end, that could have taken sound back.
  private mutating func judgeTakenBack() {
    if let takenBack { broke(takenBack.rule) }
    takenBack = nil
  }

  private func noteNumber(_ id: String?, prefix: String) -> Int? {
    guard let id, id.hasPrefix("\(prefix)_\(session)_") else { return nil }
    return Int(id.dropFirst("\(prefix)_\(session)_".count))
  }

  // MARK: The end

  /// What must hold when the session is over.
  mutating func finish() {
    endedMs = CommonTime.milliseconds()
    for (id, response) in responses.sorted(by: { $0.key < $1.key }) { judge(response, id, isWhole: false) }
    guard end == .finished else { return }
    judgeTakenBack()
    for (number, note) in notes.sorted(by: { $0.key < $1.key }) {
      if !note.isAdded { broke("note \(number) was neither added nor refused") }
      if note.isAsked, note.outcome == nil { broke("note \(number) was asked about and got no response") }
    }
  }
}

extension ClientLedger {
  /// What must hold of the end, of errors and of failures when it is known what struck the links.
  mutating func judgeCauses() {
    switch end {
    case .lost, .silent, .neverBegan: if !clientWasBroken { broke("ended as \(end), and its link was sound") }
    case .closed(let code):
      if code != 1013 { broke("closed with \(code)") }
      if lastType != "error" { broke("closed with \(code), and the last event was \(lastType)") }
      if upstreamBreaks.isEmpty { broke("closed with \(code), and no link was broken") }
    case .finished, .dropped: break
    }
    if failedResponses > 0, upstreamBreaks.isEmpty { broke("a response failed, and no link was broken") }
    for code in errors where !isCaused(code) { broke("error \(code)") }
  }

  private func isCaused(_ code: String) -> Bool {
    switch code {
    case "response_cancel_not_active": hasCancelled
    // An answer to speech may have begun when the note's was asked for.
    case "conversation_already_has_active_response": blocksSent > 0
    case "context_lost", "upstream_lost", "upstream_timeout", "upstream_closed", "upstream_unreachable":
      !upstreamBreaks.isEmpty
    default: false
    }
  }

  /// What Parley does not promise: what is older than its ring (a second where a vanished connection was replaced
  /// before it was missed), and, of Gemini, which has no positions, silence behind a turn that the service has heard to
  /// its end.
  ///
  /// - Parameter last: the last block that the connection before was told; -1 for none.
  func isExcused(_ lost: Range<Int>, heardTo last: Int, before endMs: Int, since: Int) -> Bool {
    let vanished = upstreamVanished.contains { since <= $0 && $0 <= endMs }
    let ring = vanished ? 50 : isGemini ? 150 : 250
    if blocks.count(where: { $0.atMs < endMs }) - lost.upperBound >= ring { return true }
    let lost = lost.clamped(to: blocks.indices)
    guard isGemini, !blocks[lost].contains(where: \.isLoud),
      let spoken = blocks[..<lost.lowerBound].lastIndex(where: \.isLoud)
    else { return false }
    // `silence_duration_ms` is 300.
    return last >= spoken + 15
  }
}
