public import Envelope

import OpenAIWire
import Translation

// The client's events in the form that Inworld takes them.

extension InworldService {
  // MARK: session.update

  public func wireSession(_ fields: JSONObject, of session: RealtimeSession) -> JSONObject {
    var wire: JSONObject = ["type": "realtime"]
    for (key, value) in fields where Fields.session.contains(key) {
      guard key == "audio", let audio = value.object else {
        wire[key] = value
        continue
      }
      var sides = JSONObject()
      let input = Self.wireInput(audio["input"]?.object ?? [:])
      let output = audio["output"]?.object?.only(Fields.output) ?? [:]
      if !input.isEmpty { sides["input"] = .object(input) }
      if !output.isEmpty { sides["output"] = .object(output) }
      if !sides.isEmpty { wire[key] = .object(sides) }
    }
    return wire
  }

  private static func wireInput(_ input: JSONObject) -> JSONObject {
    var wire = input.only(Fields.input)
    if let transcription = wire["transcription"] {
      // It transcribes in any case, because its models read; what it makes of a null nobody knows.
      wire["transcription"] = transcription.object.map { .object($0.only(Fields.transcription).withoutNulls) }
    }
    if let reduction = wire["noise_reduction"]?.object {
      wire["noise_reduction"] = .object(reduction.only(Fields.noiseReduction))
    }
    if let detection = wire["turn_detection"]?.object {
      // What is left out keeps its value there, so everything is said, a timeout of null too (R250).
      let keys = detection["type"] == "semantic_vad" ? Fields.semanticVAD : Fields.serverVAD
      wire["turn_detection"] = .object(detection.only(keys))
    }
    return wire
  }

  // MARK: Other events

  public func wireEvent(_ event: JSONObject, of session: RealtimeSession) throws(EventFault) -> [JSONObject] {
    switch event["type"]?.string {
    case "response.create":
      return [try request(event)]
    case "conversation.item.create":
      if let type = event["item"]?["type"]?.string, type.hasPrefix("mcp_") {
        throw .unsupported("Items of MCP tools are not supported with this provider.", param: "item.type")
      }
      return [event]
    default:
      return [event]
    }
  }

  /// What nobody has seen Inworld take stays here; `metadata` is put into the response on its way back.
  private func request(_ event: JSONObject) throws(EventFault) -> JSONObject {
    let options = event["response"]?.object ?? JSONObject()
    for (index, tool) in (options["tools"]?.array ?? []).enumerated() where tool["type"] == "mcp" {
      throw .unsupported(
        "Tools of type 'mcp' are not supported with this provider.", param: "response.tools[\(index)].type")
    }
    var wire = options.only(Fields.response).withoutNulls
    if Self.isOfMCP(wire["tool_choice"]) { wire["tool_choice"] = nil }
    // The bare name of a function (R203).
    if let name = wire["tool_choice"]?.string { wire["tool_choice"] = ToolChoice(name: name).map(JSONCoding.encode) }
    wire["audio"] = wire["audio"]?["output"]?.object.flatMap { output in
      let output = wireOutput(output)
      return output.isEmpty ? nil : ["output": .object(output)]
    }
    var event = event
    event["response"] = wire.isEmpty ? nil : .object(wire)
    return event
  }

  private func wireOutput(_ output: JSONObject) -> JSONObject {
    var wire = output.only(Fields.output).withoutNulls
    let asked = wire["voice"].flatMap { try? JSONCoding.decode(Voice.self, from: $0) }
    wire["voice"] = asked.map { .string(Self.voice(for: $0, standard: voice)) }
    return wire
  }

  public func ignoredOptions(_ response: JSONObject) -> [String] {
    ResponseOptions.ignored(in: response) { path in
      if path == "tool_choice" { return Self.isOfMCP(response[path]) }
      let output = "audio.output."
      guard path.hasPrefix(output) else { return !Fields.response.contains(path) }
      return !Fields.output.contains(String(path.dropFirst(output.count)))
    }
  }

  private static func isOfMCP(_ choice: JSONValue?) -> Bool { choice?["type"] == "mcp" }
}
