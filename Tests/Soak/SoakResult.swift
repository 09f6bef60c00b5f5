import Foundation

/// The lines of Parley's log that the verdict needs.
struct GatewayLog: Sendable {
  var begun = 0
  var ended = 0
  /// What was logged at error level or above.
  var errors: [String] = []

  init(path: String) throws {
    for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2)
      guard words.count == 3 else { continue }
      // Why a session failed is asked of its ledger.
      if words[1] == "error" || words[1] == "critical", !line.contains("session failed") { errors.append(String(line)) }
      if line.contains("session began") { begun += 1 }
      if line.contains("session ended") { ended += 1 }
    }
  }

  init() {}
}

/// What a run has come to.
struct SoakResult: Sendable {
  /// How much more memory the last half of a run may end with than it began with, by its slope.
  static let memoryGrowth = 0.01
  /// A shorter run says nothing of memory.
  static let secondsForMemory = 300
  /// A run of so many has to be long enough to judge memory.
  static let sessionsForMemory = 2_000

  let seed: UInt64
  let planned: Int
  let baseDescriptors: Int
  var endDescriptors = 0
  var hasDied = false
  var exitCode: Int32?
  var log = GatewayLog()
  var memory: [Int] = []
  var openUpstream = 0
  var upstreamConnections = 0
  var duration = Duration.zero
  private var sessions = 0
  private var ends: [String: Int] = [:]
  private var faults: [String: Int] = [:]
  private var asked = 0
  private var outcomes: [String: Int] = [:]
  private var blocks = 0
  private var blocksLost = 0
  private var blocksUnheard = 0
  private var spokenAnswers = 0
  private var crossedAnswers = 0
  private var broken: [ClientLedger] = []

  init(seed: UInt64, planned: Int, baseDescriptors: Int) {
    (self.seed, self.planned, self.baseDescriptors) = (seed, planned, baseDescriptors)
  }

  mutating func add(_ outcome: Lane.Outcome) {
    let ledger = outcome.ledger
    sessions += 1
    ends[Self.name(ledger.end), default: 0] += 1
    for (name, count) in outcome.faults { faults[name, default: 0] += count }
    asked += ledger.notes.count
    for note in ledger.notes.values { outcomes[note.outcome ?? "session ended before", default: 0] += 1 }
    blocks += ledger.blocksSent
    blocksLost += ledger.blocksLost
    blocksUnheard += ledger.blocksUnheard
    spokenAnswers += ledger.spokenAnswers
    crossedAnswers += ledger.crossedAnswers
    if !ledger.violations.isEmpty { broken.append(ledger) }
  }

  private static func name(_ end: ClientLedger.End) -> String {
    switch end {
    case .neverBegan: "cut before the 101"
    case .finished: "closed by the client, 1000"
    case .dropped: "left by the client without a word"
    case .closed(let code): "closed by Parley, \(code)"
    case .lost: "client's connection lost"
    case .silent: "client's link silent"
    }
  }

  /// The growth over the last half, by least squares, as a share of its mean.
  private var growth: Double? {
    let half = memory.suffix(memory.count / 2).map(Double.init)
    guard memory.count >= Self.secondsForMemory else { return nil }
    let count = Double(half.count)
    let mean = half.reduce(0, +) / count
    let middle = (count - 1) / 2
    let slope =
      half.enumerated().reduce(0) { $0 + (Double($1.offset) - middle) * ($1.element - mean) }
      / half.indices.reduce(0) { $0 + (Double($1) - middle) * (Double($1) - middle) }
    return slope * count / mean
  }

  var violations: [String] {
    var violations = broken.flatMap { ledger in
      ledger.violations.map { "session \(ledger.session) (\(ledger.provider)): \($0)" }
    }
    if sessions < planned { violations.append("\(planned) sessions were planned, and \(sessions) ran") }
    if hasDied { violations.append("parley has died") }
    if exitCode != 0 { violations.append("parley ended with \(exitCode.map(String.init) ?? "a signal"), not 0") }
    if endDescriptors > baseDescriptors {
      violations.append("\(endDescriptors) descriptors are open; \(baseDescriptors) were at the beginning")
    }
    if openUpstream > 0 { violations.append("\(openUpstream) connections to services never ended") }
    if log.begun != log.ended { violations.append("\(log.begun) sessions began and \(log.ended) ended, by the log") }
    for error in log.errors.prefix(5) { violations.append("logged: \(error)") }
    if let growth {
      if growth > Self.memoryGrowth { violations.append("memory grew by \(Self.percent(growth)) in the last half") }
    } else if planned >= Self.sessionsForMemory {
      violations.append("the run was too short to judge memory")
    }
    return violations
  }

  private static func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }

  func report(command: String) -> String {
    let total = faults.values.reduce(0, +)
    func list(_ counts: [String: Int]) -> String {
      counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
    let megabytes = memory.map { $0 / 1_048_576 }
    var lines = [
      "`soak \(command)`", "",
      "| what | figure |", "|---|---|",
      "| seed | \(seed) |",
      "| sessions | \(sessions) in \(duration.components.seconds) s |",
      "| faults that struck | \(total): \(list(faults)) |",
      "| how sessions ended | \(list(ends)) |",
      "| connections to services | \(upstreamConnections) |",
      "| written notes, each asked about | \(asked): \(list(outcomes)) |",
      "| complete answers held against no note, for they cross those to speech | \(crossedAnswers) |",
      "| numbered blocks of 20 ms spoken | \(blocks), with \(spokenAnswers) answers to speech |",
      "| blocks lost with an event that told so, and into connections that broke, without one | \(blocksLost), \(blocksUnheard) |",
      "| descriptors at the beginning and the end | \(baseDescriptors), \(endDescriptors) |",
      "| resident memory, MiB: least, most, last | \(megabytes.min() ?? 0), \(megabytes.max() ?? 0), \(megabytes.last ?? 0) |",
      "| memory's slope over the last half | \(growth.map(Self.percent) ?? "too short to say") |",
      "| sessions that began and ended by the log | \(log.begun), \(log.ended) |",
      "| violations | \(violations.count) |", "",
    ]
    let violations = violations
    lines += violations.prefix(10).map { "* \($0)" }
    if violations.count > 10 { lines.append("* and \(violations.count - 10) more") }
    lines.append(
      violations.isEmpty ? "Nothing lost, nothing doubled, nothing left over." : "FAILED: repeat with --seed \(seed).")
    return lines.joined(separator: "\n")
  }

  /// What the sessions that broke a rule have said and heard.
  var transcripts: [String] {
    broken.flatMap { ledger in
      ["", "session \(ledger.session) (\(ledger.provider)):"]
        + ledger.transcript.sorted { $0.atMs < $1.atMs }.map { "\($0.atMs) ms \($0.line)" }
    }
  }
}
