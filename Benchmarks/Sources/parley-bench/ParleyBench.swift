// parley-bench: the parts of `make bench` that are not a proxy. scripts/bench.sh starts them in the right order;
// docs/performance.md says what the figures mean.
//
//   parley-bench upstream GEMINI-PORT OPENAI-PORT STATUS-PORT
//       The service behind the proxies, until it is killed; ends with status 1 when a frame arrives corrupted.
//   parley-bench plant COUNTERS-FILE K
//       Under the counting library: allocates K times by each call; status 1 when fewer were counted.
//   parley-bench load PLAN.json
//       Measures what the plan asks for (`Plan` says what the file holds). Prints the tables, writes them and the JSON;
//       status 1 on a fault or when allocations exceed the limit.
//
// One thread, loopback only. A "frame" is one message in one direction: a round trip is two. Linux only (/proc, epoll).

import Foundation

@main
struct ParleyBench {
  static func main() {
    let words = Array(CommandLine.arguments.dropFirst())
    do {
      switch (words.first, words.count) {
      case ("upstream", 4):
        var upstream = try Upstream(
          geminiPort: UInt16(words[1]) ?? 0, openAIPort: UInt16(words[2]) ?? 0, statusPort: UInt16(words[3]) ?? 0)
        try upstream.serve()
      case ("plant", 3):
        let counted = try AllocationCounters(path: words[1]).provePlanted(count: Int(words[2]) ?? 1)
        let pairs = zip(AllocationCounters.names, counted).map { "\($0) \($1)" }
        say("planted \(words[2]) allocations of each kind, counted \(pairs.joined(separator: ", "))")
      case ("load", 2):
        try Comparison(plan: Plan(file: words[1])).run()
      default:
        throw BenchFault("upstream, plant or load? See the head of ParleyBench.swift.")
      }
    } catch {
      FileHandle.standardError.write(Data("parley-bench: \(error)\n".utf8))
      exit(1)
    }
  }
}

/// Prints a line at once, also into a pipe.
func say(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }
