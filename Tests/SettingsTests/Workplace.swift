import CoreMetrics
import Envelope
import Foundation
import Logging
import Routing
import Synchronization
import Testing
import VoiceEngine

@testable import Settings

/// A folder with the two files, an environment, and what became of them.
final class Workplace: Sendable {
  static let routes = """
    {"default": "local", "providers": {"local": {"kind": "local"},
     "openai": {"kind": "openai", "url": "ws://127.0.0.1:1/v1/realtime", "model": "gpt-realtime"},
     "gemini": {"kind": "gemini-live", "key": "env:GEMINI_API_KEY", "model": "gemini-x"}}}
    """

  let folder: String
  let lines = LineBook()
  let counts = CountBook()
  /// What the disk says in place of writing.
  let savingFault = Mutex<SavingFault?>(nil)
  let saves = Atomic(0)
  /// What was handed on.
  let applied = Mutex<[ConfigurationSnapshot]>([])

  init(routes: String = Workplace.routes) throws {
    folder = NSTemporaryDirectory() + "settings-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try write(routes, to: "routes.json")
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  var runtimePath: String { folder + "/runtime.yaml" }

  /// In place, as an editor does that knows no better.
  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
  }

  func read(_ name: String = "runtime.yaml") -> String? {
    FileManager.default.contents(atPath: folder + "/" + name).map { String(decoding: $0, as: UTF8.self) }
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: folder + "/" + name) }

  func keeper(
    _ environment: [String: String] = [:], presence: RuntimeFile.Presence = .optional, file: String? = nil,
    interval: Duration = .milliseconds(10)
  ) -> ConfigurationKeeper {
    var sources = SecretSources.process
    sources.environment = { environment[$0] }
    var logger = Logger(label: "settings") { [lines] _ in lines }
    logger.logLevel = .trace
    return ConfigurationKeeper(
      decoder: ConfigurationDecoder(
        routes: folder + "/routes.json", runtimeFile: RuntimeFile(path: file ?? runtimePath, presence: presence),
        environment: environment, sources: sources, restrict: { $0 }),
      logger: logger, metrics: counts, interval: interval,
      save: { [self] (text, path) throws(SavingFault) in
        if let fault = savingFault.withLock({ $0 }) { throw fault }
        saves.add(1, ordering: .relaxed)
        return try AtomicFile.write(text, to: path)
      })
  }

  /// A keeper that has loaded and hands on what changes, for as long as `act` takes.
  func watching<Result: Sendable>(
    _ keeper: ConfigurationKeeper, _ act: @Sendable () async throws -> Result
  ) async throws -> Result {
    _ = try await keeper.load()
    let watch = Task { [self] in
      await keeper.run { snapshot in self.applied.withLock { $0.append(snapshot) } }
    }
    defer { watch.cancel() }
    return try await act()
  }

  var revisions: [Int] { applied.withLock { $0.map(\.revision) } }
}

/// Until a condition holds, ten seconds at most.
func eventually(_ condition: @Sendable () async -> Bool) async -> Bool {
  let end = ContinuousClock.now + .seconds(10)
  while ContinuousClock.now < end {
    if await condition() { return true }
    try? await Task.sleep(for: .milliseconds(5))
  }
  return false
}

func patch(_ text: String) throws -> JSONObject { try #require(try JSONValue(parsing: text).object) }

extension ConfigurationKeeper {
  var config: JSONValue { .object(shown()["config"]?.object ?? [:]) }
  func source(_ path: String) -> String? { shown()["sources"]?[path]?.string }
}

/// Keeps the lines of a log.
final class LineBook: LogHandler, Sendable {
  private let kept = Mutex<[String]>([])
  var logLevel: Logger.Level {
    get { .trace }
    set {}
  }
  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }

  func log(event: LogEvent) {
    let fields = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
    kept.withLock { $0.append("\(event.level) \(event.message) \(fields)") }
  }

  var lines: [String] { kept.withLock { $0 } }
  func count(_ part: String) -> Int { lines.count { $0.contains(part) } }
}

/// Keeps counts by name and labels.
final class CountBook: MetricsFactory, Sendable {
  private let values = Mutex<[String: Double]>([:])

  subscript(_ name: String) -> Double? { values.withLock { $0[name] } }

  private final class Cell: CounterHandler, MeterHandler {
    let book: CountBook
    let name: String

    init(book: CountBook, name: String) {
      self.book = book
      self.name = name
    }

    func increment(by amount: Int64) { book.values.withLock { $0[name, default: 0] += Double(amount) } }
    func increment(by amount: Double) { book.values.withLock { $0[name, default: 0] += amount } }
    func decrement(by amount: Double) { book.values.withLock { $0[name, default: 0] -= amount } }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { book.values.withLock { $0[name] = value } }
    func reset() { set(0.0) }
  }

  private func cell(_ label: String, _ dimensions: [(String, String)]) -> Cell {
    Cell(book: self, name: ([label] + dimensions.map { "\($0)=\($1)" }).joined(separator: " "))
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { cell(label, dimensions) }
  func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { cell(label, dimensions) }
  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    NOOPMetricsHandler.instance
  }
  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { NOOPMetricsHandler.instance }
  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}
}
