import Envelope
public import HTTPWire
import NIOCore

/// A complete HTTP answer to a request that goes no further: a status and a JSON body in the shape of the OpenAI error
/// object. The connection closes after it.
public struct Refusal: Sendable, Hashable {
  public var status: Int
  /// `invalid_request_error`, `authentication_error`, `server_error` ...
  public var type: String
  /// A short fixed name for programs; nil becomes `null`.
  public var code: String?
  /// For people; holds nothing secret and nothing that helps guessing.
  public var message: String
  public var param: String?
  /// Fields beyond `Content-Type`, `Content-Length` and `Connection`.
  public var fields: [RequestHead.Field]

  public init(
    status: Int, type: String = "invalid_request_error", code: String?, message: String, param: String? = nil,
    fields: [RequestHead.Field] = []
  ) {
    self.status = status
    self.type = type
    self.code = code
    self.message = message
    self.param = param
    self.fields = fields
  }

  /// The body: `{"error":{"message":…,"type":…,"param":…,"code":…}}`.
  var body: ByteBuffer {
    let error: JSONObject = [
      "message": .string(message), "type": .string(type), "param": param.map(JSONValue.string) ?? .null,
      "code": code.map(JSONValue.string) ?? .null,
    ]
    var buffer = ByteBuffer()
    JSONValue.object(["error": .object(error)]).write(into: &buffer)
    buffer.writeInteger(UInt8.lineFeed)
    return buffer
  }

  /// The whole answer as it goes on the wire. A HEAD request gets the head only.
  func bytes(omittingBody omitsBody: Bool = false) -> ByteBuffer {
    var body = body
    var buffer = ByteBuffer()
    buffer.writeString("HTTP/1.1 \(status) \(Self.reasonPhrase(status))\r\n")
    buffer.writeString("Content-Type: application/json\r\nContent-Length: \(body.readableBytes)\r\n")
    for field in fields {
      buffer.writeString("\(field.name): \(field.value)\r\n")
    }
    let offersUpgrade = fields.contains { $0.name == "Upgrade" }
    buffer.writeString("Connection: \(offersUpgrade ? "Upgrade, close" : "close")\r\n\r\n")
    if !omitsBody { buffer.writeBuffer(&body) }
    return buffer
  }

  private static func reasonPhrase(_ status: Int) -> String {
    switch status {
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 414: "URI Too Long"
    case 426: "Upgrade Required"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    default: "Error"
    }
  }
}
