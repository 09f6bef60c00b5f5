import Envelope
import Foundation

/// What a service was told over one connection.
struct UpstreamLedger: Sendable {
  var connection: Int
  var session: Int?
  var notes: [String]
  var runs: [ClosedRange<Int>]
  var strayBytes: Int
  var refusals: [String]
  /// It was refused, for the service held the connection before.
  var wasBusy = false
  var beganMs = 0
  var endedMs = 0

  /// The numbers of a session's notes.
  func numbers(of session: Int) -> [Int] {
    notes.compactMap { $0.hasPrefix("\(session).") ? Int($0.dropFirst("\(session).".count)) : nil }
  }

  /// All of a peer's ledger, and the connections that have begun and not ended.
  static func read(_ path: String) throws -> (ledgers: [UpstreamLedger], open: Set<Int>) {
    var ledgers: [UpstreamLedger] = []
    var open: [Int: Int] = [:]
    for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
      guard let value = try? JSONValue(parsing: String(line)), let connection = value["connection"]?.int else {
        continue
      }
      guard value["ended"]?.bool == true else {
        open[connection] = value["at"]?.int ?? 0
        continue
      }
      let beganMs = open.removeValue(forKey: connection) ?? 0
      ledgers.append(
        UpstreamLedger(
          connection: connection, session: value["session"]?.int,
          notes: value["notes"]?.array?.compactMap(\.string) ?? [],
          runs: value["runs"]?.array?.compactMap { run in
            guard let first = run[0]?.int, let last = run[1]?.int else { return nil }
            return first...last
          } ?? [],
          strayBytes: value["strayBytes"]?.int ?? 0, refusals: value["refusals"]?.array?.map(\.text) ?? [],
          wasBusy: value["busy"]?.bool == true, beganMs: beganMs, endedMs: value["at"]?.int ?? 0))
    }
    return (ledgers.sorted { $0.connection < $1.connection }, Set(open.keys))
  }
}

/// Compares what clients said with what services were told (`docs/soak.md` says the rules).
enum Judgement {
  /// What a renewed connection may be told of again: the ring of what was spoken last (3 s of Gemini, 5 s of OpenAI),
  /// in blocks of 20 ms, and the piece that was being gathered.
  private static func repeatedBlocks(_ client: ClientLedger) -> Int { client.isGemini ? 160 : 260 }
  /// How long after a connection's successor has begun, or after the end, the event may come that tells of its loss.
  private static let tellingMs = 5_000

  /// How long ago what holds a link back may have begun: it lasts up to 1.5 s, and what it held needs time to pass.
  private static let holdMs = 2_500

  static func judge(_ client: inout ClientLedger, _ upstream: [UpstreamLedger]) {
    client.judgeCauses()
    for ledger in upstream { judge(ledger, of: &client) }
    judgeBusy(&client, upstream)
    judgeNotes(&client, upstream)
    judgeSound(&client, upstream)
  }

  /// What must hold of each connection by itself.
  private static func judge(_ ledger: UpstreamLedger, of client: inout ClientLedger) {
    let place = "connection \(ledger.connection)"
    for refusal in ledger.refusals { client.broke("\(place) was refused: \(refusal)") }
    if ledger.strayBytes > 0 { client.broke("\(place): \(ledger.strayBytes) bytes of torn sound") }
    if ledger.runs.count > 1 { client.broke("\(place): sound with gaps or repeats: \(ledger.runs)") }
    if let last = ledger.runs.last?.upperBound, last >= client.blocksSent {
      client.broke("\(place): block \(last) was never spoken")
    }
    let numbers = ledger.numbers(of: client.session)
    if numbers.count < ledger.notes.count {
      client.broke("\(place) was told another session's notes: \(ledger.notes)")
    }
    if numbers != Array(Set(numbers)).sorted() { client.broke("\(place) was told notes \(numbers)") }
  }

  /// A service may still hold a connection only if its link was broken or slow, so that it could not know of the end.
  private static func judgeBusy(_ client: inout ClientLedger, _ upstream: [UpstreamLedger]) {
    for ledger in upstream where ledger.wasBusy {
      let isCaused = upstream.contains { old in
        old.connection < ledger.connection && old.endedMs > ledger.beganMs
          && (client.upstreamBreaks.contains { old.beganMs <= $0 && $0 <= ledger.beganMs }
            || client.upstreamHolds.contains { ledger.beganMs - holdMs <= $0 && $0 <= old.endedMs })
      }
      if !isCaused { client.broke("connection \(ledger.connection) came while the one before was open and sound") }
    }
  }

  private static func judgeNotes(_ client: inout ClientLedger, _ upstream: [UpstreamLedger]) {
    let told = Set(upstream.flatMap { $0.numbers(of: client.session) })
    for (number, note) in client.notes.sorted(by: { $0.key < $1.key }) where note.outcome == "completed" {
      if !told.contains(number) { client.broke("note \(number) was answered and never told to the service") }
    }
    guard !client.isGemini else { return }
    // A service that knows nothing of the connection before is told the whole conversation: before any sound, and
    // before any later note.
    var toldBefore = 0
    for ledger in upstream {
      let numbers = ledger.numbers(of: client.session)
      let due = max(numbers.last ?? 0, ledger.runs.isEmpty ? 0 : toldBefore)
      let missing = (0..<due).map { $0 + 1 }.filter { number in
        !numbers.contains(number) && client.notes[number]?.isRefused == false
      }
      if !missing.isEmpty { client.broke("connection \(ledger.connection) was not told notes \(missing)") }
      toldBefore = max(toldBefore, due)
    }
  }

  private static func judgeSound(_ client: inout ClientLedger, _ upstream: [UpstreamLedger]) {
    var next = 0
    var old: UpstreamLedger?
    for ledger in upstream {
      for run in ledger.runs {
        if run.lowerBound < next - repeatedBlocks(client) {
          client.broke("sound of \(next - run.lowerBound) blocks ago was told again")
        }
        if run.lowerBound > next { lost(next..<run.lowerBound, old, until: ledger.beganMs, &client) }
        next = max(next, run.upperBound + 1)
      }
      if !ledger.runs.isEmpty { old = ledger }
    }
    guard client.end == .finished, next < client.blocksSent else { return }
    // Only where no connection came after the one that was told last may the goodbye have overtaken the repair.
    let isLastWord = old?.connection == upstream.last?.connection
    lost(next..<client.blocksSent, old, until: client.endedMs, isLastWord: isLastWord, &client)
  }

  /// Sound that one connection was told last and the next one, which began at `endMs`, not at all.
  private static func lost(
    _ blocks: Range<Int>, _ old: UpstreamLedger?, until endMs: Int, isLastWord: Bool = false,
    _ client: inout ClientLedger
  ) {
    let since = old?.beganMs ?? 0
    guard let broke = client.upstreamBreaks.first(where: { since <= $0 && $0 <= endMs }) else {
      return client.broke("blocks \(blocks) were lost and no link was broken")
    }
    if client.tellings.contains(where: { broke <= $0 && $0 <= endMs + tellingMs }) {
      client.blocksLost += blocks.count
    } else if isLastWord
      || client.isExcused(blocks, heardTo: old?.runs.last?.upperBound ?? -1, before: endMs, since: since)
    {
      client.blocksUnheard += blocks.count
    } else {
      client.broke("blocks \(blocks) were lost and nobody was told")
    }
  }
}
