import Envelope
import Foundation
import Testing
import Translation

@testable import VoiceEngine

@Suite final class ConfigurationFileTests {
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "runtime-configuration-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func write(_ text: String, to name: String) throws -> String {
    let path = folder + "/" + name
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  @Test("the file is the named one, RUNTIME_CONFIG_PATH, the image's or the data folder's, in this order")
  func place() throws {
    let image = folder + "/image"
    func path(_ environment: [String: String]) -> String {
      RuntimeConfiguration.defaultFile(environment: environment, dataFolder: folder, imageFolder: image)
    }
    #expect(path([:]) == folder + "/runtime.yaml")
    try FileManager.default.createDirectory(atPath: image, withIntermediateDirectories: true)
    #expect(path([:]) == image + "/runtime.yaml")
    #expect(path(["RUNTIME_CONFIG_PATH": "/x.yaml"]) == "/x.yaml")

    let moved = try write("llm: {model: moved}", to: "moved.yaml")
    let named = try write("llm: {model: named}", to: "named.yaml")
    let byVariable = try RuntimeConfiguration.load(environment: ["RUNTIME_CONFIG_PATH": moved], dataFolder: folder)
    #expect(byVariable.llm.model == "moved")
    #expect(byVariable.file == moved)
    let byName = try RuntimeConfiguration.load(
      environment: ["RUNTIME_CONFIG_PATH": moved], file: named, dataFolder: folder)
    #expect(byName.llm.model == "named")
    #expect(byName.sources["llm.model"] == .file(named, line: 1))
  }

  @Test("a file that nobody named need not exist; a named one must")
  func absent() throws {
    let path = folder + "/absent.yaml"
    let made = try RuntimeConfiguration.load(environment: ["RUNTIME_CONFIG_PATH": path], dataFolder: folder)
    #expect(made.file == path)
    #expect(made.vad.minSilenceMs == 550)
    #expect(throws: RuntimeConfigurationFault(.file(path, line: nil), path: "", .unreadable("no such file"))) {
      try RuntimeConfiguration.load(environment: [:], file: path, dataFolder: "/nowhere")
    }
  }

  @Test("a folder, bytes that are no text and a huge file are refused by name")
  func unreadable() throws {
    let bytes = folder + "/bytes.yaml"
    try Data([0xFF, 0xFE, 0x00]).write(to: URL(fileURLWithPath: bytes))
    let huge = try write(String(repeating: "# comment\n", count: 30_000), to: "huge.yaml")
    for (path, reason) in [(folder, "is a directory"), (bytes, "is not UTF-8"), (huge, "larger than 262144 bytes")] {
      #expect(throws: RuntimeConfigurationFault(.file(path, line: nil), path: "", .unreadable(reason))) {
        try RuntimeConfiguration.load(environment: ["RUNTIME_CONFIG_PATH": path], dataFolder: folder)
      }
    }
  }

  @Test("a key stands in the file, in a variable or in another file; none is in any output")
  func secrets() throws {
    _ = try write("tts-SECRET\n", to: "tts.key")
    let path = try write(
      """
      llm: {provider: groq, apiKey: llm-SECRET}
      stt: {provider: deepgram, apiKey: "env:MY_KEY"}
      tts: {provider: deepgram, apiKey: "file:tts.key"}
      """, to: "runtime.yaml")
    let made = try RuntimeConfiguration.load(environment: ["MY_KEY": "stt-SECRET"], file: path, dataFolder: folder)
    #expect(made.llm.apiKey?.value.reveal() == "llm-SECRET")
    #expect(made.stt.apiKey?.value.reveal() == "stt-SECRET")
    #expect(made.tts.apiKey?.value.reveal() == "tts-SECRET")

    let selection = made.resolved(Found())
    let shown = made.maskedJSON(selection)
    #expect(shown["configured"]?["llm"]?["apiKey"] == "********")
    #expect(shown["configured"]?["stt"]?["apiKey"] == "env:MY_KEY")
    #expect(shown["configured"]?["tts"]?["apiKey"]?.string == "file:\(folder)/tts.key")
    var dumped = ""
    dump(made, to: &dumped)
    dump(selection, to: &dumped)
    dump(made.llm, to: &dumped)
    let outputs = [
      shown.text, "\(made)", String(reflecting: made), "\(selection)", String(reflecting: selection), "\(made.llm)",
      String(reflecting: made.stt), dumped,
    ]
    for output in outputs {
      #expect(!output.isEmpty)
      #expect(!output.contains("SECRET"), "\(output)")
    }
  }

  @Test("what is shown can be read again: the configured block has the keys of the file")
  func shownIsReadable() throws {
    let environment = ["GROQ_API_KEY": "g", "VAD_THRESHOLD": "0.7", "HYBRIE_REALTIME_MODEL": "m"]
    let made = try configuration(environment, yaml: "llm: {temperature: 0.3}")
    let shown = try #require(made.maskedJSON()["configured"])
    let again = try RuntimeConfiguration(layers: [ConfigurationLayer(json: shown)], environment: environment)
    #expect(again.maskedJSON()["configured"] == shown)
    #expect(made.maskedJSON()["sources"]?["vad.threshold"] == "environment VAD_THRESHOLD")
    #expect(made.maskedJSON()["sources"]?["llm.temperature"] == "runtime.yaml:1")
    #expect(made.maskedJSON()["sources"]?["llm.timeoutMs"] == "default")
  }

  @Test("every setting is in the configured block, and nothing else is")
  func complete() throws {
    let shown = try #require(try configuration().maskedJSON()["configured"]?.object)
    var paths: Set<String> = []
    for (key, value) in shown {
      if let members = value.object {
        for member in members.keys { paths.insert("\(key).\(member)") }
      } else {
        paths.insert(key)
      }
    }
    #expect(paths == Set(Setting.all.map(\.path)))
  }
}
