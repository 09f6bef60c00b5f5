/// Cuts long speech into windows that the model takes at once.
enum SpeechWindows {
  /// 25 s at 16 kHz: the model hears 30 s, and latency and memory grow with the window.
  static let longest = 400_000
  /// A cut is made in the last 5 s of a window,
  static let searched = 80_000
  /// in the middle of its quietest 100 ms.
  static let pause = 1_600

  /// Ranges that cover all samples in order, each of at most `longest` samples.
  static func ranges(of samples: [Int16]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    while samples.count - start > longest {
      let end = quietest(in: samples[(start + longest - searched)..<(start + longest)])
      ranges.append(start..<end)
      start = end
    }
    if start < samples.count { ranges.append(start..<samples.count) }
    return ranges
  }

  /// The index in the middle of the 100 ms with the least energy.
  private static func quietest(in samples: ArraySlice<Int16>) -> Int {
    func energy(_ sample: Int16) -> Int { Int(sample) * Int(sample) }
    var start = samples.startIndex
    var sum = samples[start..<(start + pause)].reduce(0) { $0 + energy($1) }
    var best = (sum: sum, start: start)
    while start + pause < samples.endIndex {
      sum += energy(samples[start + pause]) - energy(samples[start])
      start += 1
      if sum < best.sum { best = (sum, start) }
    }
    return best.start + pause / 2
  }
}
