public import Envelope
import Foundation
import NIOCore
import Synchronization

/// One line of a stand-in's record: a frame in either direction, or the head of an upgrade request.
public struct StandInEntry: Sendable, Equatable {
  public enum Direction: String, Sendable, Hashable {
    case received = "in"
    case sent = "out"
  }

  public enum Content: Sendable, Equatable {
    /// A request to the service of that name.
    case head(StandInRequest, method: String, service: String)
    /// A service listens at that port; the connection is 0.
    case listening(service: String, port: Int)
    case text(String)
    case binary(String)
    /// The code and reason of a close frame, or 1006 for a connection that just ended.
    case close(code: UInt16, reason: String)
    /// What the script noted when the connection had ended.
    case summary(JSONValue)
    /// The client broke a rule: the fault's code, message and parameter, and the type of its frame.
    case violation(JSONValue)
  }

  /// Counted from 1 in the order of arrival.
  public var connection: Int
  public var direction: Direction
  /// Since the server started.
  public var milliseconds: Int
  public var content: Content
  /// The bytes of audio that were left out of the text, if the record leaves them out.
  public var omittedBytes = 0

  /// The line of the record file:
  /// `{"conn":1,"dir":"in","t":12,"text":"…"}`, `"binary":true` beside the text of a binary frame,
  /// `"service"`, `"method"`, `"path"`, `"query"`, `"headers"` for a request (the latter two lists of name and value),
  /// `"service"` and `"port"` with the connection 0 for a server that listens, `"violation"` for a broken rule,
  /// `"close"` and `"reason"` for a close,
  /// `"summary"` for the connection's last line, `"omitted"` with the number of bytes beside a text without its audio.
  public var json: JSONValue {
    var line: JSONObject = [
      "conn": .number(JSONNumber(connection)),
      "dir": .string(direction.rawValue),
      "t": .number(JSONNumber(milliseconds)),
    ]
    switch content {
    case .listening(let service, let port):
      line["service"] = .string(service)
      line["port"] = .number(JSONNumber(port))
    case .violation(let violation):
      line["violation"] = violation
    case .head(let request, let method, let service):
      let pairs = { (items: [StandInRequest.Item]) -> JSONValue in
        .array(items.map { .array([.string($0.name), .string($0.value)]) })
      }
      line["service"] = .string(service)
      line["method"] = .string(method)
      line["path"] = .string(request.path)
      line["query"] = pairs(request.query)
      line["headers"] = pairs(request.headers)
    case .text(let text):
      line["text"] = .string(text)
    case .binary(let text):
      line["text"] = .string(text)
      line["binary"] = true
    case .close(let code, let reason):
      line["close"] = .number(JSONNumber(Int(code)))
      line["reason"] = .string(reason)
    case .summary(let summary):
      line["summary"] = summary
    }
    if omittedBytes > 0 { line["omitted"] = .number(JSONNumber(omittedBytes)) }
    return .object(line)
  }
}

/// Every frame that a stand-in received and sent, in memory and, if asked for, in a file of JSON lines.
///
/// Several servers may share one record; their connections are numbered together. The heads are kept as they came, keys
/// included: a record is for test keys only.
public final class StandInRecord: Sendable {
  private struct State {
    var entries: [StandInEntry] = []
    var connections = 0
    var observers: [AsyncStream<StandInEntry>.Continuation] = []
    var file: FileHandle?
  }

  private let state: Mutex<State>
  private let started = NIODeadline.now()
  private let omitsAudio: Bool

  /// - Parameter omitsAudio: keeps long base64 out of the record, for long calls; see `StandInEntry.omittedBytes`.
  public init(omitsAudio: Bool = false) {
    self.omitsAudio = omitsAudio
    state = Mutex(State())
  }

  /// - Parameters:
  ///   - path: the file to write; it is created, or emptied if it exists.
  ///   - omitsAudio: as for a record in memory.
  /// - Throws: Foundation's error if the file cannot be opened.
  public init(path: String, omitsAudio: Bool = false) throws {
    self.omitsAudio = omitsAudio
    let url = URL(fileURLWithPath: path)
    try Data().write(to: url)
    state = Mutex(State(file: try FileHandle(forWritingTo: url)))
  }

  /// Everything so far.
  public var entries: [StandInEntry] {
    state.withLock { $0.entries }
  }

  /// Everything so far, then everything that comes, until the caller stops iterating.
  public func stream() -> AsyncStream<StandInEntry> {
    let (stream, continuation) = AsyncStream<StandInEntry>.makeStream()
    state.withLock { state in
      for entry in state.entries { continuation.yield(entry) }
      state.observers.append(continuation)
    }
    return stream
  }

  /// The texts of the data frames that clients sent, of one connection or of all.
  public func received(connection: Int? = nil) -> [String] {
    entries.compactMap { entry in
      guard entry.direction == .received, connection == nil || entry.connection == connection else { return nil }
      switch entry.content {
      case .text(let text), .binary(let text): return text
      case .head, .listening, .close, .summary, .violation: return nil
      }
    }
  }

  /// The rules that clients broke, of one connection or of all; see `StandInEntry.Content.violation`.
  public func violations(connection: Int? = nil) -> [JSONValue] {
    entries.compactMap { entry in
      guard connection == nil || entry.connection == connection,
        case .violation(let violation) = entry.content
      else { return nil }
      return violation
    }
  }

  func nextConnection() -> Int {
    state.withLock { state in
      state.connections += 1
      return state.connections
    }
  }

  func append(_ connection: Int, _ direction: StandInEntry.Direction, _ content: StandInEntry.Content) {
    let elapsed = NIODeadline.now() - started
    var entry = StandInEntry(
      connection: connection, direction: direction, milliseconds: Int(elapsed.nanoseconds / 1_000_000),
      content: content)
    if omitsAudio { entry.omitAudio() }
    state.withLock { state in
      state.entries.append(entry)
      state.observers.removeAll { observer in
        if case .terminated = observer.yield(entry) { return true }
        return false
      }
      guard let file = state.file else { return }
      do {
        try file.write(contentsOf: Data((entry.json.text + "\n").utf8))
      } catch {
        // A full disk ends the file, not the conversation.
        state.file = nil
      }
    }
  }
}
