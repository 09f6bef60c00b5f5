import Foundation
import NIOCore
import WebSocketWire

/// A request, read strictly: one shape of upgrade is accepted; any method but GET is a call of the service's own, with
/// its body.
struct UpgradeRequest {
  enum Outcome {
    case incomplete
    case upgrade(StandInRequest, key: String)
    case call(StandInCall)
    case refuse(status: Int, reason: String)
  }

  static let maximumBytes = 16_384
  static let maximumBodyBytes = 65_536

  /// Takes the head out of `bytes` when it is complete; what follows it stays there.
  static func read(_ bytes: inout ByteBuffer) -> Outcome {
    let view = bytes.readableBytesView
    // A TLS client at the plain port would wait for ever otherwise.
    if let first = view.first, !(0x41...0x5A).contains(first) { return .refuse(status: 400, reason: "Bad Request") }
    guard let end = endOfHead(view) else {
      return view.count > maximumBytes
        ? .refuse(status: 431, reason: "Request Header Fields Too Large") : .incomplete
    }
    let text = String(decoding: view[..<end], as: UTF8.self)
    var lines = text.components(separatedBy: "\r\n")[...]
    let requestLine = lines.removeFirst().split(separator: " ", omittingEmptySubsequences: false)
    guard requestLine.count == 3, requestLine[2] == "HTTP/1.1" else {
      return .refuse(status: 400, reason: "Bad Request")
    }
    var headers: [StandInRequest.Item] = []
    for line in lines where !line.isEmpty {
      guard let colon = line.firstIndex(of: ":"), colon > line.startIndex,
        !line[..<colon].contains(where: \.isWhitespace)
      else { return .refuse(status: 400, reason: "Bad Request") }
      let value = String(line[line.index(after: colon)...]).trimmingWhitespace
      headers.append(StandInRequest.Item(String(line[..<colon]), value))
    }
    let isCall = requestLine[0] != "GET"
    let length = isCall ? bodyLength(headers) : 0
    guard length <= maximumBodyBytes else {
      return .refuse(status: 413, reason: "Content Too Large")
    }
    guard view.endIndex - end >= length else { return .incomplete }
    bytes.moveReaderIndex(forwardBy: end - view.startIndex)
    let body = bytes.readString(length: length) ?? ""
    guard isCall else { return check(target: String(requestLine[1]), headers) }
    let request = request(target: String(requestLine[1]), headers)
    return .call(StandInCall(method: String(requestLine[0]), request: request, body: body))
  }

  private static func bodyLength(_ headers: [StandInRequest.Item]) -> Int {
    headers.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) }.map {
      max($0, 0)
    } ?? 0
  }

  private static func endOfHead(_ view: ByteBufferView) -> Int? {
    var matched = 0
    for (index, byte) in zip(view.indices, view) {
      let expected: UInt8 = matched.isMultiple(of: 2) ? 0x0D : 0x0A
      matched = byte == expected ? matched + 1 : (byte == 0x0D ? 1 : 0)
      if matched == 4 { return index + 1 }
      if index - view.startIndex >= maximumBytes { return nil }
    }
    return nil
  }

  /// RFC 6455 section 4.2.1: each field once, each with the value that it must have.
  private static func check(target: String, _ headers: [StandInRequest.Item]) -> Outcome {
    let values = { (name: String) -> [String] in
      headers.filter { $0.name.lowercased() == name }.map(\.value)
    }
    let connection = values("connection").joined(separator: ",").lowercased()
      .split(separator: ",").map { String($0).trimmingWhitespace }
    let keys = values("sec-websocket-key")
    guard target.hasPrefix("/"), values("host").count == 1,
      values("upgrade").map({ $0.lowercased() }) == ["websocket"], connection.contains("upgrade"),
      keys.count == 1, let key = keys.first, Handshake.isValidKey(key)
    else { return .refuse(status: 400, reason: "Bad Request") }
    guard values("sec-websocket-version") == ["13"] else {
      return .refuse(status: 426, reason: "Upgrade Required")
    }
    return .upgrade(request(target: target, headers), key: key)
  }

  private static func request(target: String, _ headers: [StandInRequest.Item]) -> StandInRequest {
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let query = parts.count > 1 ? parts[1].split(separator: "&").map(item) : []
    return StandInRequest(path: String(parts[0]), query: query, headers: headers)
  }

  private static func item(_ text: Substring) -> StandInRequest.Item {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { decoded($0) }
    return StandInRequest.Item(parts[0], parts.count > 1 ? parts[1] : "")
  }

  private static func decoded(_ text: Substring) -> String {
    String(text).removingPercentEncoding ?? String(text)
  }
}

extension String {
  var trimmingWhitespace: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }),
      let last = lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(self[first...last])
  }
}
