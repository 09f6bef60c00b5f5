import CoreMetrics
import Synchronization

/// Spans that have ended and wait for the collector; a bounded number, beyond which new ones are dropped and counted.
final class SpanQueue: Sendable {
  static let capacity = 4_096

  private let spans = Mutex<[FinishedSpan]>([])
  private let dropped: Counter

  init(metrics: any MetricsFactory) {
    dropped = Counter(label: "parley_spans_dropped_total", factory: metrics)
  }

  var isEmpty: Bool { spans.withLock(\.isEmpty) }

  func put(_ span: FinishedSpan) {
    let isKept = spans.withLock { spans in
      guard spans.count < Self.capacity else { return false }
      spans.append(span)
      return true
    }
    if !isKept { drop(1) }
  }

  /// The oldest ones.
  func take(_ most: Int) -> [FinishedSpan] {
    spans.withLock { spans in
      let taken = Array(spans.prefix(most))
      spans.removeFirst(taken.count)
      return taken
    }
  }

  /// What was taken and could not be sent yet.
  func putBack(_ taken: [FinishedSpan]) {
    let overflow = spans.withLock { spans in
      let room = max(0, Self.capacity - spans.count)
      spans.insert(contentsOf: taken.suffix(room), at: 0)
      return taken.count - min(room, taken.count)
    }
    drop(overflow)
  }

  func drop(_ count: Int) {
    if count > 0 { dropped.increment(by: Int64(count)) }
  }
}
