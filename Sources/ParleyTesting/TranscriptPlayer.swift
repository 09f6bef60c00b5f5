public import Envelope
import Foundation
import Yams

/// Why a recording cannot be read.
public enum TranscriptFault: Error, Sendable, Hashable {
  /// `REALTIME_RECORDINGS` names no folder.
  case noFolder
  case unreadable(file: String)
  /// The file is not what the recordings' README describes.
  case malformed(file: String, interaction: Int)
}

/// One line of a recorded session.
public struct Interaction: Sendable, Equatable {
  public enum Direction: String, Sendable, Hashable {
    /// By the client to the service.
    case sent
    /// By the service.
    case received
  }

  public var direction: Direction
  /// Nil for the close.
  public var message: JSONValue?

  public init(direction: Direction, message: JSONValue?) {
    self.direction = direction
    self.message = message
  }
}

/// Plays the service's half of a recorded session: each frame that the product sends releases what the service sent next.
///
/// The product's frames are matched by their top-level key (or by their `type`), not by their bytes: a recording proves
/// the order and shape of what a service sends, not what the product must say.
public struct TranscriptPlayer: Sendable {
  /// The folder of the recordings, from the environment; nil where it is not set.
  public static var folder: String? {
    guard let folder = ProcessInfo.processInfo.environment["REALTIME_RECORDINGS"], !folder.isEmpty else { return nil }
    return folder
  }

  public let interactions: [Interaction]
  private var position = 0

  public init(interactions: [Interaction]) {
    self.interactions = interactions
  }

  /// Reads `<folder>/<name>.yaml`.
  public init(recording name: String) throws(TranscriptFault) {
    guard let folder = Self.folder else { throw .noFolder }
    let path = folder + "/" + name + ".yaml"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      let root = try? Yams.compose(yaml: text)
    else { throw .unreadable(file: path) }
    var interactions: [Interaction] = []
    for (index, node) in (root["interactions"]?.array() ?? []).enumerated() {
      guard let direction = node["direction"]?.string.flatMap(Interaction.Direction.init) else {
        throw .malformed(file: path, interaction: index)
      }
      let isMessage = node["kind"]?.string == "message"
      guard !isMessage || node["data"] != nil else { throw .malformed(file: path, interaction: index) }
      let message = isMessage ? node["data"].map(Self.value) : nil
      interactions.append(Interaction(direction: direction, message: message))
    }
    guard !interactions.isEmpty else { throw .malformed(file: path, interaction: 0) }
    self.interactions = interactions
  }

  /// What one side sent, in order.
  public func messages(_ direction: Interaction.Direction) -> [JSONValue] {
    interactions.compactMap { $0.direction == direction ? $0.message : nil }
  }

  /// Whether everything has been played.
  public var isFinished: Bool { position == interactions.count }

  /// The kind of the frame that the recording expects from the product next, nil if it expects none.
  public var expectedKind: String? {
    interactions[position...].first { $0.direction == .sent }.flatMap { $0.message.map(Self.kind(of:)) }
  }

  /// What the service sent before it heard anything.
  public mutating func begin() -> [JSONValue] {
    release()
  }

  /// Takes a frame that the product sent and gives what the service sent upon it.
  ///
  /// A frame of the expected kind moves the recording on; further frames of the same kind are taken together, as the
  /// product need not cut its audio as the recorded client did. Any other frame releases nothing.
  public mutating func sent(_ frame: JSONValue) -> [JSONValue] {
    guard position < interactions.count, interactions[position].direction == .sent,
      let message = interactions[position].message, Self.kind(of: message) == Self.kind(of: frame)
    else { return [] }
    repeat {
      position += 1
    } while position < interactions.count && interactions[position].direction == .sent
      && interactions[position].message.map(Self.kind(of:)) == Self.kind(of: message)
    return release()
  }

  private mutating func release() -> [JSONValue] {
    var messages: [JSONValue] = []
    while position < interactions.count, interactions[position].direction == .received {
      if let message = interactions[position].message { messages.append(message) }
      position += 1
    }
    return messages
  }

  /// The `type` of an event, or the top-level key of a message in camelCase.
  public static func kind(of message: JSONValue) -> String {
    if let type = message["type"]?.string { return type }
    let words = (message.object?.keys.first ?? "").split(separator: "_")
    return words.enumerated().map { $0 == 0 ? String($1) : $1.prefix(1).uppercased() + $1.dropFirst() }.joined()
  }

  private static func value(_ node: Node) -> JSONValue {
    if let mapping = node.mapping {
      var object = JSONObject()
      for (key, value) in mapping { object[key.string ?? ""] = Self.value(value) }
      return .object(object)
    }
    if let sequence = node.sequence {
      return .array(sequence.map(value))
    }
    if node.null != nil { return .null }
    // A quoted scalar is a string whatever it looks like; Yams resolves only plain ones.
    if let bool = node.bool { return .bool(bool) }
    if let int = node.int { return .number(JSONNumber(int)) }
    // A plain `inf` is a word; JSON has no such number.
    if let double = node.float, double.isFinite { return .number(JSONNumber(double)) }
    return .string(node.string ?? "")
  }
}
