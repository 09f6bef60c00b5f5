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

  /// All of a peer's ledger, and the connections that have begun and not ended.
  static func read(_ path: String) throws -> (ledgers: [UpstreamLedger], open: Set<Int>) {
    var ledgers: [UpstreamLedger] = []
    var open: Set<Int> = []
    for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
      guard let value = try? JSONValue(parsing: String(line)), let connection = value["connection"]?.int else {
        continue
      }
      guard value["ended"]?.bool == true else {
        open.insert(connection)
        continue
      }
      open.remove(connection)
      ledgers.append(
        UpstreamLedger(
          connection: connection, session: value["session"]?.int,
          notes: value["notes"]?.array?.compactMap(\.string) ?? [],
          runs: value["runs"]?.array?.compactMap { run in
            guard let first = run[0]?.int, let last = run[1]?.int else { return nil }
            return first...last
          } ?? [],
          strayBytes: value["strayBytes"]?.int ?? 0, refusals: value["refusals"]?.array?.map(\.text) ?? []))
    }
    return (ledgers.sorted { $0.connection < $1.connection }, open)
  }
}

/// Compares what clients said with what services were told (`docs/soak.md` says the rules).
enum Judgement {
  /// What a renewed connection may be told of again: the ring of what was spoken last, in blocks of 20 ms, and the
  /// piece that was being gathered.
  static let repeatedBlocks = 160

  static func judge(_ client: inout ClientLedger, _ upstream: [UpstreamLedger]) {
    for ledger in upstream {
      let place = "connection \(ledger.connection)"
      for refusal in ledger.refusals { client.broke("\(place) was refused: \(refusal)") }
      if ledger.strayBytes > 0 { client.broke("\(place): \(ledger.strayBytes) bytes of torn sound") }
      if ledger.runs.count > 1 { client.broke("\(place): sound with gaps or repeats: \(ledger.runs)") }
      if let last = ledger.runs.last?.upperBound, last >= client.blocksSent {
        client.broke("\(place): block \(last) was never spoken")
      }
      let numbers = ledger.notes.compactMap { note in
        note.hasPrefix("\(client.session).") ? Int(note.dropFirst("\(client.session).".count)) : nil
      }
      if numbers.count < ledger.notes.count {
        client.broke("\(place) was told another session's notes: \(ledger.notes)")
      }
      if numbers != Array(Set(numbers)).sorted() { client.broke("\(place) was told notes \(numbers)") }
    }
    let told = Set(upstream.flatMap(\.notes))
    for (number, note) in client.notes.sorted(by: { $0.key < $1.key }) where note.outcome == "completed" {
      if !told.contains(Numbers.note(number, session: client.session)) {
        client.broke("note \(number) was answered and never told to the service")
      }
    }
    judgeSound(&client, upstream)
  }

  private static func judgeSound(_ client: inout ClientLedger, _ upstream: [UpstreamLedger]) {
    var next = 0
    for run in upstream.flatMap(\.runs) {
      if run.lowerBound < next - repeatedBlocks {
        client.broke("sound of \(next - run.lowerBound) blocks ago was told again")
      }
      if run.lowerBound > next { lost(next..<run.lowerBound, &client) }
      next = max(next, run.upperBound + 1)
    }
    // What was under way when the session ended may be lost where something struck the way.
    if client.end == .finished, next < client.blocksSent, !client.upstreamWasStruck {
      client.broke("blocks \(next)..<\(client.blocksSent) were not told")
    }
  }

  /// Sound that one connection was told last and the next one not at all.
  private static func lost(_ blocks: Range<Int>, _ client: inout ClientLedger) {
    if client.wasToldOfLoss {
      client.blocksLost += blocks.count
    } else if client.upstreamWasStruck {
      // It went into a connection that was lost more than a second later: Parley repeats what is younger.
      client.blocksUnheard += blocks.count
    } else {
      client.broke("blocks \(blocks) were lost and nobody was told")
    }
  }
}
