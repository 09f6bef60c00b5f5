import Audio
import Foundation
import NIOCore

/// The answer's audio, for the ear or for a file.
struct AnswerSound {
  private let wav: Data

  /// - Parameter audio: PCM16 at 24 kHz.
  init(_ audio: ByteBuffer) {
    wav = Data(WAV.header(rate: Question.rate, dataByteCount: audio.readableBytes)) + Data(audio.readableBytesView)
  }

  func save(to path: String) throws(SayFault) {
    do {
      try wav.write(to: URL(fileURLWithPath: path))
    } catch {
      throw SayFault("\(path): the answer cannot be written there")
    }
  }

  /// Plays it and waits for the end. Returns what there is to say about it; nil if it was heard.
  func play() -> String? {
    let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":").map(String.init) ?? []
    for (name, options) in Self.players {
      let places = folders.map { "\($0)/\(name)" }
      guard let player = places.first(where: FileManager.default.isExecutableFile(atPath:)) else { continue }
      return play(with: player, options: options)
    }
    let names = Self.players.map(\.name).joined(separator: ", ")
    return "The answer is not played: none of \(names) is installed. --save FILE.wav keeps it."
  }

  private static let players: [(name: String, options: [String])] = [
    ("pw-play", []), ("paplay", []), ("aplay", ["-q"]), ("afplay", []),
  ]

  private func play(with player: String, options: [String]) -> String? {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("parley-\(UUID().uuidString).wav")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: player)
    process.arguments = options + [file.path]
    process.standardError = FileHandle.nullDevice
    do {
      try wav.write(to: file)
      defer { try? FileManager.default.removeItem(at: file) }
      try process.run()
      process.waitUntilExit()
    } catch {
      return "The answer is not played: \(player) cannot be started. --save FILE.wav keeps it."
    }
    guard process.terminationStatus != 0 else { return nil }
    return "The answer is not played: \(player) failed. --save FILE.wav keeps it."
  }
}
