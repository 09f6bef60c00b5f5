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

    /// output = bias (or what is there already) + weights * input.
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

/// The network with its memory of one session: some kilobytes.
///
/// A spectrum of four overlapping windows, four convolutions over them that leave one frame, a recurrent cell (LSTM), and
/// the probability of its output.
struct SileroNetwork {
  private let weights: SileroWeights
  /// 64 samples of the frame before, the frame, and 64 samples in which the end is mirrored.
  private var samples = [Float](repeating: 0, count: SileroSizes.context + SileroSizes.frame + SileroSizes.context)
  private var output = [Float](repeating: 0, count: SileroSizes.cell)
  private var cell = [Float](repeating: 0, count: SileroSizes.cell)

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
    var frames = spectrum()
    for index in 0..<context { samples[index] = samples[end - context + index] }

    for (layer, sizes) in zip(weights.convolutions, SileroSizes.layers) {
      frames = Self.convolved(frames, layer, inputs: sizes.inputs, stride: sizes.stride)
    }
    remember(frames)
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

  /// The magnitudes of four windows, one after the other.
  private func spectrum() -> [Float] {
    let bands = SileroSizes.bands
    let starts = stride(from: 0, through: samples.count - SileroSizes.window, by: SileroSizes.hop)
    var magnitudes: [Float] = []
    for start in starts {
      var parts = weights.spectrum.bias
      parts.withUnsafeMutableBufferPointer { parts in
        samples.withUnsafeBufferPointer { samples in
          let window = UnsafeBufferPointer(rebasing: samples[start..<(start + SileroSizes.window)])
          weights.spectrum.add(window, to: parts)
        }
      }
      for band in 0..<bands {
        let real = parts[band]
        let imaginary = parts[bands + band]
        magnitudes.append((real * real + imaginary * imaginary).squareRoot())
      }
    }
    return magnitudes
  }

  /// Three taps, zeros beyond the ends, then the rectifier.
  private static func convolved(_ frames: [Float], _ layer: SileroWeights.Layer, inputs: Int, stride: Int) -> [Float] {
    // With a frame of zeros at either side, the three frames under the taps lie together.
    let padding = [Float](repeating: 0, count: inputs)
    let padded = padding + frames + padding
    let count = frames.count / inputs
    var result: [Float] = []
    for start in Swift.stride(from: 0, to: count, by: stride) {
      var output = layer.bias
      output.withUnsafeMutableBufferPointer { output in
        padded.withUnsafeBufferPointer { padded in
          layer.add(UnsafeBufferPointer(rebasing: padded[(start * inputs)..<((start + 3) * inputs)]), to: output)
        }
      }
      for value in output { result.append(max(0, value)) }
    }
    return result
  }

  /// One step of the recurrent cell. The gates lie in the order input, forget, candidate, output.
  private mutating func remember(_ input: [Float]) {
    let size = SileroSizes.cell
    var gates = weights.input.bias
    for index in gates.indices { gates[index] += weights.memory.bias[index] }
    gates.withUnsafeMutableBufferPointer { gates in
      input.withUnsafeBufferPointer { weights.input.add($0, to: gates) }
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
