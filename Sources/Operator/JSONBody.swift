import Envelope
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Bodies of requests: JSON, of a bounded length.
enum JSONBody {
  /// The body as it is.
  ///
  /// A `Content-Type` may be left out; one that is not JSON is refused, so that no form and no simple cross-site
  /// request is taken for an order.
  ///
  /// - Parameters:
  ///   - most: bytes.
  ///   - anyType: whatever `Content-Type` says: for routes that nobody gets to without a key in a header field.
  /// - Throws: `HTTPFault` 413 `request_too_large`, 415 `unsupported_media_type`, 400 `invalid_json`; and what goes
  ///   wrong on the connection.
  static func read(_ request: Request, most: Int, anyType: Bool = false) async throws -> JSONValue {
    if !anyType, let type = request.headers[.contentType], !isJSON(type) {
      throw HTTPFault(
        status: 415, code: "unsupported_media_type", message: "The body has to be JSON: send 'application/json'.")
    }
    let tooLarge = HTTPFault(
      status: 413, code: "request_too_large", message: "The body may have \(most) bytes.")
    if let length = request.headers[.contentLength].flatMap(Int.init), length > most { throw tooLarge }
    let bytes: ByteBuffer
    do {
      bytes = try await request.body.collect(upTo: most)
    } catch let error as any HTTPResponseError where error.status == .contentTooLarge {
      throw tooLarge
    }
    do {
      return try JSONValue(parsing: bytes.readableBytesView)
    } catch {
      throw HTTPFault(.invalidJSON(error.message))
    }
  }

  /// The same for a request that may do without one: nothing counts as `{}`.
  static func objectOrNothing(_ request: Request, most: Int, anyType: Bool = false) async throws -> JSONObject {
    if request.headers[.contentLength].flatMap(Int.init) ?? 0 == 0, request.headers[.transferEncoding] == nil {
      return [:]
    }
    return try await object(request, most: most, anyType: anyType)
  }

  /// A body that has to be an object.
  static func object(_ request: Request, most: Int, anyType: Bool = false) async throws -> JSONObject {
    let value = try await read(request, most: most, anyType: anyType)
    guard let object = value.object else {
      throw HTTPFault(
        status: 400, code: "invalid_type",
        message: "Invalid type for the body: expected an object, but got \(value.kind.phrase) instead.")
    }
    return object
  }

  /// `application/json`, with or without parameters (RFC 9110 section 8.3.1), or a type that says it is JSON by
  /// `+json`.
  private static func isJSON(_ type: String) -> Bool {
    let name = type.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
    return name == "application/json" || (name.hasPrefix("application/") && name.hasSuffix("+json"))
  }
}
