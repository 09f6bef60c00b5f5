import Envelope
import NIOCore
import Translation

/// What a service says when it does not do what it was asked.
struct RemoteRefusal: Sendable, Hashable {
  /// The service's sentence; empty if it had none.
  var message = ""
  /// Its word or number for programs; empty if it had none.
  var code = ""

  /// Finds the error in a reply of any of the shapes that are in use: `error` as an object or a string, FastAPI's
  /// `detail` as a string, an object or a list, vLLM's bare object, Deepgram's `err_msg`. Nil if the reply is no error.
  init?(_ reply: JSONValue) {
    if let error = reply["error"], !error.isNull {
      self.init(error: error)
    } else if reply["object"]?.string == "error" {
      self.init(error: reply)
    } else if let detail = reply["detail"] {
      self.init(detail: detail)
    } else if let code = reply["err_code"] ?? reply["error_code"] ?? reply["category"],
      (reply["err_msg"] ?? reply["message"]) != nil
    {
      self.init(message: reply["err_msg"] ?? reply["message"] ?? reply["details"], code: code)
    } else {
      return nil
    }
  }

  private init(message: JSONValue?, code: JSONValue) {
    self.message = message?.string ?? ""
    self.code = Self.word(code)
  }

  private init(error: JSONValue) {
    if let text = error.string {
      message = text
    } else {
      message = (error["message"] ?? error["description"])?.string ?? ""
      code = Self.word(error["code"] ?? .null)
      if code.isEmpty { code = Self.word(error["type"] ?? .null) }
    }
  }

  private init(detail: JSONValue) {
    if let entries = detail.array {
      message = entries.compactMap { entry in
        guard let text = entry["msg"]?.string else { return nil }
        let place = entry["loc"]?.array?.map(Self.word).joined(separator: ".") ?? ""
        return place.isEmpty ? text : "\(place): \(text)"
      }.joined(separator: "; ")
    } else if let text = detail.string {
      message = text
    } else {
      message = detail["message"]?.string ?? ""
      code = Self.word(detail["error"] ?? detail["code"] ?? .null)
    }
  }

  private static func word(_ value: JSONValue) -> String {
    value.string ?? value.int.map(String.init) ?? ""
  }

  /// Whether it means that too much was asked for.
  var isRateLimit: Bool {
    ["429", "rate_limit_exceeded", "rate_limit_error", "too_many_requests", "insufficient_quota"]
      .contains(code.lowercased())
  }
}

/// Takes secrets and line breaks out of the words of others, and bounds their length.
struct Discretion: Sendable {
  private let secrets: [Redacted<String>]

  init(_ secrets: [Redacted<String>]) {
    self.secrets = secrets
  }

  /// At most 300 characters. Words that begin as a secret does are taken out as well: services quote keys with their
  /// middle blanked.
  func clean(_ text: String) -> String {
    let words = text.split { $0.isWhitespace || $0.isNewline }.map { word in
      secrets.contains { Self.tells(word, of: $0.reveal()) } ? "<redacted>" : String(word)
    }
    let line = words.joined(separator: " ").filter { character in
      character.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
    }
    return line.count > 300 ? line.prefix(299) + "…" : line
  }

  /// A secret of a few letters, as servers without keys are given, may be part of any word.
  private static func tells(_ word: Substring, of secret: String) -> Bool {
    switch secret.count {
    case 0: false
    case ..<6: word == secret
    case ..<12: word.contains(secret)
    default: word.contains(secret.prefix(5))
    }
  }
}
