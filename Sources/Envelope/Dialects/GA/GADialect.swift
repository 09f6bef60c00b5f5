/// The vocabulary itself: nothing changes.
struct GADialect: Dialect {
  static let audioDeltaType: StaticString = "response.output_audio.delta"

  var audioDeltaType: StaticString { Self.audioDeltaType }

  func neutral(_ event: JSONValue) -> JSONValue { event }

  func told(_ event: JSONObject, _ emit: (JSONObject) -> Void) {
    emit(event)
  }

  /// A `session.created` for a client whose dialect is not known yet: GA, and the flat `voice` as well. Nil where the
  /// session has none, or the event is another.
  static func greeting(_ event: JSONObject) -> JSONObject? {
    guard event["type"] == "session.created", var session = event["session"]?.object, session["voice"] == nil,
      let voice = session["audio"]?["output"]?["voice"]
    else { return nil }
    session["voice"] = voice
    var greeting = event
    greeting["session"] = .object(session)
    return greeting
  }
}
