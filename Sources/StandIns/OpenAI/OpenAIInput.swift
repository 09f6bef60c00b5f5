import Envelope

/// Sound as bytes on the wire and what they last.
struct Sound: Sendable, Hashable {
  enum Codec: String, Sendable, Hashable {
    case pcm = "audio/pcm"
    case muLaw = "audio/pcmu"
    case aLaw = "audio/pcma"

    var rate: Int { self == .pcm ? 24_000 : 8_000 }
    var bytesPerMillisecond: Int { self == .pcm ? 48 : 8 }
  }

  var codec = Codec.pcm
  var bytes: [UInt8] = []

  var milliseconds: Double { Double(bytes.count) / Double(codec.bytesPerMillisecond) }
}

/// The input audio buffer and the service's voice detection.
extension OpenAIStandIn {
  static let maximumAppendBytes = 15 * 1_048_576

  var inputCodec: Sound.Codec {
    Sound.Codec(rawValue: session["audio"]?["input"]?["format"]?["type"]?.string ?? "") ?? .pcm
  }

  mutating func append(_ audio: String) throws(OpenAIFault) -> [StandInFrame] {
    let codec = inputCodec
    guard let bytes = StandInBase64.strictlyDecoded(audio), let samples = Self.samples(bytes, codec) else {
      throw OpenAIFault(
        code: "invalid_value", "Invalid 'audio'. Expected base64-encoded audio bytes.", param: "audio")
    }
    guard bytes.count <= Self.maximumAppendBytes else {
      throw OpenAIFault(code: "string_above_max_length", "Invalid 'audio': more than 15 MiB.", param: "audio")
    }
    if buffer.codec != codec { buffer = Sound(codec: codec) }
    buffer.bytes += bytes
    let events = detector.feed(samples, rate: codec.rate)
    guard turnDetection != nil else { return [] }
    return events.flatMap { heard($0) }
  }

  private static func samples(_ bytes: [UInt8], _ codec: Sound.Codec) -> [Int16]? {
    switch codec {
    case .pcm: StandInSound.samples(littleEndian: bytes)
    case .muLaw: StandInSound.samples(muLaw: bytes)
    case .aLaw: StandInSound.samples(aLaw: bytes)
    }
  }

  private mutating func heard(_ speech: SpeechDetector.Event) -> [StandInFrame] {
    switch speech {
    case .started(let position):
      let id = ids.next("item")
      speechItemID = id
      let padding = turnDetection?["prefix_padding_ms"]?.int ?? 300
      let started = event(
        "input_audio_buffer.speech_started",
        ["audio_start_ms": .number(JSONNumber(max(position - padding, 0))), "item_id": .string(id)])
      let interrupts = turnDetection?["interrupt_response"]?.bool ?? true
      return [started] + (interrupts ? endActiveResponse(reason: "turn_detected") : [])
    case .stopped(let position):
      // Speech whose start was not announced (push-to-talk at that time, or committed by hand) has no end either.
      guard let id = speechItemID else { return [] }
      speechItemID = nil
      var frames = [
        event(
          "input_audio_buffer.speech_stopped",
          ["audio_end_ms": .number(JSONNumber(position)), "item_id": .string(id)])
      ]
      frames += commitBuffer(id: id)
      frames += transcription(id)
      guard turnDetection?["create_response"]?.bool ?? true else { return frames }
      do throws(OpenAIFault) {
        return frames + (try createResponse(.null))
      } catch {
        return frames + [self.error(error, eventID: nil)]
      }
    }
  }

  mutating func commit() throws(OpenAIFault) -> [StandInFrame] {
    guard buffer.milliseconds >= 100 else {
      let hundredths = String(Int((buffer.milliseconds * 100).rounded()) + 100)
      let length = "\((Int(hundredths) ?? 100) / 100 - 1).\(hundredths.suffix(2))"
      throw OpenAIFault(
        code: "input_audio_buffer_commit_empty",
        "Error committing input audio buffer: buffer too small. "
          + "Expected at least 100ms of audio, but buffer only has \(length)ms of audio.")
    }
    let id = speechItemID ?? ids.next("item")
    speechItemID = nil
    _ = detector.flush()
    return commitBuffer(id: id) + transcription(id)
  }

  private mutating func commitBuffer(id: String) -> [StandInFrame] {
    sounds[id] = buffer
    buffer = Sound(codec: buffer.codec)
    let previous: JSONValue = items.last?["id"] ?? nil
    let committed = event(
      "input_audio_buffer.committed", ["previous_item_id": previous, "item_id": .string(id)])
    let item: JSONObject = [
      "id": .string(id), "object": "realtime.item", "type": "message", "status": "completed", "role": "user",
      "content": [["type": "input_audio", "transcript": nil]],
    ]
    return [committed] + add(item, at: items.count)
  }

  private mutating func transcription(_ id: String) -> [StandInFrame] {
    guard wantsTranscription else { return [] }
    let family = "conversation.item.input_audio_transcription"
    let place: JSONObject = ["item_id": .string(id), "content_index": 0]
    var frames: [StandInFrame] = []
    for chunk in StandInWords.chunks(options.transcription, leadingSpace: true) {
      var delta = place
      delta["delta"] = .string(chunk)
      delta["obfuscation"] = .string(ids.obfuscation(for: chunk))
      frames.append(event(family + ".delta", delta))
    }
    var completed = place
    completed["transcript"] = .string(options.transcription)
    let seconds = ((sounds[id]?.milliseconds ?? 0) / 1_000).rounded(.up)
    completed["usage"] = ["type": "duration", "seconds": .number(JSONNumber(Int(seconds)))]
    frames.append(event(family + ".completed", completed))
    return frames
  }

  mutating func clearBuffer() -> [StandInFrame] {
    buffer = Sound(codec: buffer.codec)
    _ = detector.flush()
    speechItemID = nil
    return [event("input_audio_buffer.cleared", [:])]
  }
}
