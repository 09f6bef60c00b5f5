public import Translation

import Envelope

// What a session with Gemini Live makes of everything that a client can say. `NOTES.md` says how.

extension GeminiLiveConfiguration {
  /// For the model that is configured; strict where the configuration is.
  public var coverage: [CoverageRow] {
    Self.events + Self.items + Coverage.serverFields + sessionRows + inputRows + responseRows
  }

  /// What the service has no counterpart for: replaced by what really happens, or refused (Q23).
  func counterless(
    _ subject: String, when condition: JSONObject? = nil, _ note: String, shown: String? = nil
  ) -> CoverageRow {
    .counterless(subject, when: condition, isLenient: isLenient, note, shown: shown)
  }

  private static let ownsTurns: [JSONObject] = [
    ["session.audio.input.turn_detection": .null],
    ["session.audio.input.turn_detection.create_response": false],
  ]

  private static let events: [CoverageRow] =
    [
      CoverageRow(
        "session.update", .mapped, from: .nextResponse,
        "What the service fixes at its set-up takes a new connection, unseen by the client, when nobody speaks and "
          + "nothing is asked, and before the next response at the latest; the rest holds at once."),
      CoverageRow("input_audio_buffer.append", .mapped, "Sent on in pieces of 20 to 100 ms, at the client's own rate."),
      CoverageRow("input_audio_buffer.commit", .mapped, "The service is told that the audio ends, and answers it."),
      CoverageRow(
        "input_audio_buffer.clear", .emulated, from: .atOnce,
        "Drops what has not gone up; the service cannot be told to forget what has."),
      CoverageRow(
        "output_audio_buffer.clear", .emulated, from: .atOnce,
        "Cancels the response that is being spoken; an error where none is."),
      CoverageRow(
        "conversation.item.create", .emulated, from: .nextResponse,
        "Kept until a response is asked for, because the service answers what it is told."),
      CoverageRow("conversation.item.retrieve", .emulated, "Answered from the mirror, which keeps words and no audio."),
      CoverageRow(
        "conversation.item.truncate", .emulated, from: .nextResponse,
        "The service is told the conversation anew, with about the words that were heard."),
      CoverageRow(
        "conversation.item.delete", .emulated, from: .nextResponse,
        "The service is told the conversation anew, without it."),
      CoverageRow(
        "response.create", .emulated,
        "The service answers by itself: what is waiting goes up, and where that is nothing it is asked to speak."),
      CoverageRow(
        "response.cancel", .emulated, from: .atOnce,
        "The response ends at once; what the service still says to it is discarded."),
    ]
    + ownsTurns.flatMap { condition in
      [
        CoverageRow(
          "input_audio_buffer.append", when: condition, .emulated,
          "Kept, ten minutes at most, until a response is asked for: the service would answer it."),
        CoverageRow(
          "input_audio_buffer.commit", when: condition, .emulated,
          "Makes an item, which goes up when a response is asked for."),
      ]
    }

  private static let items: [CoverageRow] =
    [
      CoverageRow(
        "previous_item_id", .emulated, from: .nextResponse,
        "The service can only append: elsewhere than at the end, it is told the conversation anew."),
      CoverageRow(
        "conversation.item.create", when: ["item.content[].type": "input_image"], .mapped, from: .nextResponse,
        "JPEG and PNG, as a data URL of base64; any other is refused."),
      CoverageRow(
        "conversation.item.create", when: ["item.content[].type": "input_audio"], .mapped, from: .nextResponse,
        "A turn of the user: samples in the session's input format, or an Ogg Opus or WAV file."),
      CoverageRow(
        "conversation.item.create", when: ["item.role": "assistant"], .mapped, from: .nextResponse,
        "A turn of the model; families that take none are told the conversation anew."),
      CoverageRow(
        "conversation.item.create", when: ["item.role": "system"], .emulated, from: .nextResponse,
        "Before anything else it joins the instructions; later it stands before the user's next words."),
      CoverageRow(
        "conversation.item.create", when: ["item.type": "function_call"], .emulated, from: .nextResponse,
        "Told in words: the service takes no calls but its own."),
      CoverageRow(
        "conversation.item.create", when: ["item.type": "function_call_output"], .mapped, from: .nextResponse,
        "All results of a turn go up together; one without a call of this conversation is refused."),
    ]
    + ["mcp_list_tools", "mcp_call", "mcp_approval_request", "mcp_approval_response"].map { type in
      CoverageRow(
        "conversation.item.create", when: ["item.type": .string(type)], .refused, "The service has no MCP tools.")
    }
}
