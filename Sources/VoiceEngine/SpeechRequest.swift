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
  /// Speaks clause by clause: PCM16 little-endian at `SpeechRequest.rate`. Ending the iteration early stops it.
  ///
  /// - Throws: `tts_unavailable` where nothing speaks; the stream throws what goes wrong on the way.
  public func speak(_ request: SpeechRequest) throws(StageFault) -> AsyncThrowingStream<ByteBuffer, any Error> {
    guard let synthesizer = parts.synthesizer else {
      throw StageFault(.tts, code: "tts_unavailable", message: parts.absence(of: .tts))
    }
    let voice = request.voice.flatMap { synthesizer.voices.contains($0) ? $0 : nil } ?? synthesizer.voices.first ?? ""
    let (stream, output) = AsyncThrowingStream.makeStream(of: ByteBuffer.self)
    let task = Task {
      do {
        var splitter = ClauseSplitter()
        let clauses = splitter.add(request.text) + [splitter.finish()].compactMap(\.self)
        var rate = SpeechRate()
        for clause in clauses {
          let text = SpokenText.of(clause)
          guard !text.isEmpty else { continue }
          for try await chunk in synthesizer.speak(text, voice: voice, speed: request.speed) {
            output.yield(rate.converted(chunk))
          }
        }
        output.yield(rate.rest())
        output.finish()
      } catch {
        output.finish(throwing: error)
      }
    }
    output.onTermination = { _ in task.cancel() }
    return stream
  }
}

/// Speech of any rate to bytes of `SpeechRequest.rate`.
private struct SpeechRate {
  private var resampler: Resampler?

  mutating func converted(_ chunk: SpeechChunk) -> ByteBuffer {
    var samples: [Int16] = []
    if resampler?.from != chunk.rate {
      if var old = resampler { samples = old.flush() }
      resampler = Resampler(from: chunk.rate, to: SpeechRequest.rate)
    }
    chunk.samples.withUnsafeBufferPointer { resampler?.process($0, into: &samples) }
    return Self.bytes(samples)
  }

  mutating func rest() -> ByteBuffer {
    Self.bytes(resampler?.flush() ?? [])
  }

  private static func bytes(_ samples: [Int16]) -> ByteBuffer {
    var buffer = ByteBuffer()
    samples.withUnsafeBufferPointer { PCM16.encode($0, into: &buffer) }
    return buffer
  }
}
