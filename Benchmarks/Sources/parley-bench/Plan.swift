import Foundation

/// What `parley-bench load` is to do, as its JSON file says it. All of it is repeated in the report.
struct Plan: Codable {
  /// Something that clients connect to.
  struct Target: Codable {
    let name: String
    let port: UInt16
    /// The request's target.
    let path: String
    /// Header fields beside those of every request.
    let fields: [String]?
    /// The process that is measured, with its children. None for the upstream itself.
    let process: Int32?
    /// Where the counting library keeps the counters of that process.
    let counters: String?
  }

  /// Latency and CPU time of the targets, round by round.
  struct Traffic: Codable {
    let load: Load
    let rounds: Int
    let seconds: Double
    let targets: [String]
  }

  /// CPU time of sessions that begin, carry one frame each way, and end, one after the other.
  struct SetUp: Codable {
    let sessions: Int
    let rounds: Int
    let targets: [String]
  }

  /// Growth of the resident memory with that many idle sessions, each number on top of the one before.
  struct Memory: Codable {
    let sessions: [Int]
    let targets: [String]
  }

  /// Calls of some kind during the round trips of one load.
  struct Counting: Codable {
    let loads: [Load]
    let roundTrips: Int
    let targets: [String]
  }

  let machine: String
  let pinning: String
  let targets: [Target]
  /// The ratios' denominator, and what has no proxy in between: names of targets.
  let reference: String
  let direct: String
  /// Where the upstream tells how many connections it has set up.
  let statusPort: UInt16
  let traffic: [Traffic]
  let setUp: SetUp?
  let memory: [Memory]?
  let systemCalls: Counting?
  let allocations: Counting?
  /// What was left out, in sentences for the report.
  let remarks: [String]
  /// The files to write: all figures, and the tables.
  let report: String
  let tables: String

  init(file: String) throws {
    self = try JSONDecoder().decode(Plan.self, from: Data(contentsOf: URL(filePath: file)))
    let loads = traffic.map(\.load) + (systemCalls?.loads ?? []) + (allocations?.loads ?? [])
    guard loads.allSatisfy(\.isPossible), traffic.allSatisfy({ $0.rounds > 0 }) else {
      throw BenchFault(
        "\(file): chunks are 12 to 48,000 bytes and multiples of 6, bursts 1 to 32; sessions and rounds at least 1")
    }
  }

  func target(_ name: String) throws(BenchFault) -> Target {
    guard let target = targets.first(where: { $0.name == name }) else { throw BenchFault("no target \(name)") }
    return target
  }
}

/// What the clients do at one time.
struct Load: Codable {
  /// Bytes of PCM in a chunk.
  let chunkBytes: Int
  let sessions: Int
  /// Frames written at once.
  let burst: Int
  /// From one burst of a session to its next; nil for the next as soon as the last is answered.
  let intervalMilliseconds: Int?

  init(chunkBytes: Int, sessions: Int) {
    self.chunkBytes = chunkBytes
    self.sessions = sessions
    burst = 1
    intervalMilliseconds = nil
  }

  var isPossible: Bool {
    Chunk.isPossible(byteCount: chunkBytes) && sessions > 0 && (1...32).contains(burst)
      && intervalMilliseconds.map { $0 > 0 } ?? true
  }
  var intervalNanoseconds: UInt64? { intervalMilliseconds.map { UInt64($0) * 1_000_000 } }

  /// PCM16 at 24 kHz is 48 bytes a millisecond.
  var title: String {
    let frames = "\(chunkBytes / 48) ms, \(sessions) session\(sessions == 1 ? "" : "s")"
    if let intervalMilliseconds { return "\(frames), one each \(intervalMilliseconds) ms" }
    return burst == 1 ? "\(frames), in turn" : "\(frames), bursts of \(burst)"
  }
}
