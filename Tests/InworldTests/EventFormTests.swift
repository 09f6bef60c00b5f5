import Envelope
import OpenAIWire
import Testing
import Translation

@testable import InworldProvider

@Suite struct InworldEventForm {
  @Test(
    "T5 T7 T8 R264: these events cross as they are",
    arguments: [
      ["type": "input_audio_buffer.commit", "event_id": "c"], ["type": "input_audio_buffer.clear"],
      ["type": "output_audio_buffer.clear"], ["type": "response.cancel", "response_id": "r"],
      ["type": "conversation.item.delete", "item_id": "i"],
      ["type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": 10],
      [
        "type": "conversation.item.create",
        "item": ["type": "function_call_output", "call_id": "call_9", "output": "{\"sign\":\"Aries\"}"],
      ],
      [
        "type": "conversation.item.create", "previous_item_id": "root",
        "item": ["id": "mine", "type": "message", "role": "user", "content": [["type": "input_text", "text": "Hi"]]],
      ],
      [
        "type": "conversation.item.create",
        "item": ["type": "message", "role": "user", "content": [["type": "input_audio", "audio": "T2dnUw=="]]],
      ], ["type": "response.create", "event_id": "c"],
    ] as [JSONObject])
  func plain(_ event: JSONObject) throws {
    #expect(try InworldForm().event(event) == [event])
  }

  @Test("T6 R163: what is not known of a response's options stays here")
  func options() throws {
    let told = try InworldForm().event([
      "type": "response.create", "event_id": "c",
      "response": [
        "output_modalities": ["text"], "max_output_tokens": 64, "conversation": "auto", "metadata": ["k": "v"],
        "prompt": ["id": "p"], "reasoning": ["effort": "low"],
      ],
    ])
    #expect(
      told == [
        [
          "type": "response.create", "event_id": "c",
          "response": ["output_modalities": ["text"], "max_output_tokens": 64],
        ]
      ])
    let empty = try InworldForm().event(["type": "response.create", "response": ["metadata": ["k": "v"]]])
    #expect(empty == [["type": "response.create"]])
  }

  @Test(
    "T6: a response outside of the conversation, or with an input of its own, is refused",
    arguments: [["conversation": "none"], ["input": .array([])]] as [JSONObject])
  func refused(_ options: JSONObject) throws {
    let fault = try InworldForm().refusal(of: ["type": "response.create", "response": .object(options)])
    #expect(fault?.code == "unsupported_value")
    #expect(fault?.param == "response." + (options.keys.first ?? ""))
  }

  @Test("Q23: the options that stay here are told of; what is null or served here is not one")
  func ignored() {
    let service = InworldForm.service()
    #expect(
      service.ignoredOptions([
        "output_modalities": ["text"], "instructions": "Be brief.", "tools": [], "max_output_tokens": 64,
        "conversation": "auto", "metadata": ["k": "v"], "prompt": ["id": "p"], "reasoning": ["effort": "low"],
        "parallel_tool_calls": false, "tool_choice": ["type": "mcp", "server_label": "s"],
        "audio": [
          "input": ["format": ["type": "audio/pcmu"]],
          "output": ["voice": "Liam", "format": ["type": "audio/pcmu"], "model": "inworld-tts-2", "pitch": 1],
        ],
      ]) == [
        "response.prompt", "response.reasoning.effort", "response.parallel_tool_calls", "response.tool_choice",
        "response.audio.input.format", "response.audio.output.pitch",
      ])
    #expect(service.ignoredOptions(["prompt": nil, "reasoning": ["effort": nil], "tool_choice": "required"]).isEmpty)
  }

  @Test("R203: the bare name of a function is the choice of it")
  func choice() throws {
    let form = try InworldForm()
    for (asked, told): (JSONValue, JSONValue) in [
      ("get_horoscope", ["type": "function", "name": "get_horoscope"]), ("required", "required"),
    ] {
      let event = try form.event(["type": "response.create", "response": ["tool_choice": asked]])
      #expect(event.first?["response"]?["tool_choice"] == told)
    }
  }

  @Test("R197: the voice of one response is the service's too")
  func voice() throws {
    let told = try InworldForm { $0.voice = "Liam" }.event([
      "type": "response.create",
      "response": ["audio": ["output": ["voice": "alloy", "format": ["type": "audio/pcmu"]]]],
    ])
    #expect(told.first?["response"]?["audio"] == ["output": ["voice": "Liam", "format": ["type": "audio/pcmu"]]])
  }

  @Test("Tools and items of MCP servers are refused by their place")
  func mcp() throws {
    let form = try InworldForm()
    let tools = form.fault(ofEvent: [
      "type": "response.create",
      "response": ["tools": [["type": "function", "name": "f"], ["type": "mcp", "server_label": "s"]]],
    ])
    #expect(tools?.param == "response.tools[1].type")
    let item = form.fault(ofEvent: ["type": "conversation.item.create", "item": ["type": "mcp_approval_response"]])
    #expect(item?.param == "item.type")
  }
}
