import Envelope
import Foundation
import Testing

/// One hand-written event per type, checked against the official Python types.
enum EventFixtures {
  static let client = load("client")
  static let server = load("server")
  static let betaClient = load("client", of: "openai-realtime-beta.events")
  static let betaServer = load("server", of: "openai-realtime-beta.events")

  static var clientTypes: [String] { client.keys }
  static var serverTypes: [String] { server.keys }
  static var betaClientTypes: [String] { betaClient.keys }
  static var betaServerTypes: [String] { betaServer.keys }

  private static func load(_ side: String, of file: String = "openai-realtime.events") -> JSONObject {
    do {
      let url = try #require(Bundle.module.url(forResource: file, withExtension: "json", subdirectory: "Fixtures"))
      let text = try String(contentsOf: url, encoding: .utf8)
      return try #require(try JSONValue(parsing: text)[side]?.object)
    } catch {
      Issue.record("The fixtures cannot be read: \(error)")
      return JSONObject()
    }
  }
}

/// A seeded generator (SplitMix64), so that a failure can be repeated.
struct EventRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension JSONValue {
  /// Adds fields that no type knows to random objects in this tree; metadata is left alone, because only strings are
  /// allowed there.
  func withUnknownFields(using random: inout EventRandom) -> JSONValue {
    switch self {
    case .object(let object):
      var next = JSONObject()
      for (key, value) in object {
        next[key] = key == "metadata" ? value : value.withUnknownFields(using: &random)
      }
      for number in 0..<Int.random(in: 0...2, using: &random) {
        next["x_\(number)_\(UInt16.random(in: .min ... .max, using: &random))"] = Self.arbitrary(using: &random)
      }
      return .object(next)
    case .array(let elements):
      return .array(elements.map { $0.withUnknownFields(using: &random) })
    default:
      return self
    }
  }

  static func arbitrary(using random: inout EventRandom) -> JSONValue {
    let choices: [JSONValue] = [
      nil, true, 7, 0.25, "text", [], [1, nil, "two"], [:], ["type": "inner", "*": nil], "",
    ]
    return choices.randomElement(using: &random) ?? nil
  }

  /// Every value in the tree replaced in turn by `replacement`.
  func replacements(by replacement: JSONValue) -> [JSONValue] {
    switch self {
    case .object(let object):
      return object.flatMap { key, value -> [JSONValue] in
        ([replacement] + value.replacements(by: replacement)).map { changed in
          var next = object
          next[key] = changed
          return .object(next)
        }
      }
    case .array(let elements):
      return elements.indices.flatMap { index -> [JSONValue] in
        ([replacement] + elements[index].replacements(by: replacement)).map { changed in
          var next = elements
          next[index] = changed
          return .array(next)
        }
      }
    default:
      return []
    }
  }

  /// This tree with the value at a dotted path set.
  func setting(_ path: String, _ value: JSONValue) -> JSONValue {
    setting(path.split(separator: ".").map(String.init)[...], value)
  }

  private func setting(_ path: ArraySlice<String>, _ value: JSONValue) -> JSONValue {
    guard let key = path.first else { return value }
    var object = self.object ?? JSONObject()
    object[key] = (object[key] ?? [:]).setting(path.dropFirst(), value)
    return .object(object)
  }
}

/// The fault that `body` throws; nil where it throws none.
func thrownFault(_ body: () throws(EventFault) -> Void) -> EventFault? {
  do {
    try body()
    return nil
  } catch {
    return error
  }
}
