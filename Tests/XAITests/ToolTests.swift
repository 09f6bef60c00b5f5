import Envelope
import Testing

@testable import XAIProvider

@Suite struct Tools {
  static let known = #""tools":[{"type":"function","name":"known"}]"#

  @Test("R203: with tool_choice none the service is told of no tools, with auto of all of them")
  func toolChoiceNone() throws {
    let update = try Update(#"{"tool_choice":"none"}"#, after: "{\(Self.known)}")
    #expect(update.wire["tools"] == [])
    #expect(update.session.toolChoice == .none && update.session.tools.count == 1)
    #expect(update.missing.isEmpty)
    let back = try Update(#"{"tool_choice":"auto"}"#, after: #"{\#(Self.known),"tool_choice":"none"}"#)
    #expect(back.wire["tools"]?[0]?["name"] == "known")
  }

  @Test(
    "R203 Q23: the service chooses by itself",
    arguments: [#""required""#, #"{"type":"function","name":"known"}"#, #"{"type":"mcp","server_label":"s"}"#])
  func otherChoices(_ choice: String) throws {
    let update = try Update(#"{\#(Self.known),"tool_choice":\#(choice)}"#)
    #expect(update.session.toolChoice == .auto)
    #expect(update.missing == ["session.tool_choice"])
    #expect(update.wire["tool_choice"] == nil && update.wire["tools"]?[0]?["name"] == "known")
  }

  @Test("R142: tools can be cleared")
  func cleared() throws {
    #expect(try Update(#"{"tools":[]}"#, after: "{\(Self.known)}").wire["tools"] == [])
  }

  @Test(
    "the service's own tools and MCP servers pass as they are",
    arguments: [
      #"{"type":"web_search","allowed_domains":["x.ai"]}"#, #"{"type":"x_search","allowed_x_handles":["xai"]}"#,
      #"{"type":"file_search","vector_store_ids":["v"],"max_num_results":3}"#,
      #"{"type":"mcp","server_label":"s","server_url":"https://mcp.example.test","allowed_tools":["a"]}"#,
      #"{"type":"mcp","server_label":"s","server_url":"https://mcp.example.test","require_approval":"never"}"#,
    ])
  func own(_ tool: String) throws {
    #expect(try Update(#"{"tools":[\#(tool)]}"#).wire["tools"] == [try JSONValue(parsing: tool)])
  }

  @Test(
    "Q23: what the service cannot run, or would run otherwise than asked, is refused by its place",
    arguments: [
      (#"{"type":"code_interpreter"}"#, "session.tools[1].type"),
      (#"{"type":"function","name":"web_search"}"#, "session.tools[1].name"),
      (#"{"type":"mcp","server_label":"s","connector_id":"c"}"#, "session.tools[1].server_url"),
      (
        #"{"type":"mcp","server_label":"s","server_url":"u","require_approval":"always"}"#,
        "session.tools[1].require_approval"
      ),
      (
        #"{"type":"mcp","server_label":"s","server_url":"u","allowed_tools":{"read_only":true}}"#,
        "session.tools[1].allowed_tools"
      ),
    ])
  func refused(_ tool: String, _ param: String) throws {
    let fault = try Update.fault(#"{"tools":[{"type":"function","name":"known"},\#(tool)]}"#)
    #expect(fault.param == param)
    #expect(fault.type == "invalid_request_error")
  }
}
