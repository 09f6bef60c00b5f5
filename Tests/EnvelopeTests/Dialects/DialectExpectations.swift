import Envelope
import NIOCore
import Testing

/// A way there and back, with what it is known not to keep.
struct RoundTrip: Sendable {
  /// Dotted paths that are gone after the way, by event type.
  var lost: [String: [String]] = [:]
  /// Dotted paths and values that are there after it.
  var gained: [String: [(String, JSONValue)]] = [:]
  /// Event types that come back under another name.
  var renamed: [String: String] = [:]

  func expected(_ event: JSONValue) -> JSONValue {
    guard let type = event["type"]?.string else { return event }
    var expected = event
    for path in lost[type] ?? [] {
      let before = expected
      expected = expected.removing(path.split(separator: ".").map(String.init)[...])
      #expect(expected != before, "\(type) has no \(path)")
    }
    for (path, value) in gained[type] ?? [] { expected = expected.setting(path, value) }
    if let name = renamed[type] { expected = expected.setting("type", .string(name)) }
    return expected
  }
}

extension JSONValue {
  fileprivate func removing(_ path: ArraySlice<String>) -> JSONValue {
    guard let key = path.first, var object = self.object else { return self }
    if path.count == 1 {
      object.removeValue(forKey: key)
    } else if let member = object[key] {
      object[key] = member.removing(path.dropFirst())
    }
    return .object(object)
  }
}

extension ClientWire {
  /// What the client gets of a message.
  mutating func told(_ message: String, _ lane: AudioLane = .control) -> [String] {
    var messages: [String] = []
    outgoing(ByteBuffer(string: message).readableBytesView, lane) {
      messages.append(String(decoding: $0, as: UTF8.self))
    }
    return messages
  }

  /// What the client gets of an event, where that is at most one.
  mutating func told(_ event: JSONValue) -> JSONValue? {
    let messages = told(event.text)
    #expect(messages.count <= 1)
    return messages.first.flatMap { try? JSONValue(parsing: $0) }
  }

  static var beta: ClientWire { ClientWire(.fixed(.beta), deltaFields: .delta) }
}
