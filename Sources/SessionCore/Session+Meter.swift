import Envelope
public import Metering
import Translation

// What the session costs.

extension Session {
  /// What it has cost so far.
  public var meter: Meter { port.meter }

  /// Audio that was handed to the client's queue was recalled before it left.
  ///
  /// - Parameter bytes: decoded.
  public mutating func tookBack(bytes: Int) {
    port.meter.tookBack(bytes: bytes)
    audioWasDropped()
  }

  /// Counts the recorded speech that an event of the client brought along.
  mutating func meterRecordings(in event: IncomingEvent) {
    switch event.type {
    case .conversationItemCreate: meterRecordings(of: event.value["item"])
    case .responseCreate:
      for item in event.value["response"]?["input"]?.array ?? [] { meterRecordings(of: item) }
    default: break
    }
  }

  private mutating func meterRecordings(of item: JSONValue?) {
    for part in item?["content"]?.array ?? [] where part["type"] == "input_audio" {
      guard let audio = part["audio"]?.string, !audio.isEmpty else { continue }
      let (bytes, format) = RecordingFile.byteCount(of: audio, translator.inputFormat)
      port.meter.heard(bytes: bytes, format)
    }
  }
}
