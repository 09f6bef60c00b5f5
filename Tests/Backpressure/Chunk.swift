import NIOCore

/// 20 ms of audio (PCM16 at 24 kHz) as base64 text that says which it is and when it was sent; the rest depends on its
/// number, so that what arrives can be held against what was sent bit for bit.
enum Chunk {
  private static let numberDigits = 8
  private static let timeDigits = 16
  static let textBytes = 1_280

  /// Appends the text of chunk `number`, sent at a time in nanoseconds.
  static func write(_ number: Int, sentAt time: UInt64, into buffer: inout ByteBuffer) {
    write(UInt64(number), digits: numberDigits, into: &buffer)
    write(time, digits: timeDigits, into: &buffer)
    buffer.writeRepeatingByte(filler(number), count: textBytes - numberDigits - timeDigits)
  }

  /// When the chunk was sent.
  ///
  /// - Parameter text: what stands between the quotes.
  /// - Returns: nil where it is not chunk `number`, whole and unchanged.
  static func sendingTime(of text: ByteBufferView, expecting number: Int) -> UInt64? {
    guard text.count == textBytes, value(text.prefix(numberDigits)) == UInt64(number) else { return nil }
    let rest = text.dropFirst(numberDigits)
    guard let time = value(rest.prefix(timeDigits)) else { return nil }
    let filler = filler(number)
    let isWhole = rest.dropFirst(timeDigits).withContiguousStorageIfAvailable { $0.allSatisfy { $0 == filler } }
    return isWhole == true ? time : nil
  }

  private static func filler(_ number: Int) -> UInt8 { UInt8(ascii: "A") + UInt8(number % 26) }

  private static func write(_ value: UInt64, digits: Int, into buffer: inout ByteBuffer) {
    var power: UInt64 = 1
    for _ in 1..<digits { power *= 10 }
    while power > 0 {
      buffer.writeInteger(UInt8(ascii: "0") + UInt8(value / power % 10))
      power /= 10
    }
  }

  private static func value(_ digits: ByteBufferView) -> UInt64? {
    digits.reduce(UInt64?.some(0)) { value, digit in
      guard let value, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      return value * 10 + UInt64(digit - UInt8(ascii: "0"))
    }
  }
}

/// The events that both ends of a call say, as far as this program needs them.
enum Words {
  static let append = #"{"type":"input_audio_buffer.append","audio":""#
  static let delta =
    #"{"type":"response.output_audio.delta","event_id":"event_a","response_id":"resp_1","#
    + #""item_id":"item_1","output_index":0,"content_index":0,"delta":""#
  static let end = #""}"#
  static let cancel = #"{"type":"response.cancel"}"#

  static func ask(_ wish: String) -> String {
    #"{"type":"response.create","response":{"instructions":"\#(wish)"}}"#
  }

  static let updated =
    #"{"type":"session.updated","event_id":"event_u","session":{"type":"realtime","object":"realtime.session","#
    + #""id":"sess_1","model":"gpt-realtime","output_modalities":["audio"]}}"#

  private static func response(_ status: String, _ output: String) -> String {
    let details = status == "cancelled" ? #"{"type":"cancelled","reason":"client_cancelled"}"# : "null"
    return #"{"object":"realtime.response","id":"resp_1","status":"\#(status)","status_details":\#(details),"#
      + #""output":\#(output),"conversation_id":"conv_1","output_modalities":["audio"],"max_output_tokens":"inf","#
      + #""audio":{"output":{"format":{"type":"audio/pcm","rate":24000},"voice":"marin"}},"usage":null,"metadata":null}"#
  }

  private static func item(_ status: String) -> String {
    #"{"id":"item_1","object":"realtime.item","type":"message","status":"\#(status)","role":"assistant","content":[]}"#
  }

  private static let place = #""response_id":"resp_1","item_id":"item_1","output_index":0,"content_index":0"#

  static let beginning = [
    #"{"type":"response.created","event_id":"event_1","response":\#(response("in_progress", "[]"))}"#,
    #"{"type":"response.output_item.added","event_id":"event_2","response_id":"resp_1","output_index":0,"#
      + #""item":\#(item("in_progress"))}"#,
    #"{"type":"conversation.item.added","event_id":"event_3","previous_item_id":null,"item":\#(item("in_progress"))}"#,
    #"{"type":"response.content_part.added","event_id":"event_4",\#(place),"part":{"type":"audio","transcript":""}}"#,
  ]

  static func ending(_ status: String) -> [String] {
    let done = item(status == "completed" ? status : "incomplete")
    return [
      #"{"type":"response.output_audio.done","event_id":"event_5",\#(place)}"#,
      #"{"type":"response.content_part.done","event_id":"event_6",\#(place),"part":{"type":"audio","transcript":""}}"#,
      #"{"type":"response.output_item.done","event_id":"event_7","response_id":"resp_1","output_index":0,"item":\#(done)}"#,
      #"{"type":"conversation.item.done","event_id":"event_8","previous_item_id":null,"item":\#(done)}"#,
      #"{"type":"response.done","event_id":"event_9","response":\#(response(status, "[\(done)]"))}"#,
    ]
  }
}
