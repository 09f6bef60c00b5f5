/// The sizes in the header of a Whisper model.
struct WhisperSizes {
  var words = 0
  var audioContext = 0
  /// Of encoder and decoder: the second looks at what the first made.
  var width = 0
  var audioLayers = 0
  var textContext = 0
  var textLayers = 0
  var bands = 0

  /// The tensors of such a model: the library fails hard on a header that does not fit them.
  var shapes: [String: [Int]] {
    var shapes: [String: [Int]] = [
      "encoder.positional_embedding": [width, audioContext],
      "encoder.conv1.weight": [3, bands, width],
      "encoder.conv1.bias": [width],
      "encoder.conv2.weight": [3, width, width],
      "encoder.conv2.bias": [width],
      "decoder.positional_embedding": [width, textContext],
      "decoder.token_embedding.weight": [width, words],
    ]
    for norm in ["encoder.ln_post", "decoder.ln"] { addNorm(norm, to: &shapes) }
    for layer in 0..<audioLayers { addLayer("encoder.blocks.\(layer)", ["attn"], to: &shapes) }
    for layer in 0..<textLayers { addLayer("decoder.blocks.\(layer)", ["attn", "cross_attn"], to: &shapes) }
    return shapes
  }

  private func addNorm(_ name: String, to shapes: inout [String: [Int]]) {
    shapes["\(name).weight"] = [width]
    shapes["\(name).bias"] = [width]
  }

  private func addLayer(_ name: String, _ attentions: [String], to shapes: inout [String: [Int]]) {
    for attention in attentions {
      addNorm("\(name).\(attention)_ln", to: &shapes)
      for part in ["query", "key", "value", "out"] {
        shapes["\(name).\(attention).\(part).weight"] = [width, width]
        // A bias of the keys would not change what is attended to.
        if part != "key" { shapes["\(name).\(attention).\(part).bias"] = [width] }
      }
    }
    addNorm("\(name).mlp_ln", to: &shapes)
    shapes["\(name).mlp.0.weight"] = [width, 4 * width]
    shapes["\(name).mlp.0.bias"] = [4 * width]
    shapes["\(name).mlp.2.weight"] = [4 * width, width]
    shapes["\(name).mlp.2.bias"] = [width]
  }
}

/// The sizes of the Silero network for 16 kHz, the same in its versions 5 and 6.
enum SileroSizes {
  /// Samples of a frame, and samples of the frame before that are heard again with it.
  static let frame = 512
  static let context = 64
  /// Samples under a spectrum, from one to the next, and its bands.
  static let window = 256
  static let hop = 128
  static let bands = 129
  /// Of the recurrent cell.
  static let cell = 128

  /// Of the convolutions in their order; all have three taps.
  static let layers: [(inputs: Int, outputs: Int, stride: Int)] = [
    (129, 128, 1), (128, 64, 2), (64, 64, 2), (64, 128, 1),
  ]

  /// What the header of a file says after the version.
  static let header: [Int] =
    [frame, context, layers.count] + layers.flatMap { [$0.inputs, $0.outputs, 3] } + [cell, cell, cell, 1]

  static let shapes: [String: [Int]] = {
    var shapes: [String: [Int]] = [
      "_model.stft.forward_basis_buffer": [window, 2 * bands],
      "_model.decoder.rnn.weight_ih": [cell, 4 * cell],
      "_model.decoder.rnn.weight_hh": [cell, 4 * cell],
      "_model.decoder.rnn.bias_ih": [4 * cell],
      "_model.decoder.rnn.bias_hh": [4 * cell],
      "_model.decoder.decoder.2.weight": [cell],
      "_model.decoder.decoder.2.bias": [],
    ]
    for (index, layer) in layers.enumerated() {
      shapes["_model.encoder.\(index).reparam_conv.weight"] = [3, layer.inputs, layer.outputs]
      shapes["_model.encoder.\(index).reparam_conv.bias"] = [layer.outputs]
    }
    return shapes
  }()
}
