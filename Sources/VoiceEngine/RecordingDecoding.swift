public import NIOCore
public import Translation

extension VoiceEngine {
  /// Decodes what clients of other providers recorded as Ogg Opus, with the system's libopus. Without it the fault says
  /// what to install.
  @Sendable
  public static func decodeRecording(_ file: ByteBuffer) throws(RecordingFault) -> [Int16] {
    do {
      return try OpusFile.samples(of: Array(file.readableBytesView), rate: RecordingFile.decoderRate)
    } catch {
      throw RecordingFault(error.message)
    }
  }
}
