import Access
import Envelope
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Routing
import Synchronization
import Testing
import Translation

@testable import Operator

/// Remembers what it was asked, and refuses what it is told to.
private final class RecordingDesk: ConfigurationDesk {
  struct Change: Sendable, Equatable {
    var patch: JSONObject
    var persists: Bool
  }

  private let state = Mutex<(changes: [Change], checks: Int, reloads: Int)>(([], 0, 0))
  let refusal: ConfigurationRefusal?

  init(refusal: ConfigurationRefusal? = nil) { self.refusal = refusal }

  var changes: [Change] { state.withLock { $0.changes } }
  var checks: Int { state.withLock { $0.checks } }
  var reloads: Int { state.withLock { $0.reloads } }

  func shown() -> JSONObject { ["config": ["llm": ["provider": "groq"]]] }
  func presets() -> [JSONObject] { [["name": "groq"]] }

  func update(_ patch: JSONObject, persists: Bool) throws(ConfigurationRefusal) -> JSONObject {
    if let refusal { throw refusal }
    state.withLock { $0.changes.append(Change(patch: patch, persists: persists)) }
    return shown()
  }

  func validate(_ patch: JSONObject) throws(ConfigurationRefusal) {
    if let refusal { throw refusal }
    state.withLock { $0.checks += 1 }
  }

  func reload() throws(ConfigurationRefusal) -> JSONObject {
    if let refusal { throw refusal }
    state.withLock { $0.reloads += 1 }
    return shown()
  }
}

@Suite struct ConfigurationRoutesTests {
  private struct Source: RequestContextSource {
    let logger = Logger(label: "test")
  }

  private func ask(
    _ desk: RecordingDesk, _ method: HTTPRequest.Method, _ target: String, _ body: String = "",
    key: String? = TestSurface.admin, type: String? = nil
  ) async throws -> (status: Int, json: JSONValue) {
    let router = Router(context: OperatorContext.self)
    let book = RouteBook(router: router, paths: PathTable())
    router.add(middleware: JSONErrorMiddleware(paths: book.paths))
    let gate = AdminGate(key: Redacted(TestSurface.admin), contact: "Ask us.")
    ConfigurationRoutes(desk: desk).add(to: AdminBook(book: book, gate: gate))
    var head = HTTPRequest(method: method, scheme: "http", authority: "parley.test", path: target)
    if let key { head.headerFields[.authorization] = "Bearer \(key)" }
    head.headerFields[.contentType] = type
    let response = try await router.buildResponder().respond(
      to: Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body))),
      context: OperatorContext(coreContext: CoreRequestContextStorage(source: Source())))
    let writer = Gatherer()
    try await response.body.write(writer)
    return (response.status.code, try JSONValue(parsing: writer.text.withLock { $0 }))
  }

  private struct Gatherer: ResponseBodyWriter {
    final class Text: Sendable {
      private let kept = Mutex("")
      func withLock<Result>(_ act: (inout sending String) -> sending Result) -> sending Result { kept.withLock(act) }
    }

    let text = Text()

    mutating func write(_ buffer: ByteBuffer) async throws { text.withLock { $0 += String(buffer: buffer) } }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
  }

  @Test(
    "R110, Q5: a patch is taken bare or in 'config', whatever its type is called",
    arguments: [nil, "application/json", "application/x-www-form-urlencoded", "text/plain", "nonsense"])
  func bodies(_ type: String?) async throws {
    let desk = RecordingDesk()
    for body in [#"{"llm":{"model":"m"}}"#, #"{"config":{"llm":{"model":"m"}}}"#] {
      #expect(try await ask(desk, .put, "/config", body, type: type).status == 200)
      #expect(try await ask(desk, .post, "/config/validate", body, type: type).json == ["ok": true])
    }
    let change = RecordingDesk.Change(patch: ["llm": ["model": "m"]], persists: true)
    #expect(desk.changes == [change, change] && desk.checks == 2)
  }

  @Test("R078, R130: what is to last and what is not is said in the query")
  func persistence() async throws {
    let desk = RecordingDesk()
    for (query, persists) in [("", true), ("?persist=true", true), ("?persist=false", false)] {
      #expect(try await ask(desk, .put, "/config\(query)", "{}").status == 200)
      #expect(desk.changes.last?.persists == persists)
    }
    for query in ["?persist=no", "?persists=false", "?persist=true&persist=false"] {
      let answer = try await ask(desk, .put, "/config\(query)", "{}")
      #expect(answer.status == 400 && answer.json["error"]?["param"] != nil)
    }
    #expect(desk.changes.count == 3)
  }

  @Test(
    "bodies that are no patch are refused",
    arguments: [
      "", "[]", "7", "{", #"{"config":7}"#, #"{"config":{},"llm":{}}"#, #"{"a":1,"a":2"#,
      String(repeating: " ", count: 300_000),
    ])
  func badBodies(_ body: String) async throws {
    let desk = RecordingDesk()
    for (method, target) in [(HTTPRequest.Method.put, "/config"), (.post, "/config/validate")] {
      let answer = try await ask(desk, method, target, body)
      #expect(answer.status == 400 || answer.status == 413)
      #expect(answer.json["error"]?["code"]?.string != nil)
    }
    #expect(desk.changes.isEmpty && desk.checks == 0)
  }

  @Test("R080: a refusal has the path of every mistake; one to save says whether the disk is full")
  func refusals() async throws {
    let faults: [ConfigurationRefusal.Fault] = [
      .init(path: "llm.provider", message: "unknown value"), .init(path: "", message: "broken"),
    ]
    let desk = RecordingDesk(refusal: ConfigurationRefusal(faults: faults))
    for (method, target) in [
      (HTTPRequest.Method.put, "/config"), (.post, "/config/validate"), (.post, "/config/reload"),
    ] {
      let answer = try await ask(desk, method, target, "{}")
      #expect(answer.status == 400)
      #expect(
        answer.json["error"] == [
          "message": "llm.provider: unknown value\nbroken", "type": "invalid_request_error", "param": "llm.provider",
          "code": "invalid_configuration",
          "faults": [
            ["path": "llm.provider", "message": "unknown value"], ["path": "", "message": "broken"],
          ],
        ])
    }
    for status in [507, 500] {
      let unsaved = RecordingDesk(refusal: ConfigurationRefusal(status: status, faults: [faults[1]]))
      let answer = try await ask(unsaved, .put, "/config", "{}")
      #expect(answer.status == status && answer.json["error"]?["code"] == "configuration_not_saved")
      #expect(answer.json["error"]?["type"] == "server_error" && answer.json["error"]?["param"]?.isNull == true)
    }
  }

  @Test("R077, R083: nobody but the operator gets to the configuration or the presets")
  func guarded() async throws {
    let desk = RecordingDesk()
    let routes: [(HTTPRequest.Method, String)] = [
      (.get, "/config"), (.put, "/config"), (.post, "/config/validate"), (.post, "/config/reload"), (.get, "/presets"),
    ]
    for (method, target) in routes {
      for key in [nil, "wrong"] {
        #expect(try await ask(desk, method, target, "{}", key: key).status == 401)
      }
      #expect(try await ask(desk, method, target, "{}").status == 200)
    }
    #expect(desk.changes.count == 1 && desk.checks == 1 && desk.reloads == 1)
    #expect(try await ask(desk, .get, "/presets").json == ["presets": [["name": "groq"]]])
  }
}
