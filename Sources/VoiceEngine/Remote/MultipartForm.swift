import NIOCore

/// A `multipart/form-data` body (RFC 7578) in the making.
struct MultipartForm: Sendable {
  private let boundary: String
  private var buffer = ByteBuffer()

  /// - Parameter boundary: must not occur in the parts; by default a random one of 128 bits.
  init(boundary: String = Self.newBoundary()) {
    self.boundary = boundary
  }

  var contentType: String { "multipart/form-data; boundary=\(boundary)" }

  mutating func add(_ name: String, _ value: String) {
    buffer.writeString("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n")
  }

  mutating func add(_ name: String, file: [UInt8], named filename: String, type: String) {
    buffer.writeString("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"; ")
    buffer.writeString("filename=\"\(filename)\"\r\nContent-Type: \(type)\r\n\r\n")
    buffer.writeBytes(file)
    buffer.writeString("\r\n")
  }

  /// The body with its end.
  func finished() -> ByteBuffer {
    var whole = buffer
    whole.writeString("--\(boundary)--\r\n")
    return whole
  }

  private static func newBoundary() -> String {
    let numbers = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }
    return "parley-" + numbers.joined(separator: "-")
  }
}
