/// Cuts speech into windows that the model takes at once: at long pauses, behind which it loses sentences or repeats them, and
/// where a stretch is too long for it.
enum SpeechWindows {
  /// 600 ms: sentences that far apart do not need each other to be understood.
  static let longPause = 9_600
  /// Each window costs as much as one of fifteen seconds: none is shorter than 2 s but the last.
  private static let shortest = 32_000
  /// 20 ms, the grain in which pauses are looked for.
  private static let grain = 320
  /// A stretch with less sound than 300 ms stays with its neighbour.
  private static let leastSound = 15
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
    for stop in pauses(in: samples) + [samples.count] {
      while stop - start > longest {
        let end = quietest(in: samples[(start + longest - searched)..<(start + longest)])
        ranges.append(start..<end)
        start = end
      }
      if start < stop { ranges.append(start..<stop) }
      start = stop
    }
    return ranges
  }

  /// The middle of every long pause between two stretches of sound.
  private static func pauses(in samples: [Int16]) -> [Int] {
    let levels = samples.withUnsafeBufferPointer { samples in
      stride(from: 0, to: samples.count - samples.count % grain, by: grain).map { start in
        samples[start..<(start + grain)].reduce(0) { $0 + Int($1.magnitude) }
      }
    }
    // What is below a twentieth of the loudest is no speech, unless all of it is about as loud.
    let threshold = (levels.max() ?? 0) / 20
    var cuts: [Int] = []
    var sound = 0
    var quietFrom: Int?
    var candidate: Int?
    for (index, level) in levels.enumerated() {
      if level < threshold {
        if quietFrom == nil { quietFrom = index }
        continue
      }
      if let from = quietFrom, (index - from) * grain >= longPause, sound >= leastSound {
        candidate = (from + index) / 2 * grain
        sound = 0
      }
      quietFrom = nil
      sound += 1
      if let cut = candidate, sound >= leastSound {
        if cut - (cuts.last ?? 0) >= shortest { cuts.append(cut) }
        candidate = nil
      }
    }
    return cuts
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
