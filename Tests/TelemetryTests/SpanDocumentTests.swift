import Envelope
import NIOCore
import Testing
import Tracing

@testable import Telemetry

@Suite("Spans as OTLP wants them")
struct SpanDocumentTests {
  private struct Instant: TracerInstant {
    var nanosecondsSinceEpoch: UInt64
    static func < (left: Self, right: Self) -> Bool { left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch }
  }

  private struct Broken: Error, CustomStringConvertible { var description: String { "no use of sk-abcdef0123" } }

  private let queue = SpanQueue(metrics: MetricsRegistry())

  /// The only span of a document.
  private func exported(_ build: (RecordedSpan) -> Void) throws -> JSONObject {
    var context = InstrumentationContext.topLevel
    context.take(traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", traceState: "a=1")
    let span = SpanTracer(queue: queue, ratio: 1).startSpan(
      "chat gpt-realtime", context: context, ofKind: .client,
      at: Instant(nanosecondsSinceEpoch: 1_700_000_000_000_000_001))
    build(span)
    span.end(at: Instant(nanosecondsSinceEpoch: 1_700_000_000_500_000_002))
    let document = try JSONValue(
      parsing: SpanDocument.body(of: queue.take(1), resource: [("service.name", "parley")]))
    let resource = document["resourceSpans"]?[0]
    #expect(
      resource?["resource"]?["attributes"] == [["key": "service.name", "value": ["stringValue": "parley"]]])
    #expect(resource?["scopeSpans"]?[0]?["scope"] == ["name": "parley"])
    return try #require(resource?["scopeSpans"]?[0]?["spans"]?[0]?.object)
  }

  /// The values of attributes, by key.
  private func attributes(_ list: JSONValue?) -> [String: JSONValue] {
    var values: [String: JSONValue] = [:]
    for attribute in list?.array ?? [] {
      if let key = attribute["key"]?.string { values[key] = attribute["value"] }
    }
    return values
  }

  @Test("Identifiers are hexadecimal, times are text, kinds are numbers")
  func shape() throws {
    let span = try exported { _ in }
    #expect(span["traceId"] == "0af7651916cd43dd8448eb211c80319c" && span["parentSpanId"] == "b7ad6b7169203331")
    #expect(span["spanId"]?.string?.wholeMatch(of: /[0-9a-f]{16}/) != nil && span["traceState"] == "a=1")
    #expect(span["name"] == "chat gpt-realtime" && span["kind"] == 3 && span["flags"] == 1)
    #expect(span["startTimeUnixNano"] == "1700000000000000001" && span["endTimeUnixNano"] == "1700000000500000002")
    #expect(span["status"] == nil && span["events"] == nil && span["attributes"] == [])
  }

  @Test("Attributes of every kind, without what JSON has no number for")
  func values() throws {
    let span = try exported { span in
      span.attributes = [
        "int": 7, "double": 0.5, "bool": true, "text": "x", "nan": .double(.nan), "ints": .int64Array([1, 2]),
        "texts": .stringArray(["a"]), "convertible": .stringConvertible(Duration.seconds(1)),
      ]
    }
    let values = attributes(span["attributes"])
    #expect(values["int"] == ["intValue": "7"] && values["double"] == ["doubleValue": 0.5])
    #expect(values["bool"] == ["boolValue": true] && values["text"] == ["stringValue": "x"])
    #expect(values["nan"] == nil && values["convertible"] == ["stringValue": "1.0 seconds"])
    #expect(values["ints"] == ["arrayValue": ["values": [["intValue": "1"], ["intValue": "2"]]]])
    #expect(values["texts"] == ["arrayValue": ["values": [["stringValue": "a"]]]])
  }

  @Test("Fault row 68: errors and events, and no key in any of them")
  func events() throws {
    let span = try exported { span in
      span.recordError(Broken(), attributes: [:], at: Instant(nanosecondsSinceEpoch: 1_700_000_000_100_000_000))
      span.setStatus(.init(code: .error, message: "because of hyb_0123456789"))
      span.attributes["secret"] = "Bearer abcdef0123456789"
    }
    let event = span["events"]?[0]
    #expect(event?["name"] == "exception" && event?["timeUnixNano"] == "1700000000100000000")
    #expect(attributes(event?["attributes"])["exception.type"] == ["stringValue": "Broken"])
    #expect(attributes(event?["attributes"])["exception.message"] == ["stringValue": "no use of sk-<redacted>"])
    #expect(span["status"] == ["code": 2, "message": "because of hyb_<redacted>"])
    #expect(attributes(span["attributes"])["secret"] == ["stringValue": "Bearer <redacted>"])
  }

  @Test("A span is of bounded size")
  func bounds() throws {
    let span = try exported { span in
      span.updateAttributes { attributes in
        for index in 0..<1_000 { attributes["a\(index)"] = "v" }
        attributes["a"] = String(repeating: "x", count: 100_000)
      }
      for _ in 0..<1_000 { span.addEvent("e") }
    }
    #expect(span["attributes"]?.array?.count == SpanDocument.mostAttributes)
    #expect(span["events"]?.array?.count == FinishedSpan.mostEvents)
    #expect(attributes(span["attributes"])["a"]?["stringValue"]?.string?.utf8.count == SpanDocument.longestText)
  }
}
