#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The weights of the Silero network, shared by all sessions, laid out so that the innermost loop of each product runs
/// over neighbouring numbers.
final class SileroWeights: Sendable {
  /// A linear map: the weights of each input lie together.
  struct Layer: Sendable {
    let weights: [Float]
    let bias: [Float]
    var outputCount: Int { bias.count }

    /// - Parameter weights: as files have them, those of each output together.
    init(outputMajor weights: [Float], bias: [Float]) {
      let inputCount = weights.count / bias.count
      var turned = [Float](repeating: 0, count: weights.count)
      for output in bias.indices {
        for input in 0..<inputCount { turned[input * bias.count + output] = weights[output * inputCount + input] }
      }
      self.weights = turned
      self.bias = bias
    }

    /// output = bias + weights * input.
    @inline(__always)
    func apply(to input: UnsafeBufferPointer<Float>, into output: UnsafeMutableBufferPointer<Float>) {
      for place in output.indices { output[place] = bias[place] }
      add(input, to: output)
    }

    /// output += weights * input.
    @inline(__always)
    func add(_ input: UnsafeBufferPointer<Float>, to output: UnsafeMutableBufferPointer<Float>) {
      weights.withUnsafeBufferPointer { weights in
        let count = output.count
        for index in input.indices {
          let factor = input[index]
          // Half of what comes out of a rectifier is zero.
          if factor == 0 { continue }
          let row = UnsafeBufferPointer(rebasing: weights[(index * count)..<((index + 1) * count)])
          for place in 0..<count { output[place] += factor * row[place] }
        }
      }
    }
  }

  let spectrum: Layer
  /// Each takes three neighbouring frames, one after the other.
  let convolutions: [Layer]
  let input: Layer
  let memory: Layer
  let last: [Float]
  let lastBias: Float

  /// Nil if a tensor that `SileroSizes.shapes` promises has no plain numbers.
  init?(_ tensors: [String: ModelTensor]) {
    func floats(_ name: String) -> [Float]? {
      guard let found = tensors["_model.\(name)"]?.floats, !found.isEmpty else { return nil }
      return found
    }
    func layer(_ weights: String, _ bias: String) -> Layer? {
      guard let weights = floats(weights), let bias = floats(bias) else { return nil }
      return Layer(outputMajor: weights, bias: bias)
    }
    var convolutions: [Layer] = []
    for (index, sizes) in SileroSizes.layers.enumerated() {
      guard
        let weights = floats("encoder.\(index).reparam_conv.weight"),
        let bias = floats("encoder.\(index).reparam_conv.bias")
      else { return nil }
      // The file has the three taps of an input together; here the inputs of a tap are.
      var sorted = weights
      for output in 0..<sizes.outputs {
        for input in 0..<sizes.inputs {
          for tap in 0..<3 {
            sorted[(output * 3 + tap) * sizes.inputs + input] = weights[(output * sizes.inputs + input) * 3 + tap]
          }
        }
      }
      convolutions.append(Layer(outputMajor: sorted, bias: bias))
    }
    guard
      let basis = floats("stft.forward_basis_buffer"),
      let input = layer("decoder.rnn.weight_ih", "decoder.rnn.bias_ih"),
      let memory = layer("decoder.rnn.weight_hh", "decoder.rnn.bias_hh"),
      let last = floats("decoder.decoder.2.weight"), let lastBias = floats("decoder.decoder.2.bias")
    else { return nil }
    spectrum = Layer(outputMajor: basis, bias: Array(repeating: 0, count: 2 * SileroSizes.bands))
    self.convolutions = convolutions
    self.input = input
    self.memory = memory
    self.last = last
    self.lastBias = lastBias[0]
  }
}

/// The network with its memory of one session: some kilobytes. A value: copies share nothing but the weights.
///
/// A spectrum of four overlapping windows, four convolutions over them that leave one frame, a recurrent cell (LSTM), and
/// the probability of its output.
struct SileroNetwork {
  private let weights: SileroWeights
  /// 64 samples of the frame before, the frame, and 64 samples in which the end is mirrored.
  private var samples = [Float](repeating: 0, count: SileroSizes.context + SileroSizes.frame + SileroSizes.context)
  private var output = [Float](repeating: 0, count: SileroSizes.cell)
  private var cell = [Float](repeating: 0, count: SileroSizes.cell)

  /// What goes into each convolution and what comes out of the last one, at `places`. Filled anew for each frame, but for
  /// the zeros at either side of each: with them the three frames under the taps lie together.
  private var frames = [Float](repeating: 0, count: Self.places.last?.upperBound ?? 0)
  /// The real and the imaginary parts of a spectrum.
  private var parts = [Float](repeating: 0, count: 2 * SileroSizes.bands)
  /// In the order input, forget, candidate, output.
  private var gates = [Float](repeating: 0, count: 4 * SileroSizes.cell)

  init(weights: SileroWeights) {
    self.weights = weights
  }

  mutating func reset() {
    self = SileroNetwork(weights: weights)
  }

  /// - Parameter frame: 512 samples.
  mutating func probability(of frame: UnsafeBufferPointer<Float>) -> Float {
    let context = SileroSizes.context
    let end = context + frame.count
    guard end + context == samples.count else { return 0 }
    for index in frame.indices { samples[context + index] = frame[index] }
    for index in 0..<context { samples[end + index] = samples[end - 2 - index] }
    takeSpectrum()
    for index in 0..<context { samples[index] = samples[end - context + index] }

    for index in SileroSizes.layers.indices { convolve(index) }
    remember()
    var sum = weights.lastBias
    for index in output.indices { sum += max(0, output[index]) * weights.last[index] }
    let probability = Self.sigmoid(sum)
    // What was no number would stay in the memory for ever.
    guard probability.isFinite else {
      reset()
      return 0
    }
    return probability
  }

  /// Where in `frames` the input of each convolution lies, and the output of the last, the zeros at either side included.
  private static let places: [Range<Int>] = {
    var count =
      (SileroSizes.context + SileroSizes.frame + SileroSizes.context - SileroSizes.window) / SileroSizes.hop + 1
    var places: [Range<Int>] = []
    func add(_ width: Int) {
      let start = places.last?.upperBound ?? 0
      places.append(start..<start + (count + 2) * width)
    }
    add(SileroSizes.bands)
    for layer in SileroSizes.layers {
      count = (count + layer.stride - 1) / layer.stride
      add(layer.outputs)
    }
    return places
  }()

  /// The magnitudes of four windows, one after the other.
  private mutating func takeSpectrum() {
    let bands = SileroSizes.bands
    var target = Self.places[0].lowerBound + bands
    for start in stride(from: 0, through: samples.count - SileroSizes.window, by: SileroSizes.hop) {
      parts.withUnsafeMutableBufferPointer { parts in
        samples.withUnsafeBufferPointer { samples in
          let window = UnsafeBufferPointer(rebasing: samples[start..<(start + SileroSizes.window)])
          weights.spectrum.apply(to: window, into: parts)
        }
      }
      for band in 0..<bands {
        let real = parts[band]
        let imaginary = parts[bands + band]
        frames[target + band] = (real * real + imaginary * imaginary).squareRoot()
      }
      target += bands
    }
  }

  /// Three taps, zeros beyond the ends, then the rectifier.
  private mutating func convolve(_ index: Int) {
    let sizes = SileroSizes.layers[index]
    let layer = weights.convolutions[index]
    let input = Self.places[index]
    var target = Self.places[index + 1].lowerBound + sizes.outputs
    frames.withUnsafeMutableBufferPointer { frames in
      for start in stride(
        from: input.lowerBound, to: input.upperBound - 2 * sizes.inputs, by: sizes.stride * sizes.inputs)
      {
        let output = UnsafeMutableBufferPointer(rebasing: frames[target..<(target + sizes.outputs)])
        layer.apply(to: UnsafeBufferPointer(rebasing: frames[start..<(start + 3 * sizes.inputs)]), into: output)
        for place in output.indices { output[place] = max(0, output[place]) }
        target += sizes.outputs
      }
    }
  }

  /// One step of the recurrent cell.
  private mutating func remember() {
    let size = SileroSizes.cell
    for index in gates.indices { gates[index] = weights.input.bias[index] + weights.memory.bias[index] }
    let last = Self.places[SileroSizes.layers.count]
    gates.withUnsafeMutableBufferPointer { gates in
      frames.withUnsafeBufferPointer { frames in
        weights.input.add(
          UnsafeBufferPointer(rebasing: frames[(last.lowerBound + size)..<(last.upperBound - size)]), to: gates)
      }
      output.withUnsafeBufferPointer { weights.memory.add($0, to: gates) }
    }
    for index in 0..<size {
      let kept = Self.sigmoid(gates[size + index]) * cell[index]
      cell[index] = kept + Self.sigmoid(gates[index]) * tanhf(gates[2 * size + index])
      output[index] = Self.sigmoid(gates[3 * size + index]) * tanhf(cell[index])
    }
  }

  private static func sigmoid(_ value: Float) -> Float { 1 / (1 + expf(-value)) }
}
