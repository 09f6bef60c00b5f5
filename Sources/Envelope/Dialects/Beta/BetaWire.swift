/// The vocabulary of the beta as a provider may still speak it, in whole or mixed with GA: one event at a time, without
/// memory. What is GA already stays as it is.
public enum BetaWire {
  // MARK: Sessions

  /// A GA session, or a part of one, in flat form. `null` stays `null`, and what is absent stays absent.
  public static func session(fromGA session: JSONObject) -> JSONObject {
    BetaTable.session.flattened(session)
  }

  /// A flat session, or a part of one, in the form of GA, with its `type`.
  public static func session(toGA session: JSONObject) -> JSONObject {
    let kind = SessionType.allCases.first { $0.object == session["object"]?.string } ?? .realtime
    return Self.session(toGA: session, kind)
  }

  static func session(toGA session: JSONObject, _ kind: SessionType) -> JSONObject {
    var nested = BetaTable.session.nested(session)
    // Beta mentions them there too; a transcription has no output.
    if kind == .transcription { nested.removeValue(forKey: "output_modalities") }
    guard nested["type"] == nil else { return nested }
    var typed: JSONObject = ["type": .string(kind.rawValue)]
    typed.merge(nested)
    return typed
  }

  // MARK: Client events

  /// A client's GA event as it goes to a provider that speaks beta.
  public static func clientEvent(fromGA event: JSONObject) -> JSONObject {
    var next = named(event, toBeta: true)
    next.change("session", session(fromGA:))
    next.change("item") { item($0, toBeta: true) }
    next.change("response") { request($0, BetaTable.request.flattened, toBeta: true) }
    return next
  }

  /// A client's event as it comes from one that speaks beta.
  static func clientEvent(toGA event: JSONObject) -> JSONObject {
    var next = named(event, toBeta: false)
    next.change("session") { session(toGA: $0, kind(of: event)) }
    next.change("item") { item($0, toBeta: false) }
    next.change("response") { request($0, BetaTable.request.nested, toBeta: false) }
    return next
  }

  private static func request(
    _ response: JSONObject, _ reshape: (JSONObject) -> JSONObject, toBeta: Bool
  ) -> JSONObject {
    var next = reshape(response)
    next.changeEach("input") { item($0, toBeta: toBeta) }
    return next
  }

  // MARK: Server events

  /// A provider's event in the vocabulary of GA: names, sessions, items, responses and the paths of errors.
  public static func serverEvent(toGA event: JSONObject) -> JSONObject {
    var next = named(event, toBeta: false)
    next.change("session") { session in
      event["type"]?.string?.hasPrefix("transcription_") == true
        ? Self.session(toGA: session, .transcription) : Self.session(toGA: session)
    }
    next.change("item") { item($0, toBeta: false) }
    next.change("response") { response in
      var next = BetaTable.request.nested(response)
      next.changeEach("output") { item($0, toBeta: false) }
      return next
    }
    if event["type"] == "error" {
      next.change("error") { error($0) { BetaTable.session.gaPath($0) ?? BetaTable.request.gaPath($0) } }
    }
    return next
  }

  /// A GA event for a client that speaks beta; nil where there is no such event.
  static func serverEvent(fromGA event: JSONObject) -> JSONObject? {
    guard let type = event["type"]?.string, !BetaTable.unknownToBeta.contains(type) else { return nil }
    var next = named(event, toBeta: true)
    next.removeValue(forKey: "obfuscation")
    next.change("session", session(fromGA:))
    next.change("item") { item($0, toBeta: true) }
    next.change("response") { response in
      var next = BetaTable.resource.flattened(response)
      next.changeEach("output") { item($0, toBeta: true) }
      next.change("usage", usageWithoutImages)
      return next
    }
    if type == "error" {
      next.change("error") { error($0) { BetaTable.session.betaPath($0) ?? BetaTable.request.betaPath($0) } }
    }
    return next
  }

  // MARK: Parts of events

  private static func named(_ event: JSONObject, toBeta: Bool) -> JSONObject {
    guard let type = event["type"]?.string else { return event }
    var next = event
    if let pair = BetaTable.sessionEvents.first(where: { type == (toBeta ? $0.ga : $0.transcription) }) {
      if !toBeta {
        next["type"] = .string(pair.ga)
      } else if event["session"]?["type"]?.string == SessionType.transcription.rawValue {
        next["type"] = .string(pair.transcription)
      }
    } else if let name = (toBeta ? BetaTable.betaNames : BetaTable.gaNames)[type] {
      next["type"] = .string(name)
    }
    return next
  }

  private static func kind(of event: JSONObject) -> SessionType {
    event["type"]?.string?.hasPrefix("transcription_") == true ? .transcription : .realtime
  }

  /// What the assistant said, as either vocabulary calls it; other items are alike in both.
  static func item(_ item: JSONObject, toBeta: Bool) -> JSONObject {
    guard item["role"] != "user", item["role"] != "system" else { return item }
    var next = item
    next.changeEach("content") { part in
      let type = part["type"]?.string
      guard let pair = BetaTable.contentTypes.first(where: { type == (toBeta ? $0.ga : $0.beta) }) else { return part }
      var next = part
      next["type"] = .string(toBeta ? pair.beta : pair.ga)
      return next
    }
    return next
  }

  /// The path is part of most messages, too.
  private static func error(_ error: JSONObject, _ map: (String) -> String?) -> JSONObject {
    guard let param = error["param"]?.string, let path = map(param) else { return error }
    var next = error
    next["param"] = .string(path)
    if let message = error["message"]?.string {
      next["message"] = .string(message.replacing("'\(param)'", with: "'\(path)'"))
    }
    return next
  }

  private static func usageWithoutImages(_ usage: JSONObject) -> JSONObject {
    var next = usage
    next.change("input_token_details") { details in
      var next = details
      next.removeValue(forKey: "image_tokens")
      next.change("cached_tokens_details") { cached in
        var next = cached
        next.removeValue(forKey: "image_tokens")
        return next
      }
      return next
    }
    return next
  }
}

extension JSONObject {
  /// Changes a member that is an object.
  fileprivate mutating func change(_ key: String, _ change: (JSONObject) -> JSONObject) {
    guard let object = self[key]?.object else { return }
    self[key] = .object(change(object))
  }

  /// Changes the objects in a member that is an array.
  fileprivate mutating func changeEach(_ key: String, _ change: (JSONObject) -> JSONObject) {
    guard let array = self[key]?.array else { return }
    self[key] = .array(array.map { element in element.object.map { .object(change($0)) } ?? element })
  }
}
