import HTTPWire
import NIOCore

extension FuzzTarget {
  /// A decision on limits and cuts, then what a client sends: a request head, and a body if it announces one.
  static let requestHead = FuzzTarget("http-request-head") { bytes in
    var input = FuzzInput(bytes)
    let (limits, size) = HeadReading.conditions(&input)
    var findings = Findings()
    let readings = Cuts.steps(size).map { step in
      var parser = RequestHeadParser(limits: limits)
      return HeadReading(input.rest, step: step) { bytes throws(HeadFault) in try parser.parse(&bytes) }
    }
    findings.add(HeadReading.differences(readings))
    guard let head = readings[0].head else { return findings.violations }
    findings.add(sound(head, limits))
    let again = HeadReading(written(head)[...], step: .max) { bytes throws(HeadFault) in
      var parser = RequestHeadParser(limits: HeadReading.widest)
      return try parser.parse(&bytes)
    }
    findings.expectEqual(again.head, head, "the head, written and read again")
    let bodies = Cuts.steps(size).map { BodyReading(readings[0].rest, head.body, step: $0) }
    findings.expect(bodies.allSatisfy { $0 == bodies[0] }, "the body depends on how it is cut: \(bodies)")
    return findings.violations
  }

  /// A decision on limits and cuts, then what a server answers.
  static let responseHead = FuzzTarget("http-response-head") { bytes in
    var input = FuzzInput(bytes)
    let (limits, size) = HeadReading.conditions(&input)
    var findings = Findings()
    let readings = Cuts.steps(size).map { step in
      var parser = ResponseHeadParser(limits: limits)
      return HeadReading(input.rest, step: step) { bytes throws(HeadFault) in try parser.parse(&bytes) }
    }
    findings.add(HeadReading.differences(readings))
    guard let head = readings[0].head else { return findings.violations }
    findings.expect((100..<600).contains(head.status), "status \(head.status)")
    findings.expect(head.retryAfterSeconds.map { $0 >= 0 } ?? true, "a wait of less than nothing")
    findings.expect(head.fields.count <= limits.fieldCount, "\(head.fields.count) fields")
    let opens = head.opensWebSocket(accept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", offered: ["realtime"])
    findings.expect(!opens || head.status == 101, "\(head.status) opens a WebSocket")
    let again = HeadReading(written(head)[...], step: .max) { bytes throws(HeadFault) in
      var parser = ResponseHeadParser(limits: HeadReading.widest)
      return try parser.parse(&bytes)
    }
    findings.expectEqual(again.head, head, "the head, written and read again")
    return findings.violations
  }

  /// Fault rows 6 to 9, as whoever reads the head relies on them.
  private static func sound(_ head: RequestHead, _ limits: HeadLimits) -> [String] {
    var findings = Findings()
    findings.expect(head.path.hasPrefix("/") && !head.path.hasPrefix("//"), "path \(head.path)")
    let segments = head.path.lowercased().replacing("%2e", with: ".").split(separator: "/")
    findings.expect(!segments.contains(".") && !segments.contains(".."), "dot segments in \(head.path)")
    findings.expect(!head.path.contains("%00") && !(head.query ?? "").contains("%00"), "NUL in the target")
    findings.expect(!head.host.isEmpty && head.values(of: "host") == [head.host], "host \(head.host)")
    findings.expect(head.fields.count <= limits.fieldCount, "\(head.fields.count) fields")
    let texts = head.fields.flatMap { [$0.name, $0.value] } + [head.method, head.path, head.query ?? ""]
    for text in texts {
      findings.expect(!text.utf8.contains { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }, "a control character in \(text)")
    }
    let lengths = head.values(of: "content-length").count + head.values(of: "transfer-encoding").count
    findings.expect(head.body == .none ? lengths <= 1 : lengths == 1, "body \(head.body) of \(lengths) lengths")
    _ = head.listMembers(of: "connection")
    return findings.violations
  }

  private static func written(_ head: RequestHead) -> [UInt8] {
    let target = head.path + (head.query.map { "?" + $0 } ?? "")
    return Array("\(head.method) \(target) HTTP/1.1\r\n\(written(head.fields))\r\n".utf8)
  }

  private static func written(_ head: ResponseHead) -> [UInt8] {
    Array("HTTP/1.1 \(head.status)\r\n\(written(head.fields))\r\n".utf8)
  }

  private static func written(_ fields: [RequestHead.Field]) -> String {
    fields.map { "\($0.name): \($0.value)\r\n" }.joined()
  }
}

/// What a parser made of bytes that came in pieces.
struct HeadReading<Head: Equatable> {
  var head: Head?
  var fault: HeadFault?
  /// What follows the head, or the byte at which the fault was found.
  var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>, step: Int, parse: (inout ByteBuffer) throws(HeadFault) -> Head?) {
    rest = bytes
    for piece in Cuts.pieces(bytes, step: step) {
      var buffer = ByteBuffer(bytes: piece)
      defer { rest = rest.dropFirst(piece.count - buffer.readableBytes) }
      do throws(HeadFault) {
        head = try parse(&buffer)
      } catch {
        fault = error
      }
      if head != nil || fault != nil { return }
    }
  }

  static func differences(_ readings: [Self]) -> [String] {
    var findings = Findings()
    for reading in readings.dropFirst() {
      findings.expectEqual(reading.head, readings[0].head, "the head in pieces and as a whole")
      findings.expectEqual(reading.fault, readings[0].fault, "the fault in pieces and as a whole")
      findings.expectEqual(reading.rest.count, readings[0].rest.count, "the rest in pieces and as a whole")
    }
    return findings.violations
  }
}

extension HeadReading where Head == Never {
  /// Of one byte: the limits, narrow ones at times, and the size of pieces.
  static func conditions(_ input: inout FuzzInput) -> (HeadLimits, Int) {
    let byte = input.byte()
    var limits = HeadLimits()
    if byte & 1 == 1 {
      limits.firstLineBytes = 40
      limits.fieldBytes = 24
      limits.allFieldsBytes = 60
      limits.fieldCount = 4
    }
    return (limits, Int(byte >> 1) + 1)
  }

  /// Bytes that are not UTF-8 grow when they are replaced.
  static var widest: HeadLimits {
    var limits = HeadLimits()
    limits.firstLineBytes = 1 << 20
    limits.fieldBytes = 1 << 20
    limits.allFieldsBytes = 1 << 20
    return limits
  }
}

/// What the extent of a body made of bytes that came in pieces.
struct BodyReading: Equatable {
  var taken: [UInt8] = []
  var isComplete = false
  var fault: HeadFault?

  init(_ bytes: ArraySlice<UInt8>, _ body: RequestHead.Body, step: Int) {
    var extent = BodyExtent(body)
    for piece in Cuts.pieces(bytes, step: step) {
      var buffer = ByteBuffer(bytes: piece)
      do throws(HeadFault) {
        taken += try extent.take(from: &buffer).readableBytesView
      } catch {
        fault = error
        taken = []
        return
      }
      if extent.isComplete { break }
    }
    isComplete = extent.isComplete
  }
}
