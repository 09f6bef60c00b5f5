import Audio
public import Envelope
import Metering
import NIOCore
public import Translation

// Audio in both directions.

extension WireTranslator {
  public mutating func clientAudio(_ chunk: AudioChunk, at now: Instant, port: inout Port) throws(EventFault) {
    let before = hearing.heardMs
    hearing.append(chunk.base64, decodedByteCount: chunk.decodedByteCount, session.audio.input.format)
    mender.heardAudio(milliseconds: hearing.heardMs - before)
    if upload.isTransparent, traits.isNative {
      return port.send(.audio) { $0.writeImmutableBuffer(chunk.event) }
    }
    if upload.isTransparent {
      // Without the client's `event_id` and unknown fields, which other services do not expect.
      return Self.append(chunk.base64, port: &port)
    }
    upload.append(chunk.base64, decodedByteCount: chunk.decodedByteCount) { Self.append($0, port: &port) }
    flushAt = upload.holdsRest ? flushAt ?? now + Limits.restTimeout : nil
  }

  static func append(_ base64: ByteBuffer, port: inout Port) {
    port.send(.audio) { write(base64, into: &$0) }
  }

  private static func write(_ base64: ByteBuffer, into buffer: inout ByteBuffer) {
    buffer.writeStaticString(#"{"type":"input_audio_buffer.append","audio":""#)
    buffer.writeImmutableBuffer(base64)
    buffer.writeStaticString(#""}"#)
  }

  /// What waits for more audio goes up before anything that is about the audio so far.
  mutating func flushUpload(port: inout Port) {
    flushAt = nil
    guard upload.holdsRest else { return }
    upload.flush { Self.append($0, port: &port) }
  }

  /// The next of the audio that a new connection must hear again.
  ///
  /// - Returns: whether there was any.
  @discardableResult
  mutating func tellAudio(port: inout Port) -> Bool {
    guard let pieces = hearing.takeReplayed() else { return false }
    if upload.isTransparent {
      for piece in pieces { port.sendSetUp { Self.write(piece, into: &$0) } }
      return true
    }
    var again = WireUpload(traits.pieces, format: session.audio.input.format, takesG711: traits.takesG711)
    for piece in pieces {
      let count = Base64.decodedByteCount(of: piece.readableBytesView)
      again.append(piece, decodedByteCount: count) { text in port.sendSetUp { Self.write(text, into: &$0) } }
    }
    again.flush { text in port.sendSetUp { Self.write(text, into: &$0) } }
    return true
  }

  // MARK: Downlink

  /// What the service speaks in, before any conversion.
  var spokenFormat: AudioFormat { traits.takesG711 ? updates.confirmed.audio.output.format : .standard }

  /// Whether a delta may cross without its tree.
  private var canSplice: Bool {
    // A mender that keeps the order admits ids that the client knows only.
    download == nil && (itemIDs.isEmpty || traits.mending.completesLifecycle)
  }

  /// Hands a chunk of speech to the client as it came. False where the tree is needed.
  @inline(__always)
  mutating func deliver(_ delta: DeltaFrame, _ message: ByteBuffer, at now: Instant, port: inout Port) -> Bool {
    // One that is not wanted is not spliced: the tree's way drops it.
    guard canSplice, cancelledResponses.isEmpty, message.withUnsafeReadableBytes({ mender.admits(delta, in: $0) })
    else { return false }
    speech.append(bytes: delta.decodedBytes)
    port.meter.spoke(bytes: delta.decodedBytes, format(of: delta, message))
    if port.marks.watchesSpeech { port.marks.add(.spoke(responseID: responseID(of: delta, message))) }
    if stallsAt != nil { stallsAt = now + Limits.stallTimeout }
    guard traits.vocabulary == .beta else {
      port.outbox.downstream.append(.audio) { $0.writeImmutableBuffer(message) }
      return true
    }
    let start = message.readerIndex
    guard let head = message.getSlice(at: start, length: delta.type.lowerBound),
      let tail = message.getSlice(
        at: start + delta.type.upperBound, length: message.readableBytes - delta.type.upperBound)
    else { return false }
    port.outbox.downstream.append(.audio) {
      $0.writeImmutableBuffer(head)
      $0.writeStaticString("response.output_audio.delta")
      $0.writeImmutableBuffer(tail)
    }
    return true
  }

  /// The client's coding in place of the service's.
  ///
  /// - Returns: nil where the chunk was too short to give a sample.
  mutating func recoded(_ event: JSONObject) -> JSONObject? {
    guard download != nil, let delta = event["delta"]?.string else { return event }
    var text = ByteBuffer()
    download?.convert(ByteBuffer(string: delta), into: &text)
    guard text.readableBytes > 0 else { return nil }
    var event = event
    event["delta"] = .string(String(buffer: text))
    return event
  }

  /// The end of a part: what the conversion held back for more audio.
  mutating func codingRest() -> String? {
    var text = ByteBuffer()
    download?.flush(into: &text)
    return text.readableBytes > 0 ? String(buffer: text) : nil
  }

  // MARK: Recordings

  /// An item whose recordings are as the service takes them; nil where they are already (R259).
  func recording(in item: JSONValue) throws(EventFault) -> JSONValue? {
    guard var fields = item.object, var content = fields["content"]?.array else { return nil }
    var isChanged = false
    let format = session.audio.input.format
    for index in content.indices {
      guard var part = content[index].object, part["type"]?.string == "input_audio", let audio = part["audio"]?.string
      else { continue }
      let param = "item.content[\(index)].audio"
      let law = traits.takesG711 ? format.law : nil
      let rate = law == nil ? SampleRate.hz24000.hertz : format.rate
      var text = try RecordingFile.samples(of: audio, rate: rate, param: param, decodingBy: decodeRecording)
      if text == nil, let clientLaw = format.law, !traits.takesG711 {
        text = Self.convert(ByteBuffer(string: audio), .g711(clientLaw), .pcm16(rate: rate))
      } else if let samples = text, let law {
        text = Self.convert(samples, .pcm16(rate: rate), .g711(law))
      }
      guard let text else { continue }
      part["audio"] = .string(String(buffer: text))
      content[index] = .object(part)
      isChanged = true
    }
    guard isChanged else { return nil }
    fields["content"] = .array(content)
    return .object(fields)
  }

  private static func convert(_ base64: ByteBuffer, _ from: AudioCoding, _ to: AudioCoding) -> ByteBuffer {
    var transcoder = AudioTranscoder(from: from, to: to)
    var text = ByteBuffer()
    transcoder.convert(base64, into: &text)
    transcoder.flush(into: &text)
    return text
  }

  // MARK: Silence

  /// Silence counts from the end of what the user hears, which is sent faster than it is spoken.
  mutating func armIdleTimeout(at now: Instant) {
    guard let playbackMs = idlePlaybackMs else { return }
    idlePlaybackMs = nil
    guard !traits.hasIdleTimeout, let idle = session.audio.input.turnDetection?.idleTimeoutMs, idle > 0 else { return }
    idleAt = now + .milliseconds(playbackMs + idle)
    idleFromMs = hearing.heardMs + playbackMs
  }

  /// The event, and nothing more: the service has no part in it (Q12).
  mutating func idleTimeout(port: inout Port) {
    idleAt = nil
    guard !isMidTurn, hearing.speechItemID == nil else { return }
    let endMs = hearing.heardMs
    port.emit(
      .inputAudioBufferTimeoutTriggered(
        audioStartMs: min(idleFromMs, endMs), audioEndMs: endMs, itemID: port.ids.next(.item)))
  }
}
