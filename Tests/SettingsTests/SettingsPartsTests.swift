import Envelope
import Foundation
import ParleyTesting
import Testing
import VoiceEngine

@testable import Settings

@Suite struct SettingsPartsTests {
  /// RFC 7396 appendix A, as far as both are objects.
  static let merges = [
    (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
    (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
    (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
    (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
    (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
    ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
  ]

  @Test("R078: a patch is merged by RFC 7396", arguments: merges)
  func merge(_ document: String, _ change: String, _ result: String) throws {
    #expect(try patch(document).merging(patch(change)) == patch(result))
  }

  @Test("two patches composed do what one does after the other")
  func composition() throws {
    var random = SplitMix64(seed: 8)
    for _ in 0..<500 {
      let document = Self.object(&random, depth: 2, nulls: false)
      let (first, second) = (Self.object(&random, depth: 2), Self.object(&random, depth: 2))
      // Null and then an object is the one thing that a single patch cannot say.
      guard !Self.isRebuilt(first, second) else { continue }
      #expect(document.merging(first.composing(second)) == document.merging(first).merging(second))
    }
  }

  private static func isRebuilt(_ first: JSONObject, _ second: JSONObject) -> Bool {
    second.contains { key, value in
      guard let inner = value.object, let own = first[key] else { return false }
      guard let outer = own.object else { return true }
      return isRebuilt(outer, inner)
    }
  }

  @Test("any document is written as YAML that reads back as the same")
  func yaml() throws {
    var random = SplitMix64(seed: 78)
    for round in 0..<800 {
      let document = Self.object(&random, depth: 3, nulls: round % 2 == 0)
      let text = YAMLText.of(["gateway": .object(document)])
      let read = try RuntimeDocument(yaml: text, file: "x").json["gateway"]
      #expect(read == .object(document), "\(text)")
    }
  }

  private static let words = [
    "plain", "", " ", "yes", "No", "null", "~", "1e3", "0x1f", "1_000", ".5", "-", "- a", "a: b", "#", "a #b", "'",
    "\"",
    "{", "[x", "&a", "*a", "!t", "|", ">", "%", "@", "`", "?", "<<", "=", "tab\there", "line\nend", "env:NAME",
    "https://a.b:1/c", "anthropic/claude-3-sonnet", "ä🙂", "\u{85}\u{2028}\u{7f}", "2001-01-01", "12:30:45", "\\n",
    "true", "nan", ".inf", "x\u{feff}y", "0", "-1.5",
  ]

  private static func object(_ random: inout SplitMix64, depth: Int, nulls: Bool = true) -> JSONObject {
    var object = JSONObject()
    for _ in 0..<Int.random(in: 0...4, using: &random) {
      object[["a", "b", "c", words.randomElement(using: &random) ?? "d"].randomElement(using: &random) ?? "e"] =
        value(&random, depth: depth, nulls: nulls)
    }
    return object
  }

  private static func value(_ random: inout SplitMix64, depth: Int, nulls: Bool) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &random) {
    case 0: .bool(Bool.random(using: &random))
    case 1: .number(JSONNumber(Int.random(in: -1_000...1_000_000, using: &random)))
    case 2: .number(JSONNumber(Double(Int.random(in: -999...999, using: &random)) / 8))
    case 3: nulls ? .null : .bool(true)
    case 4: .string(words.randomElement(using: &random) ?? "")
    case 5: .array((0..<2).map { _ in value(&random, depth: depth - 1, nulls: nulls) })
    default: .object(object(&random, depth: depth - 1, nulls: nulls))
    }
  }

  @Test("a file is replaced as a whole: its rights and its link stay, and nothing is left beside it")
  func atomicFile() throws {
    let place = try Workplace()
    let real = place.folder + "/real.yaml"
    try place.write("old", to: "real.yaml")
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: real)
    try FileManager.default.createSymbolicLink(atPath: place.runtimePath, withDestinationPath: "real.yaml")
    let stamp = try AtomicFile.write("new", to: place.runtimePath)
    #expect(stamp != nil && stamp == FileStamp(path: place.runtimePath))
    #expect(place.read("real.yaml") == "new" && place.read() == "new")
    #expect(try FileManager.default.attributesOfItem(atPath: real)[.posixPermissions] as? Int == 0o640)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place.runtimePath) == "real.yaml")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: place.folder).sorted() == [
        "real.yaml", "routes.json", "runtime.yaml",
      ])
    let fault = #expect(throws: SavingFault.self) { _ = try AtomicFile.write("x", to: place.folder + "/no/where") }
    #expect(fault == SavingFault(errno: ENOENT))
    #expect(SavingFault(errno: ENOSPC).isFull && !SavingFault(errno: EROFS).isFull)
  }

  @Test("fault row 60: aliases that multiply and nesting without end are refused in no time")
  func bombs() throws {
    var text = "gateway:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...7 {
      let all = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      text += "  a\(level): &a\(level) [\(all)]\n"
    }
    #expect(throws: RuntimeConfigurationFault.self) { try RuntimeDocument(yaml: text, file: "x") }
    let deep = "gateway: " + String(repeating: "[", count: 400) + String(repeating: "]", count: 400)
    #expect(throws: RuntimeConfigurationFault.self) { try RuntimeDocument(yaml: deep, file: "x") }
  }
}
