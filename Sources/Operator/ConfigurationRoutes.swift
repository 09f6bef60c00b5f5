import Envelope
import Foundation
import Hummingbird

/// `/config` and `/presets`: the configuration of the running server, in the document's own words.
struct ConfigurationRoutes: Sendable {
  /// Bytes: as much as the file may have.
  static let longestBody = 262_144

  let desk: any ConfigurationDesk

  func add(to book: AdminBook) {
    book.get("/config") { request, _ in
      _ = try QueryFields(request, known: [])
      return Self.answer(await desk.shown())
    }
    book.put("/config") { request, _ in try await update(request) }
    book.post("/config/validate") { request, _ in try await validate(request) }
    book.post("/config/reload") { request, _ in
      _ = try QueryFields(request, known: [])
      return try await refusable { () async throws(ConfigurationRefusal) in try await desk.reload() }
    }
    book.get("/presets") { request, _ in
      _ = try QueryFields(request, known: [])
      return Self.answer(["presets": .array(await desk.presets().map(JSONValue.object))])
    }
  }

  private func update(_ request: Request) async throws -> Response {
    let query = try QueryFields(request, known: ["persist"])
    let persists: Bool
    switch try query.value("persist") {
    case nil, "true": persists = true
    case "false": persists = false
    default: throw HTTPFault(.invalidValue(param: "persist", because: "it is 'true' or 'false'."))
    }
    let patch = try await Self.patch(request)
    return try await refusable { () async throws(ConfigurationRefusal) in
      try await desk.update(patch, persists: persists)
    }
  }

  private func validate(_ request: Request) async throws -> Response {
    _ = try QueryFields(request, known: [])
    let patch = try await Self.patch(request)
    return try await refusable { () async throws(ConfigurationRefusal) in
      try await desk.validate(patch)
      return ["ok": true]
    }
  }

  private func refusable(_ act: () async throws(ConfigurationRefusal) -> JSONObject) async throws -> Response {
    do throws(ConfigurationRefusal) {
      return Self.answer(try await act())
    } catch {
      return error.response
    }
  }

  /// The patch: the body itself, or what stands in its only member `config`. Whatever its type is called (R110, Q5).
  private static func patch(_ request: Request) async throws -> JSONObject {
    let body = try await JSONBody.object(request, most: longestBody, anyType: true)
    guard let inner = body["config"] else { return body }
    guard body.count == 1 else {
      throw HTTPFault(
        status: 400, code: "invalid_configuration", message: "Beside 'config' there may be nothing.", param: "config")
    }
    guard let patch = inner.object else {
      throw HTTPFault(
        status: 400, code: "invalid_configuration",
        message: "Invalid type for 'config': expected an object, but got \(inner.kind.phrase) instead.", param: "config"
      )
    }
    return patch
  }

  private static func answer(_ object: JSONObject) -> Response {
    var response = OperatorSurface.json(.ok, JSONValue.object(object).text)
    response.headers[.cacheControl] = "no-store"
    return response
  }
}

extension ConfigurationRefusal {
  /// The error object of all answers, with every mistake beside the first.
  var response: Response {
    let isInvalid = status < 500
    let first = faults.first
    let error: JSONObject = [
      "message": .string(
        faults.map { $0.path.isEmpty ? $0.message : "\($0.path): \($0.message)" }.joined(separator: "\n")),
      "type": isInvalid ? "invalid_request_error" : "server_error",
      "param": first.flatMap { $0.path.isEmpty ? nil : JSONValue.string($0.path) } ?? .null,
      "code": isInvalid ? "invalid_configuration" : "configuration_not_saved",
      "faults": .array(faults.map { .object(["path": .string($0.path), "message": .string($0.message)]) }),
    ]
    return OperatorSurface.json(.init(code: status), JSONValue.object(["error": .object(error)]).text)
  }
}
