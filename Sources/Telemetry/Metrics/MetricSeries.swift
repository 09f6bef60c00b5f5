import CoreMetrics
import Synchronization

/// A number that several threads add to without a lock.
final class AtomicNumber: Sendable {
  private let bits = Atomic<UInt64>(Double.zero.bitPattern)

  var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

  func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

  func add(_ amount: Double) {
    var seen = bits.load(ordering: .relaxed)
    while true {
      let sum = (Double(bitPattern: seen) + amount).bitPattern
      let (isExchanged, found) = bits.weakCompareExchange(expected: seen, desired: sum, ordering: .relaxed)
      if isExchanged { return }
      seen = found
    }
  }
}

/// What one combination of labels of a counter has come to.
final class CounterSeries: CounterHandler, FloatingPointCounterHandler {
  private let whole = Atomic<Int64>(0)
  private let parts = AtomicNumber()

  var value: Double { Double(whole.load(ordering: .relaxed)) + parts.value }

  /// Less than nothing is not counted: a counter that goes down looks like a restart of the process.
  func increment(by amount: Int64) {
    guard amount > 0 else { return }
    whole.wrappingAdd(amount, ordering: .relaxed)
  }

  func increment(by amount: Double) {
    guard amount > 0, amount.isFinite else { return }
    parts.add(amount)
  }

  func reset() {
    whole.store(0, ordering: .relaxed)
    parts.set(0)
  }
}

/// The latest value of one combination of labels of a gauge.
final class GaugeSeries: RecorderHandler, MeterHandler {
  private let number = AtomicNumber()

  var value: Double { number.value }

  func record(_ value: Int64) { number.set(Double(value)) }
  func record(_ value: Double) { number.set(value) }
  func set(_ value: Int64) { number.set(Double(value)) }
  func set(_ value: Double) { number.set(value) }
  func increment(by amount: Double) { number.add(amount) }
  func decrement(by amount: Double) { number.add(-amount) }
}

/// What one combination of labels of a histogram has seen.
final class HistogramSeries: RecorderHandler, TimerHandler {
  struct Counts: Sendable {
    /// One for each bucket, and one for what is above them all; not added up.
    var buckets: [UInt64]
    var sum = 0.0
  }

  private let bounds: [Double]
  private let state: Mutex<Counts>

  /// - Parameter bounds: ascending, without the infinite one.
  init(bounds: [Double]) {
    self.bounds = bounds
    state = Mutex(Counts(buckets: Array(repeating: 0, count: bounds.count + 1)))
  }

  /// As of one moment, so that the buckets, their count and their sum agree.
  var counts: Counts { state.withLock { $0 } }

  func record(_ value: Int64) { record(Double(value)) }

  /// What is no number has no bucket.
  func record(_ value: Double) {
    guard !value.isNaN else { return }
    let index = bounds.firstIndex { value <= $0 } ?? bounds.count
    state.withLock {
      $0.buckets[index] += 1
      $0.sum += value
    }
  }

  /// Prometheus counts in seconds.
  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
