import Envelope
import Foundation
import NIOCore
import ParleyTesting
import Testing

@testable import OpenAIWire

/// A mender with what it needs of its session, and the watch over what it tells.
struct MendingCall {
  var mender: EventMender
  var ids = IDSource(seed: 7)
  var session = RealtimeSession.defaults(id: "sess_1", model: "m", voice: "alloy", expiresAt: 0)
  private(set) var invariants = EventInvariants()

  init(_ rules: MendingRules) {
    mender = EventMender(rules)
  }

  /// Rules that complete the life cycle, changed by `change`.
  static func completing(_ change: (inout MendingRules) -> Void = { _ in }) -> MendingCall {
    var rules = MendingRules()
    rules.completesLifecycle = true
    change(&rules)
    return MendingCall(rules)
  }

  /// What an event becomes. The events that are told get the ids that they lack, and are watched.
  mutating func tell(_ event: JSONObject) -> [JSONObject] {
    var events: [JSONObject]
    switch mender.mend(event, session: session, ids: &ids) {
    case .untouched: events = [event]
    case .events(let told): events = told
    }
    for index in events.indices {
      if events[index]["event_id"] == nil { events[index]["event_id"] = .string(ids.next(.event)) }
      invariants.observe(.object(events[index]))
    }
    return events
  }

  /// What an event becomes that comes as bytes: speech goes by the audio lane where it may.
  mutating func hear(_ event: JSONObject) -> [JSONObject] {
    let isAdmitted = ByteBuffer(string: JSONValue.object(event).text).withUnsafeReadableBytes { bytes in
      guard case .audioDelta(let frame) = EventReader.readServer(bytes) else { return false }
      return mender.admits(frame, in: bytes)
    }
    guard isAdmitted else { return tell(event) }
    invariants.observe(.object(event))
    return [event]
  }

  mutating func tell(_ lines: String...) throws -> [JSONObject] {
    try tell(lines: lines)
  }

  /// Events as JSON, one a line.
  mutating func tell(lines: [String]) throws -> [JSONObject] {
    try lines.flatMap { tell(try Self.object($0)) }
  }

  mutating func isUntouched(_ event: JSONObject) -> Bool {
    mender.mend(event, session: session, ids: &ids) == .untouched
  }

  static func object(_ text: String) throws -> JSONObject {
    try #require(try JSONValue(parsing: text).object)
  }
}

extension JSONObject {
  var withoutID: JSONObject {
    var event = self
    event.removeValue(forKey: "event_id")
    return event
  }
}

extension [JSONObject] {
  var types: [String] { map { $0["type"]?.string ?? "?" } }

  func first(_ type: String) -> JSONObject? { first { $0["type"]?.string == type } }
  func all(_ type: String) -> [JSONObject] { filter { $0["type"]?.string == type } }
}

/// The server events of the GA vocabulary, one of each type.
enum ServerFixtures {
  /// Whether clients that validate refuse the event.
  static func isInvalid(_ event: JSONObject) -> Bool {
    guard let type = event["type"]?.string.flatMap(ServerEventType.init(rawValue:)) else { return true }
    return ServerShape(allowsNews: false).mended(event, type) != .satisfied
  }

  static func load() throws -> [String: JSONObject] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../EnvelopeTests/Fixtures/openai-realtime.events.json")
    let root = try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
    let events = try #require(root["server"]?.object)
    return Dictionary(uniqueKeysWithValues: try events.map { ($0.key, try #require($0.value.object)) })
  }
}
