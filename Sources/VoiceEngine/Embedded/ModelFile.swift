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
    try check { cursor throws(Damage) in
      let names = [
        "vocabulary", "audio context", "audio width", "audio heads", "audio layers", "text context", "text width",
        "text heads", "text layers", "mel bands", "number format",
      ]
      var header: [Int] = []
      for name in names {
        header.append(try cursor.count(name, in: name == "number format" ? 0...99_999 : 1...1_000_000))
      }
      let audioLayers = header[4]
      let textLayers = header[8]
      guard audioLayers <= 256, textLayers <= 256 else { throw .wrong("it has \(audioLayers) + \(textLayers) layers") }
      let bands = try cursor.count("mel bands", in: 1...1_024)
      let bins = try cursor.count("mel bins", in: 1...4_096)
      try cursor.skip(bands * bins * 4, "the mel filters")
      for _ in 0..<(try cursor.count("tokens", in: 1...1_000_000)) {
        try cursor.skip(try cursor.count("token length", in: 0...4_096), "the vocabulary")
      }
      // Encoder: position, two convolutions, closing norm, 15 a layer; decoder: position, tokens, norm, 24 a layer.
      return 11 + 15 * audioLayers + 24 * textLayers
    }
  }

  /// Checks the weights of a Silero voice activity detector.
  ///
  /// - Throws: `model_file_invalid`, naming the file.
  func checkSilero() throws(StageFault) {
    try check { cursor throws(Damage) in
      let length = try cursor.count("name length", in: 1...64)
      try cursor.skip(length, "the name")
      try cursor.skip(3 * 4, "the version")
      _ = try cursor.count("window", in: 512...512)
      _ = try cursor.count("context", in: 1...512)
      let layers = try cursor.count("encoder layers", in: 1...64)
      try cursor.skip(layers * 3 * 4 + 4 * 4, "the header")
      // The spectrum, two a layer, four of the recurrent cell, two of the last convolution.
      return 1 + 2 * layers + 4 + 2
    }
  }

  /// - Parameter header: reads the header and gives the number of tensors that must follow.
  private func check(_ header: (inout Cursor) throws(Damage) -> Int) throws(StageFault) {
    guard FileManager.default.fileExists(atPath: path) else { throw fault("does not exist") }
    guard let contents = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) else {
      throw fault("cannot be read")
    }
    do throws(Damage) {
      var cursor = Cursor(contents: contents)
      guard try cursor.number("magic number") == 0x6767_6d6c else { throw .wrong("it does not begin with “ggml”") }
      let expected = try header(&cursor)
      var count = 0
      while cursor.offset < cursor.count {
        try cursor.skipTensor()
        count += 1
        guard count <= expected else { throw .wrong("it has more than the \(expected) tensors of such a model") }
      }
      guard count == expected else { throw .truncated("it has \(count) of \(expected) tensors") }
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

  private enum Damage: Error {
    case truncated(String)
    case wrong(String)
  }

  /// Reads forward, never past the end.
  private struct Cursor {
    let contents: Data
    private(set) var offset = 0
    var count: Int { contents.count }

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

    mutating func skipTensor() throws(Damage) {
      let rank = try count("a tensor's dimensions", in: 0...4)
      let nameLength = try count("a tensor's name length", in: 1...256)
      let type = try number("a tensor's type")
      guard let layout = Self.layouts[type] else { throw .wrong("a tensor's type is \(type)") }
      var elements = 1
      for _ in 0..<rank {
        // Bounded at each step: no product of what a damaged file says can overflow.
        elements *= try count("a tensor's dimension", in: 1...10_000_000)
        guard elements <= 1 << 36 else { throw .wrong("a tensor has \(elements) elements") }
      }
      let nameStart = offset
      try skip(nameLength, "a tensor's name")
      let name = String(decoding: contents[nameStart..<offset], as: UTF8.self)
      guard elements % layout.elements == 0 else { throw .wrong("the tensor \(name) has \(elements) elements") }
      try skip(elements / layout.elements * layout.bytes, "the tensor \(name)")
    }

    /// Elements and bytes of a block, by ggml's type number: plain numbers, the five classic and five newer quantisations.
    private static let layouts: [Int: (elements: Int, bytes: Int)] = [
      0: (1, 4), 1: (1, 2), 30: (1, 2),
      2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
      10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    ]
  }
}
