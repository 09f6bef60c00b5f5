import Envelope
import OpenAIWire
import Testing
import Translation

@testable import VowelProvider

@Suite struct VowelEventForm {
  @Test(
    "vowel 6: these events cross as they are",
    arguments: [
      ["type": "input_audio_buffer.commit", "event_id": "c"], ["type": "input_audio_buffer.clear"],
      ["type": "response.cancel", "response_id": "r"],
      ["type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": 10],
      [
        "type": "conversation.item.create",
        "item": ["type": "function_call_output", "call_id": "c1", "output": "{}"],
      ], ["type": "response.create", "event_id": "c"],
    ] as [JSONObject])
  func plain(_ event: JSONObject) throws {
    #expect(try VowelForm().event(event) == [event])
  }

  @Test("An item goes to the end, in the beta's words")
  func items() throws {
    let told = try VowelForm().event([
      "type": "conversation.item.create", "previous_item_id": "root",
      "item": ["type": "message", "role": "assistant", "content": [["type": "output_text", "text": "Hi"]]],
    ])
    #expect(
      told == [
        [
          "type": "conversation.item.create",
          "item": ["type": "message", "role": "assistant", "content": [["type": "text", "text": "Hi"]]],
        ]
      ])
  }

  @Test("R258 R291: what is no text is refused by its place")
  func content() throws {
    let form = try VowelForm()
    for part: JSONValue in [
      ["type": "input_image", "image_url": "data:image/png;base64,AAAA"], ["type": "input_audio", "audio": "AAAA"],
    ] {
      let fault = form.fault(ofEvent: [
        "type": "conversation.item.create",
        "item": ["type": "message", "role": "user", "content": [["type": "input_text", "text": "See:"], part]],
      ])
      #expect(fault?.param == "item.content[1].type")
    }
    let mcp = form.fault(ofEvent: ["type": "conversation.item.create", "item": ["type": "mcp_call"]])
    #expect(mcp?.param == "item.type")
  }

  @Test("A response has instructions of its own, and nothing else")
  func options() throws {
    let told = try VowelForm().event([
      "type": "response.create", "event_id": "c",
      "response": [
        "conversation": "auto", "metadata": ["k": "v"], "instructions": "Be brief.", "output_modalities": ["text"],
        "max_output_tokens": 64, "audio": ["output": ["voice": "echo"]],
      ],
    ])
    #expect(
      told == [
        [
          "type": "response.create", "event_id": "c",
          "response": ["instructions": "Be brief."],
        ]
      ])
  }

  @Test(
    "A response outside of the conversation, or with an input of its own, is refused",
    arguments: [["conversation": "none"], ["input": .array([])]] as [JSONObject])
  func refused(_ options: JSONObject) throws {
    let fault = try VowelForm().refusal(of: ["type": "response.create", "response": .object(options)])
    #expect(fault?.code == "unsupported_value")
    #expect(fault?.param == "response." + (options.keys.first ?? ""))
  }

  @Test("Q23: the options that stay here are told of; what is null or served here is not one")
  func ignored() {
    let service = VowelForm.service()
    #expect(
      service.ignoredOptions([
        "conversation": "auto", "metadata": ["k": "v"], "instructions": "Be brief.", "output_modalities": ["text"],
        "max_output_tokens": 64, "tool_choice": "none", "audio": ["output": ["voice": "echo"]],
      ]) == ["response.max_output_tokens", "response.tool_choice", "response.audio.output.voice"])
    #expect(service.ignoredOptions(["instructions": nil, "tools": nil, "audio": ["output": [:]]]).isEmpty)
  }

  @Test("There is no buffer of output to clear")
  func output() throws {
    #expect(try VowelForm().fault(ofEvent: ["type": "output_audio_buffer.clear"])?.param == "type")
  }
}
