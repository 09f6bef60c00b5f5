import Audio
import Foundation
import VoiceEngine

/// What is asked.
enum Question {
  /// PCM at 24 kHz.
  case speech([Int16])
  case text(String)

  static let rate = SampleRate.hz24000.hertz
  private static let largestFileBytes = 64 * 1_048_576

  /// The speech of a WAV file, at any rate it may have.
  static func speech(of path: String) throws(SayFault) -> Question {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      let isThere = FileManager.default.fileExists(atPath: path)
      throw SayFault("\(path): \(isThere ? "it cannot be read" : "there is no such file")")
    }
    let bytes: [UInt8]
    do {
      bytes = Array(try handle.read(upToCount: largestFileBytes + 1) ?? Data())
    } catch {
      throw SayFault("\(path): it cannot be read")
    }
    guard bytes.count <= largestFileBytes else {
      throw SayFault("\(path): it is larger than \(largestFileBytes / 1_048_576) MiB")
    }
    do {
      let (samples, rate) = try WAV.samples(of: bytes)
      guard !samples.isEmpty else { throw SayFault("\(path): it has no samples") }
      return .speech(Resampler.convert(samples, from: rate, to: Self.rate))
    } catch let fault as WAVFault {
      throw SayFault("\(path): \(fault)")
    } catch let fault as SayFault {
      throw fault
    } catch {
      throw SayFault("\(path): \(error)")
    }
  }

  /// Words in the first voice of a synthesizer.
  static func speech(of words: String, by synthesizer: any Synthesizer) async throws(SayFault) -> Question {
    var recording = SpeechRecording(rate: rate)
    do {
      for try await chunk in synthesizer.speak(words, voice: synthesizer.voices.first ?? "", speed: 1) {
        recording.add(chunk)
      }
    } catch {
      throw SayFault("the question cannot be spoken: \(error)")
    }
    let samples = recording.finish()
    guard !samples.isEmpty else { throw SayFault("the question cannot be spoken: the voice made no sound of it") }
    return .speech(samples)
  }

  /// Where the last sound of `samples` ends: the last 20 ms that are not much quieter than the rest.
  static func soundEnd(of samples: [Int16]) -> Duration {
    let peak = samples.reduce(0) { max($0, abs(Int($1))) }
    let threshold = max(peak / 50, 32)
    let last = samples.lastIndex { abs(Int($0)) >= threshold } ?? samples.count
    return .microseconds((last + 1) * 1_000_000 / rate)
  }
}
