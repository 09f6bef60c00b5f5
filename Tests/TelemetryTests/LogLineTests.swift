import Envelope
import Logging
import Testing

@testable import Telemetry

@Suite("How a line of the log looks")
struct LogLineTests {
  private func line(_ message: String, _ metadata: Logger.Metadata = [:], level: Logger.Level = .info) -> LogLine {
    LogLine(
      time: "2026-11-22T10:20:14.123Z", level: level, service: "engine", message: message, metadata: metadata)
  }

  private func text(_ message: String, _ metadata: Logger.Metadata = [:], level: Logger.Level = .info) -> String {
    String(decoding: line(message, metadata, level: level).bytes(.text), as: UTF8.self)
  }

  private func object(_ message: String, _ metadata: Logger.Metadata = [:]) throws -> JSONObject {
    let text = String(decoding: line(message, metadata).bytes(.json), as: UTF8.self)
    #expect(text.hasSuffix("}\n") && text.filter { $0 == "\n" }.count == 1)
    return try #require(JSONValue(parsing: text).object)
  }

  @Test("R116, R117: time, level, service, message, and then the session first")
  func plain() {
    #expect(
      text("request failed", ["fault": "internal", "session": "sess_1", "cause": "two words"], level: .error)
        == "2026-11-22T10:20:14.123Z error service=engine request failed session=sess_1 cause=\"two words\" "
        + "fault=internal\n")
  }

  @Test(
    "Fault row 62: a value in text is one word, or quoted with everything in it escaped",
    arguments: [
      ("", "\"\""), ("a\r\nb", #""a\r\nb""#), (#"say "hi""#, #""say \"hi\"""#), (#"C:\x"#, #"C:\x"#),
      ("a=b", #""a=b""#), ("\u{1b}[31mred", #""\u{1b}[31mred""#), ("tab\there", #""tab\there""#),
      ("x\u{202e}y\u{2028}z\u{85}", #""x\u{202e}y\u{2028}z\u{85}""#), ("Grüße", "Grüße"),
      (#"\ and space"#, #""\\ and space""#), ("\u{0}", #""\u{0}""#),
    ])
  func quoting(value: String, expected: String) {
    #expect(text("m", ["k": "\(value)"]).hasSuffix(" service=engine m k=\(expected)\n"))
  }

  @Test("Fault row 62: neither a message nor a key ends the line")
  func messagesAndKeys() {
    #expect(text("a\nb\u{1b}c", ["k\n=": "v"]).hasSuffix(" service=engine a\\nb\\u{1b}c k__=v\n"))
  }

  @Test("Fault row 62: in JSON every value is text, whatever it holds")
  func json() throws {
    let hostile = "a\r\n\"b\"\\ \u{0}\u{1b}\u{2028}"
    let object = try object("session began", ["client": "\(hostile)", "session": "sess_1"])
    #expect(object["client"] == .string(hostile))
    #expect(object["session"] == "sess_1" && object["level"] == "info" && object["service"] == "engine")
    #expect(object["message"] == "session began" && object["time"] == "2026-11-22T10:20:14.123Z")
  }

  @Test("R116: metadata cannot take the place of what a line says of itself")
  func ownKeys() throws {
    let metadata: Logger.Metadata = ["service": "other", "level": "debug", "time": "never", "message": "x"]
    let object = try object("m", metadata)
    #expect(object["service"] == "engine" && object["service_"] == "other" && object["level_"] == "debug")
    #expect(text("m", metadata).contains(" info service=engine m level_=debug"))
  }

  @Test("R119: keys are masked in messages, in values and within lists")
  func secrets() throws {
    let metadata: Logger.Metadata = [
      "a": "Bearer abcdef0123456789", "b": .array(["sk-abcdef0123"]), "c": .dictionary(["d": "hyb_0123456789"]),
    ]
    let object = try object("with ek_0123456789", metadata)
    #expect(object["message"] == "with ek_<redacted>" && object["a"] == "Bearer <redacted>")
    #expect(object["b"] == ["sk-<redacted>"] && object["c"]?["d"] == "hyb_<redacted>")
    let line = text("with ek_0123456789", metadata)
    #expect(line.firstMatch(of: /abcdef0123|0123456789/) == nil)
  }

  @Test("R119: a line is of bounded length, and what was cut in the middle of a key shows no key")
  func length() throws {
    let long = String(repeating: "x", count: LogLine.longestValue - 20) + " hyb_" + String(repeating: "k", count: 500)
    let object = try object("m", ["k": "\(long)"])
    let shown = try #require(object["k"]?.string)
    #expect(shown.hasSuffix(" hyb_<redacted>…") && !shown.contains("kk"))
    let many = Dictionary(uniqueKeysWithValues: (0..<1_000).map { ("k\($0)", Logger.MetadataValue.string("v")) })
    #expect(try self.object("m", many).count == 4 + LogLine.mostKeys)
  }
}
