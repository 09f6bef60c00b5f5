import Foundation

/// A weights file in whisper.cpp's `ggml` form, checked before the library reads it: the library stops in the middle of a
/// damaged file at best.
///
/// The form (all numbers little-endian 32 bits): a magic number, a header, then until the end of the file tensors, each
/// the number of its dimensions, the length of its name, the type of its elements, the dimensions, the name and the
/// elements.
struct ModelFile: Sendable, Hashable {
  let path: String
  let stage: StageName

  /// The file without its folder.
  var name: String { (path as NSString).lastPathComponent }

  /// `tiny.en` of `…/ggml-tiny.en.bin`.
  var modelName: String {
    var name = Substring(self.name)
    if name.hasPrefix("ggml-") { name = name.dropFirst("ggml-".count) }
    if name.hasSuffix(".bin") { name = name.dropLast(".bin".count) }
    return String(name)
  }

  /// Checks the weights of a Whisper model.
  ///
  /// - Throws: `model_file_invalid`, naming the file.
  func checkWhisper() throws(StageFault) {
    _ = try tensors { cursor throws(Damage) in
      var sizes = WhisperSizes()
      // 51,864 words in English models, one more in multilingual ones, one more again since the third large model.
      sizes.words = try cursor.count("the vocabulary", in: 51_864...51_866)
      sizes.audioContext = try cursor.count("the audio context", in: 1...1_500)
      sizes.width = try cursor.count("the audio width", in: 64...4_096)
      _ = try cursor.count("the number of audio heads", in: sizes.width / 64...sizes.width / 64)
      sizes.audioLayers = try cursor.count("the number of audio layers", in: 1...64)
      sizes.textContext = try cursor.count("the text context", in: 1...448)
      _ = try cursor.count("the text width", in: sizes.width...sizes.width)
      _ = try cursor.count("the number of text heads", in: sizes.width / 64...sizes.width / 64)
      sizes.textLayers = try cursor.count("the number of text layers", in: 1...64)
      sizes.bands = try cursor.count("the number of mel bands", in: 80...128)
      // The thousands are the version of a quantisation.
      let format = try cursor.count("the number format", in: 0...9_999)
      guard [0, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14].contains(format % 1_000) else {
        throw .wrong("the number format is \(format)")
      }
      _ = try cursor.count("the number of mel filters", in: sizes.bands...sizes.bands)
      try cursor.skip(
        try cursor.count("the length of a mel filter", in: 201...201) * sizes.bands * 4, "the mel filters")
      for _ in 0..<(try cursor.count("the number of tokens", in: 50_256...sizes.words)) {
        try cursor.skip(try cursor.count("a token's length", in: 0...4_096), "the vocabulary")
      }
      return sizes.shapes
    }
  }

  /// Checks the weights of a Silero voice activity detector and gives its tensors.
  ///
  /// - Throws: `model_file_invalid`, naming the file.
  func silero() throws(StageFault) -> [String: ModelTensor] {
    try tensors { cursor throws(Damage) in
      guard try cursor.text(try cursor.count("the name's length", in: 1...64)) == "silero-16k" else {
        throw .wrong("it is not named “silero-16k”")
      }
      try cursor.skip(3 * 4, "the version")
      for size in SileroSizes.header { _ = try cursor.count("a size of the network", in: size...size) }
      return SileroSizes.shapes
    }
  }

  /// - Parameter header: reads the header and gives the shapes of the tensors that must follow, without sizes of 1.
  private func tensors(
    _ header: (inout Cursor) throws(Damage) -> [String: [Int]]
  ) throws(StageFault) -> [String: ModelTensor] {
    guard FileManager.default.fileExists(atPath: path) else { throw fault("does not exist") }
    guard let contents = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) else {
      throw fault("cannot be read")
    }
    do throws(Damage) {
      var cursor = Cursor(contents: contents)
      guard try cursor.number("the magic number") == 0x6767_6d6c else { throw .wrong("it does not begin with “ggml”") }
      let shapes = try header(&cursor)
      var found: [String: ModelTensor] = [:]
      while cursor.offset < contents.count {
        let (name, tensor) = try cursor.tensor()
        guard let shape = shapes[name], found[name] == nil else { throw .wrong("it has a tensor \(name)") }
        guard tensor.shape == shape else {
          throw .wrong("the tensor \(name) has the shape \(tensor.shape) instead of \(shape)")
        }
        found[name] = tensor
      }
      guard found.count == shapes.count else { throw .truncated("it has \(found.count) of \(shapes.count) tensors") }
      return found
    } catch {
      switch error {
      case .truncated(let detail): throw fault("is truncated: \(detail)")
      case .wrong(let detail): throw fault("is not a ggml model of this kind: \(detail)")
      }
    }
  }

  private func fault(_ reason: String) -> StageFault {
    StageFault(stage, code: "model_file_invalid", message: "the model file \(path) \(reason)")
  }

  enum Damage: Error {
    case truncated(String)
    case wrong(String)
  }

  /// Reads forward, never past the end.
  private struct Cursor {
    let contents: Data
    private(set) var offset = 0

    init(contents: Data) {
      self.contents = contents
    }

    mutating func skip(_ count: Int, _ what: String) throws(Damage) {
      guard count >= 0, count <= contents.count - offset else {
        throw .truncated("\(what) would end at byte \(offset + max(0, count)) of \(contents.count)")
      }
      offset += count
    }

    mutating func number(_ what: String) throws(Damage) -> Int {
      let start = offset
      try skip(4, what)
      return contents.withUnsafeBytes {
        Int(Int32(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: Int32.self)))
      }
    }

    mutating func count(_ what: String, in range: ClosedRange<Int>) throws(Damage) -> Int {
      let value = try number(what)
      guard range.contains(value) else { throw .wrong("\(what) is \(value)") }
      return value
    }

    mutating func text(_ count: Int) throws(Damage) -> String {
      let start = offset
      try skip(count, "a name")
      return String(decoding: contents[start..<offset], as: UTF8.self)
    }

    mutating func tensor() throws(Damage) -> (name: String, ModelTensor) {
      let rank = try count("a tensor's dimensions", in: 0...4)
      let nameLength = try count("a tensor's name length", in: 1...256)
      let type = try number("a tensor's type")
      guard let layout = Self.layouts[type] else { throw .wrong("a tensor's type is \(type)") }
      var elements = 1
      var shape: [Int] = []
      for _ in 0..<rank {
        let size = try count("a tensor's dimension", in: 1...10_000_000)
        // Bounded at each step: no product of what a damaged file says can overflow.
        elements *= size
        guard elements <= 1 << 36 else { throw .wrong("a tensor has \(elements) elements") }
        if size > 1 { shape.append(size) }
      }
      let name = try text(nameLength)
      guard elements % layout.elements == 0 else { throw .wrong("the tensor \(name) has \(elements) elements") }
      let start = offset
      try skip(elements / layout.elements * layout.bytes, "the tensor \(name)")
      return (name, ModelTensor(shape: shape, type: type, bytes: contents[start..<offset]))
    }

    /// Elements and bytes of a block, by ggml's type number: plain numbers, the five classic and five newer quantisations.
    private static let layouts: [Int: (elements: Int, bytes: Int)] = [
      0: (1, 4), 1: (1, 2), 30: (1, 2),
      2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
      10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    ]
  }
}

/// A tensor as it lies in the file, which is mapped and not read.
struct ModelTensor: Sendable {
  /// Without sizes of 1; the size that varies fastest comes first.
  let shape: [Int]
  /// ggml's number: 0 for 32-bit and 1 for 16-bit floating point.
  let type: Int
  let bytes: Data

  /// The elements, if they are plain numbers; else empty.
  var floats: [Float] {
    bytes.withUnsafeBytes { bytes in
      switch type {
      case 0:
        return (0..<bytes.count / 4).map { index in
          let bits = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
          return Float(bitPattern: bits)
        }
      case 1:
        return (0..<bytes.count / 2).map { index in
          Self.float(half: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
        }
      default: return []
      }
    }
  }

  /// IEEE 754 binary16, which not every platform of Swift has as a type.
  static func float(half bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 0x1f)
    let fraction = UInt32(bits & 0x3ff)
    switch exponent {
    case 0: return Float(sign: sign == 0 ? .plus : .minus, exponent: -24, significand: Float(fraction))
    case 0x1f: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
