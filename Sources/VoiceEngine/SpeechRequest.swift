public import NIOCore

import Audio

/// A text to be spoken outside of any session.
public struct SpeechRequest: Sendable {
  /// The rate of the speech, hertz: PCM16, mono.
  public static let rate = 24_000

  public var text: String
  /// A voice of the engine; any other name means its default.
  public var voice: String?
  /// 1 is the voice's own.
  public var speed: Double

  public init(text: String, voice: String? = nil, speed: Double = 1) {
    self.text = text
    self.voice = voice
    self.speed = speed
  }
}

extension VoiceEngine {
  /// Speaks clause by clause: PCM16 little-endian at `SpeechRequest.rate`. A clause is made when the speech before it has
  /// been taken, so nothing is ahead of a slow reader but the clause that it is at. Ending the iteration early stops it.
  ///
  /// - Throws: `tts_unavailable` where nothing speaks; the stream throws what goes wrong on the way.
  public func speak(_ request: SpeechRequest) throws(StageFault) -> AsyncThrowingStream<ByteBuffer, any Error> {
    guard let synthesizer = parts.synthesizer else {
      throw StageFault(.tts, code: "tts_unavailable", message: parts.absence(of: .tts))
    }
    let production = SpeechProduction(request, synthesizer)
    return AsyncThrowingStream(unfolding: { try await production.next() })
  }
}

/// A text on its way to speech, one piece for each call.
private actor SpeechProduction {
  private let synthesizer: any Synthesizer
  private let voice: String
  private let speed: Double
  /// What has not been begun.
  private var clauses: ArraySlice<String>
  /// The speech of the clause that has.
  private var chunks: AsyncThrowingStream<SpeechChunk, any Error>?
  private var recording = SpeechRecording(rate: SpeechRequest.rate)

  init(_ request: SpeechRequest, _ synthesizer: any Synthesizer) {
    self.synthesizer = synthesizer
    voice = request.voice.flatMap { synthesizer.voices.contains($0) ? $0 : nil } ?? synthesizer.voices.first ?? ""
    speed = request.speed
    var splitter = ClauseSplitter()
    clauses = ArraySlice(splitter.add(request.text) + [splitter.finish()].compactMap(\.self))
  }

  /// Never empty; nil at the end.
  func next() async throws -> ByteBuffer? {
    while true {
      try Task.checkCancellation()
      if let chunks {
        if let bytes = try await speech(of: chunks) { return bytes }
        self.chunks = nil
      } else if let clause = clauses.popFirst() {
        let text = SpokenText.of(clause)
        if !text.isEmpty { chunks = synthesizer.speak(text, voice: voice, speed: speed) }
      } else {
        return Self.bytes(recording.finish())
      }
    }
  }

  /// The next piece that has any samples.
  private func speech(of chunks: AsyncThrowingStream<SpeechChunk, any Error>) async throws -> ByteBuffer? {
    for try await chunk in chunks {
      recording.add(chunk)
      if let bytes = Self.bytes(recording.drain()) { return bytes }
    }
    return nil
  }

  /// Nil for none.
  private static func bytes(_ samples: [Int16]) -> ByteBuffer? {
    guard !samples.isEmpty else { return nil }
    var buffer = ByteBuffer()
    samples.withUnsafeBufferPointer { PCM16.encode($0, into: &buffer) }
    return buffer
  }
}
