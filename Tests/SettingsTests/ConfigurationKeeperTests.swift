import Envelope
import Foundation
import Routing
import Synchronization
import Testing
import Translation
import VoiceEngine

@testable import Settings

@Suite struct ConfigurationKeeperTests {
  @Test("R109, R130: environment, YAML and HTTP give a setting; HTTP comes before YAML, YAML before the environment")
  func precedence() async throws {
    let place = try Workplace()
    try place.write("llm:\n  model: of-the-file\n", to: "runtime.yaml")
    let keeper = place.keeper(["GROQ_API_KEY": "g-SECRET", "GROQ_MODEL": "of-the-environment", "STT_LANGUAGE": "de"])
    let first = try await keeper.load()
    #expect(first.revision == 1)
    #expect(first.runtime.llm.model == "of-the-file")
    #expect(first.runtime.stt.language == "de")
    #expect(await keeper.source("llm.model") == "\(place.runtimePath):2")
    #expect(await keeper.source("stt.language") == "environment STT_LANGUAGE")

    try await keeper.change(try patch(#"{"llm":{"model":"of-the-request"}}"#), persists: false)
    #expect(await keeper.current?.runtime.llm.model == "of-the-request")
    #expect(await keeper.source("llm.model") == "request")
    #expect(place.read() == "llm:\n  model: of-the-file\n", "the file does not get what is not to last")

    try await keeper.readAgain()
    #expect(await keeper.current?.runtime.llm.model == "of-the-file", "Q6: a reload drops what no file has")
    try place.write("", to: "runtime.yaml")
    try await keeper.readAgain()
    #expect(await keeper.current?.runtime.llm.model == "of-the-environment")
  }

  @Test("R078, R079: a part of the document is merged into the file, and the rest stays")
  func persisted() async throws {
    let place = try Workplace()
    try place.write("# Ours.\n\nvad: {threshold: 0.7, enabled: yes}\nversion: 3\n", to: "runtime.yaml")
    let keeper = place.keeper(["GROQ_API_KEY": "g-SECRET"])
    _ = try await keeper.load()
    try await keeper.change(
      try patch(#"{"llm": {"provider": "groq", "model": "openai/gpt-oss-20b"}}"#), persists: true)
    #expect(
      place.read() == """
        # Ours.
        vad:
          threshold: 0.7
          enabled: true
        version: 3
        llm:
          provider: groq
          model: openai/gpt-oss-20b

        """)
    let runtime = try #require(await keeper.current?.runtime)
    #expect(runtime.llm.model == "openai/gpt-oss-20b" && runtime.vad.threshold == 0.7)
    #expect(await keeper.source("llm.provider") == "\(place.runtimePath):7")
    // A second process reads the same.
    let again = try await place.keeper(["GROQ_API_KEY": "g-SECRET"]).load()
    #expect(again.runtime.llm.provider == .groq && again.runtime.vad.threshold == 0.7)
  }

  @Test("null takes a setting away, from the file or for the moment; what is below speaks then")
  func removed() async throws {
    let place = try Workplace()
    try place.write("llm: {model: of-the-file}\nvad: {threshold: 0.7}\n", to: "runtime.yaml")
    let keeper = place.keeper(["GROQ_API_KEY": "g-SECRET", "GROQ_MODEL": "of-the-environment"])
    _ = try await keeper.load()
    try await keeper.change(try patch(#"{"llm":{"model":null},"vad":null}"#), persists: false)
    #expect(await keeper.current?.runtime.llm.model == "of-the-environment")
    #expect(await keeper.current?.runtime.vad.threshold == 0.5)
    try await keeper.change(try patch(#"{"vad":{"threshold":0.6}}"#), persists: true)
    #expect(await keeper.current?.runtime.vad.threshold == 0.6, "the newest speaks, also beside what does not last")
    try await keeper.change(try patch(#"{"llm":{"model":null}}"#), persists: true)
    try await keeper.readAgain()
    #expect(await keeper.current?.runtime.llm.model == "of-the-environment")
    #expect(place.read() == "vad:\n  threshold: 0.6\n")
  }

  @Test(
    "R112, R130: the gateway's own configuration is laid over routes.json by the environment, the file and a request")
  func gateway() async throws {
    let place = try Workplace()
    let keeper = place.keeper(["PARLEY_DEFAULT_PROVIDER": "gemini", "GEMINI_API_KEY": "x-SECRET"])
    #expect(try await keeper.load().table.defaultProvider == "gemini")
    #expect(await keeper.source("gateway.default") == "environment PARLEY_DEFAULT_PROVIDER")
    try await keeper.change(
      try patch(#"{"gateway":{"default":"openai","limits":{"maxSessions":7}}}"#), persists: true)
    let table = try #require(await keeper.current?.table)
    #expect(table.defaultProvider == "openai" && table.limits.maxSessions == 7)
    #expect(await keeper.source("gateway.limits.maxSessions") == "\(place.runtimePath):6")
    try await keeper.change(try patch(#"{"gateway":{"default":"local"}}"#), persists: false)
    #expect(await keeper.current?.table.defaultProvider == "local")
    #expect(await keeper.config["gateway"]?["default"] == "local")
    #expect(await keeper.source("gateway.default") == "request")
    try await keeper.change(try patch(#"{"gateway":null}"#), persists: true)
    #expect(await keeper.current?.table.defaultProvider == "gemini")
    #expect(await keeper.current?.table.limits.maxSessions != 7)
  }

  @Test("R080: what a change would do is told without doing it")
  func checked() async throws {
    let place = try Workplace()
    let keeper = place.keeper()
    _ = try await keeper.load()
    let before = JSONValue.object(await keeper.shown())
    try await keeper.check(try patch(#"{"llm":{"provider":"openrouter"}}"#))
    await #expect(throws: SettingsFault.self) { try await keeper.check(try patch(#"{"llm":{"provider":"nope"}}"#)) }
    #expect(JSONValue.object(await keeper.shown()) == before)
    #expect(place.read() == nil)
  }

  static let refused: [(String, [String])] = [
    (#"{"llm":{"provider":"nope"}}"#, ["llm.provider"]),
    (#"{"llm":{"modle":"x"},"vad":{"threshold":9},"limts":{}}"#, ["llm.modle", "limts", "vad.threshold"]),
    (#"{"llm":"groq"}"#, ["llm"]),
    (#"{"stt":{"apiKey":"env:NOT_THERE"}}"#, ["stt.apiKey"]),
    (#"{"gateway":[]}"#, ["gateway"]),
    (#"{"gateway":{"default":"nobody"}}"#, ["gateway.default"]),
    (#"{"gateway":{"limits":{"maxSesions":3}}}"#, ["gateway.limits.maxSesions"]),
    (#"{"gateway":{"listen":[]}}"#, ["gateway.listen"]),
    (#"{"gateway":{"providers":{"openai":{"key":"sk-SECRET"}}}}"#, ["gateway.providers.openai.key"]),
  ]

  @Test("R080: a bad change is refused with the path of every mistake, and nothing is changed", arguments: refused)
  func badChange(_ body: String, _ paths: [String]) async throws {
    let place = try Workplace()
    try place.write("vad: {threshold: 0.7}\n", to: "runtime.yaml")
    let keeper = place.keeper()
    _ = try await keeper.load()
    for persists in [true, false] {
      let before = JSONValue.object(await keeper.shown())
      let fault = await #expect(throws: SettingsFault.self) {
        try await keeper.change(try patch(body), persists: persists)
      }
      #expect(fault?.mistakes.map(\.path) == paths)
      #expect(fault?.kind == .invalid)
      #expect(fault.map { !"\($0)".contains("SECRET") } == true)
      #expect(fault?.mistakes.allSatisfy { $0.line.hasPrefix("request: ") } == true, "\(fault.map { "\($0)" } ?? "")")
      #expect(JSONValue.object(await keeper.shown()) == before)
    }
    #expect(place.read() == "vad: {threshold: 0.7}\n")
    #expect(place.counts["parley_configuration_reloads_total outcome=refused"] == 2)
  }

  @Test("a full disk and one that may not be written to: nothing is changed, the old file is whole")
  func notSaved() async throws {
    let place = try Workplace()
    try place.write("vad: {threshold: 0.7}\n", to: "runtime.yaml")
    let keeper = place.keeper()
    _ = try await keeper.load()
    for (code, isFull) in [(ENOSPC, true), (EDQUOT, true), (EROFS, false), (EACCES, false)] {
      place.savingFault.withLock { $0 = SavingFault(errno: code) }
      let fault = await #expect(throws: SettingsFault.self) {
        try await keeper.change(try patch(#"{"vad":{"threshold":0.9}}"#), persists: true)
      }
      #expect(fault?.kind == .notSaved(isFull: isFull))
      #expect(await keeper.current?.runtime.vad.threshold == 0.7)
      #expect(await keeper.current?.revision == 1)
    }
    try await keeper.change(try patch(#"{"vad":{"threshold":0.9}}"#), persists: false)
    #expect(await keeper.current?.runtime.vad.threshold == 0.9, "for the moment it can be had all the same")
    #expect(place.read() == "vad: {threshold: 0.7}\n")
  }

  @Test("R076: keys are shown as references or as a mask, and a mask that is put back is no key")
  func masks() async throws {
    let place = try Workplace()
    try place.write("tts: {provider: deepgram, apiKey: tts-SECRET}\n", to: "runtime.yaml")
    let keeper = place.keeper(["GROQ_API_KEY": "g-SECRET", "GEMINI_API_KEY": "x-SECRET"])
    _ = try await keeper.load()
    let shown = JSONValue.object(await keeper.shown())
    #expect(!shown.text.contains("SECRET"))
    #expect(shown["config"]?["llm"]?["apiKey"] == "env:GROQ_API_KEY")
    #expect(shown["config"]?["tts"]?["apiKey"] == .string(ConfiguredSecret.mask))
    #expect(shown["gateway"]?["providers"]?["gemini"]?["key"] == "env:GEMINI_API_KEY")
    // What was read is written back as it is.
    try await keeper.change(try #require(shown["config"]?.object), persists: true)
    #expect(await keeper.current?.runtime.tts.apiKey?.value.reveal() == "tts-SECRET")
    #expect(await keeper.current?.runtime.llm.apiKey?.value.reveal() == "g-SECRET")
    #expect(place.read()?.contains("g-SECRET") == false)
    #expect(place.read()?.contains(ConfiguredSecret.mask) == false)
    let fault = await #expect(throws: SettingsFault.self) {
      try await keeper.change(try patch(#"{"llm":{"apiKey":"an\nodd SECRET"}}"#), persists: true)
    }
    #expect(fault.map { "\($0)".contains("SECRET") } == false)
    #expect(place.lines.lines.allSatisfy { !$0.contains("SECRET") })
  }

  @Test("R082: every preset can be put as it is, and says what it lacks")
  func presets() async throws {
    let place = try Workplace()
    let keeper = place.keeper(["GROQ_API_KEY": "g-SECRET"])
    _ = try await keeper.load()
    let presets = await keeper.presets()
    let names = presets.compactMap { $0["name"]?.string }
    #expect(Set(names).count == presets.count && names.contains("default-gemini") && names.contains("embedded"))
    for preset in presets {
      let config = try #require(preset["config"]?.object)
      try await keeper.change(config, persists: true)
      #expect(preset["available"]?.bool == preset["missing"]?.array?.isEmpty)
      #expect(preset["description"]?.string?.isEmpty == false)
    }
    func missing(_ name: String) -> JSONValue? { presets.first { $0["name"]?.string == name }?["missing"] }
    #expect(missing("groq") == ["DEEPGRAM_API_KEY"])
    #expect(missing("groq-only") == [])
    #expect(missing("default-gemini") == ["GEMINI_API_KEY"])
    #expect(missing("default-local") == [])
  }

  @Test("a change that changes nothing is not written; changes at once come one after another")
  func calm() async throws {
    let place = try Workplace()
    let keeper = place.keeper()
    _ = try await keeper.load()
    try await keeper.change(try patch(#"{"vad":{"threshold":0.6}}"#), persists: true)
    try await keeper.change(try patch(#"{"vad":{"threshold":0.6}}"#), persists: true)
    #expect(place.saves.load(ordering: .relaxed) == 1)
    await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<20 {
        group.addTask {
          try await keeper.change(try patch(#"{"vad":{"minSilenceMs":\#(100 + number)}}"#), persists: number % 2 == 0)
        }
      }
    }
    #expect(await keeper.current?.revision == 23)
    #expect(await keeper.current?.runtime.vad.threshold == 0.6)
  }
}
