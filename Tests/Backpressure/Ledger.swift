import NIOCore

/// What both ends of a healthy call have sent and got, and how long it took.
final class Ledger {
  /// Microseconds of each chunk, both ways.
  private(set) var latencies: [UInt32] = []
  var isMeasuring = false
  /// How many of them there were at the end of each second.
  private var seconds: [Int] = []
  /// Chunks that were not the next one, whole and unchanged.
  private(set) var damaged = 0

  func took(_ text: ByteBufferView, expecting number: Int) {
    guard let sentAt = Chunk.sendingTime(of: text, expecting: number) else {
      damaged += 1
      return
    }
    guard isMeasuring else { return }
    let now = NIODeadline.now().uptimeNanoseconds
    latencies.append(UInt32(clamping: (now &- min(sentAt, now)) / 1_000))
  }

  func secondIsOver() {
    seconds.append(latencies.count)
  }

  /// For each second, microseconds below which 99 % of its chunks took. A host that takes its time back for a while spoils
  /// some seconds, and the percentile of all chunks.
  var percentilesOfSeconds: [Double] {
    zip([0] + seconds, seconds).compactMap { from, to in
      to > from ? Self.percentile(0.99, of: latencies[from..<to]) : nil
    }
  }

  /// Microseconds below which this share of the chunks took.
  func percentile(_ share: Double) -> Double {
    Self.percentile(share, of: latencies[...])
  }

  private static func percentile(_ share: Double, of latencies: ArraySlice<UInt32>) -> Double {
    guard !latencies.isEmpty else { return 0 }
    let sorted = latencies.sorted()
    return Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))])
  }
}

/// What became of a slow client.
struct SlowOutcome: Sendable {
  var name: String
  /// From its `response.cancel` until the provider heard it; nil: never.
  var cancelHeardMilliseconds: Double?
  /// Bytes that came after the cancel before `response.done`.
  var lateBytes = 0
  var doneStatus: String?
  var doneCount = 0
  /// Audio after the end of the response, or out of order.
  var misplaced = 0
  /// The close code of the call's end.
  var close: UInt16?

  /// - Parameter mostLateBytes: what may come after an interruption.
  func isSound(mostLateBytes: Int) -> Bool {
    cancelHeardMilliseconds != nil && doneStatus == "cancelled" && doneCount == 1 && misplaced == 0
      && lateBytes <= mostLateBytes && close == 1000
  }
}
