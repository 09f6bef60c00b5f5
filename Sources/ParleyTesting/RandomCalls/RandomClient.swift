/// What clients say: all kinds of events, right and wrong.
public enum RandomClient {
  static let loud = String(repeating: "AEAAQABA", count: 400)
  static let silent = String(repeating: "AAAAAAAA", count: 800)

  static let updates = [
    #""instructions":"x""#, #""instructions":"y""#, #""audio":{"input":{"turn_detection":null}}"#,
    #""audio":{"input":{"turn_detection":{"type":"server_vad"}}}"#,
    #""audio":{"input":{"turn_detection":{"type":"server_vad","create_response":false}}}"#,
    #""audio":{"input":{"turn_detection":{"type":"server_vad","idle_timeout_ms":5000}}}"#,
    #""audio":{"input":{"turn_detection":{"type":"semantic_vad","eagerness":"high"}}}"#,
    #""audio":{"input":{"transcription":{"model":"whisper-1"}}}"#, #""audio":{"input":{"transcription":null}}"#,
    #""audio":{"input":{"format":{"type":"audio/pcmu"}}}"#,
    #""audio":{"input":{"format":{"type":"audio/pcm","rate":24000}}}"#,
    #""audio":{"output":{"format":{"type":"audio/pcma"}}}"#, #""audio":{"output":{"voice":"ash"}}"#,
    #""output_modalities":["text"]"#, #""output_modalities":["audio"]"#, #""tool_choice":"none""#,
    #""tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}]"#,
    #""tools":[],"tool_choice":"auto""#, #""audio":{"output":{"voice":7}}"#, #""model":"other""#,
    #""model":"gemini-3.1-flash-live-preview""#, #""model":"gemini-3.8-live""#,
  ]

  public static func speak<Law>(to call: inout WatchedCall<Law>, _ random: inout some RandomNumberGenerator) {
    let item = call.itemIDs.suffix(6).randomElement(using: &random) ?? "none"
    let number = call.eventCount
    let message = #""type":"message","role":"#
    func text(_ role: String, _ kind: String) -> String {
      #""item":{\#(message)"\#(role)","content":[{"type":"\#(kind)","text":"<\#(number)>"}]}"#
    }
    switch Int.random(in: 0..<40, using: &random) {
    case 0..<4: call.client("session.update", #""session":{\#(updates.randomElement(using: &random) ?? "")}"#)
    case 4..<14:
      let audio = Bool.random(using: &random) ? loud : silent
      call.client("input_audio_buffer.append", #""audio":"\#(audio)""#)
    case 14..<16: call.client("input_audio_buffer.commit", "")
    case 16: call.client("input_audio_buffer.clear", "")
    case 17..<19: call.client("conversation.item.create", text("user", "input_text"))
    case 19: call.client("conversation.item.create", text("assistant", "output_text"))
    case 20: call.client("conversation.item.create", text("system", "input_text"))
    case 21:
      let sound = #"{"type":"input_audio","audio":"\#(loud)"}"#
      call.client("conversation.item.create", #""item":{\#(message)"user","content":[\#(sound)]}"#)
    case 22:
      let position = Bool.random(using: &random) ? "root" : item
      call.client("conversation.item.create", #""previous_item_id":"\#(position)",\#(text("user", "input_text"))"#)
    case 23..<26:
      let id = call.callIDs.suffix(4).randomElement(using: &random) ?? "none"
      call.client(
        "conversation.item.create", #""item":{"type":"function_call_output","call_id":"\#(id)","output":"{\"a\":1}"}"#)
    case 26: call.client("conversation.item.retrieve", #""item_id":"\#(item)""#)
    case 27..<29: call.client("conversation.item.delete", #""item_id":"\#(item)""#)
    case 29:
      let ms = Int.random(in: 0...100, using: &random)
      call.client("conversation.item.truncate", #""item_id":"\#(item)","content_index":0,"audio_end_ms":\#(ms)"#)
    case 30..<35: call.client("response.create", "")
    case 35:
      let options = [
        #""conversation":"none""#, #""instructions":"briefly""#, #""output_modalities":["text"]"#,
        #""tool_choice":"none""#, #""conversation":"none","input":[]"#, #""tool_choice":"required""#,
      ]
      call.client("response.create", #""response":{\#(options.randomElement(using: &random) ?? "")}"#)
    case 36..<38: call.client("response.cancel", "")
    case 38: call.client("output_audio_buffer.clear", "")
    default: Bool.random(using: &random) ? call.garbage() : call.client("no.such", "")
    }
  }
}
