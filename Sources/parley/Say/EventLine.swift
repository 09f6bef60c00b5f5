import Envelope

/// An event of the server as one line: when, what, and the field that one wants to see.
enum EventLine {
  /// Nil for the audio deltas behind the first of an answer, which `response.output_audio.done` sums up.
  ///
  /// - Parameters:
  ///   - time: since the connection was opened.
  ///   - exchange: with the event taken in.
  static func text(of event: JSONValue, at time: Duration, in exchange: Exchange) -> String? {
    let type = event["type"]?.string ?? "no type"
    if type == "response.output_audio.delta", exchange.answerDeltaCount > 1 { return nil }
    let stamp = Milliseconds.text(time)
    let start = String(repeating: " ", count: max(0, 7 - stamp.count)) + stamp + " ms  " + TerminalText.plain(type)
    guard let detail = detail(type, event, exchange), !detail.isEmpty else { return start }
    return start + "  " + TerminalText.plain(detail)
  }

  private static func detail(_ type: String, _ event: JSONValue, _ exchange: Exchange) -> String? {
    switch type {
    case "session.created", "session.updated":
      return event["session"]?["model"]?.string
    case "error":
      return event["error"]?["message"]?.string
    case "input_audio_buffer.speech_started":
      return event["audio_start_ms"]?.int.map { "at \($0) ms" }
    case "input_audio_buffer.speech_stopped":
      return event["audio_end_ms"]?.int.map { "at \($0) ms" }
    case "response.output_audio.delta":
      return "the first one"
    case "response.output_audio.done":
      let seconds = Milliseconds.count(exchange.answerDuration)
      return "\(exchange.answerDeltaCount) deltas, \(seconds) ms of audio"
    case "response.created":
      return event["response"]?["id"]?.string
    case "response.done":
      return event["response"]?["status"]?.string
    default:
      return quoted(event) ?? item(event["item"]) ?? event["part"]?["type"]?.string ?? event["item_id"]?.string
    }
  }

  /// The words of an event that carries some.
  private static func quoted(_ event: JSONValue) -> String? {
    for name in ["transcript", "text", "delta", "arguments"] {
      if let words = event[name]?.string { return "\"\(words)\"" }
    }
    return event["error"]?["message"]?.string
  }

  private static func item(_ item: JSONValue?) -> String? {
    guard let item, let type = item["type"]?.string else { return nil }
    return [type, item["role"]?.string, item["name"]?.string].compactMap(\.self).joined(separator: " ")
  }
}
