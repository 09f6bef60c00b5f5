import Envelope
import Foundation
import Routing
import Synchronization
import Testing
import Translation
import VoiceEngine

@testable import Settings

@Suite struct ConfigurationFilesTests {
  @Test(
    "R129: the first boot writes what the environment says for every provider; a key that is deleted is the environment's"
  )
  func firstBoot() async throws {
    let place = try Workplace()
    let environment = [
      "GROQ_API_KEY": "g-SECRET", "GROQ_MODEL": "openai/gpt-oss-120b", "VAD_ENABLED": "true", "VAD_THRESHOLD": "0.4",
      "PARLEY_DEFAULT_PROVIDER": "openai", "LLM_PROVIDER": "groq",
    ]
    let keeper = place.keeper(environment, presence: .expected)
    let first = try await keeper.load()
    let text = try #require(place.read())
    #expect(text.hasPrefix("# Parley's runtime configuration"))
    #expect(!text.contains("SECRET"))
    let written = try RuntimeDocument(yaml: text, file: "x").json
    #expect(
      written == [
        "llm": ["provider": "groq"], "vad": ["enabled": true, "threshold": 0.4], "gateway": ["default": "openai"],
      ])
    #expect(first.runtime.llm.apiKey?.value.reveal() == "g-SECRET")
    #expect(first.table.defaultProvider == "openai")
    #expect(await keeper.source("vad.threshold")?.hasPrefix(place.runtimePath) == true)
    let rights = try FileManager.default.attributesOfItem(atPath: place.runtimePath)[.posixPermissions] as? Int
    #expect(rights == 0o600)

    // Another provider has a key and an address of its own.
    try await keeper.change(try patch(#"{"llm":{"provider":"openrouter","model":"a/b"}}"#), persists: false)
    #expect(await keeper.current?.runtime.llm.apiKey == nil)

    try place.write(text.replacingOccurrences(of: "  threshold: 0.4\n", with: ""), to: "runtime.yaml")
    let again = try await place.keeper(environment, presence: .expected).load()
    #expect(again.runtime.llm.model == "openai/gpt-oss-120b")
    #expect(again.runtime.sources["vad.threshold"] == .environment("VAD_THRESHOLD"))
    #expect(place.saves.load(ordering: .relaxed) == 1, "a file that is there is not touched")
  }

  @Test("R128: a developer's machine gets no file before the first change, and then one that lasts")
  func noFile() async throws {
    let place = try Workplace()
    let path = place.folder + "/data/deep/runtime.yaml"
    let keeper = place.keeper(["GROQ_API_KEY": "g-SECRET"], file: path)
    _ = try await keeper.load()
    #expect(!FileManager.default.fileExists(atPath: path))
    try await keeper.change(try patch(#"{"vad":{"threshold":0.6}}"#), persists: true)
    #expect(try await place.keeper(file: path).load().runtime.vad.threshold == 0.6)
  }

  @Test("a file that cannot be written at the first boot is one warning; one that was named needs its folder")
  func firstBootWithoutDisk() async throws {
    let place = try Workplace()
    place.savingFault.withLock { $0 = SavingFault(errno: ENOSPC) }
    let keeper = place.keeper(["VAD_THRESHOLD": "0.4"], presence: .expected)
    #expect(try await keeper.load().runtime.vad.threshold == 0.4)
    #expect(place.lines.count("warning configuration file not written") == 1)

    let absent = place.folder + "/nowhere/runtime.yaml"
    let named = place.keeper(presence: .named, file: absent)
    let fault = await #expect(throws: SettingsFault.self) { _ = try await named.load() }
    #expect(fault.map { "\($0)" } == "\(absent): cannot be read: no such file")
    #expect(try await place.keeper(presence: .named).load().revision == 1)
  }

  @Test("every mistake of both files is told at once, with its place")
  func badStart() async throws {
    let place = try Workplace(
      routes: """
        {"default": "nobody",
         "providers": {"local": {"kind": "local"}}, "contract": "x"}
        """)
    try place.write(
      "vad:\n  treshold: 1\nllm: {provider: grok}\ngateway:\n  limits:\n    maxSesions: 1\n", to: "runtime.yaml")
    let fault = await #expect(throws: SettingsFault.self) { _ = try await place.keeper().load() }
    let runtime = place.runtimePath
    let routes = place.folder + "/routes.json"
    #expect(
      fault?.mistakes.map { String($0.line.prefix { $0 != ";" }) }.sorted() == [
        "\(routes):1: default: provider \"nobody\" is not declared", "\(routes):2: contract: unknown key",
        "\(runtime):2: vad.treshold: unknown key", "\(runtime):3: llm.provider: unknown value",
        "\(runtime):6: gateway.limits.maxSesions: unknown key",
      ])
  }

  @Test("R081: a reload takes what is in the file; broken YAML is refused and changes nothing")
  func reload() async throws {
    let place = try Workplace()
    try place.write("vad: {threshold: 0.7}", to: "runtime.yaml")
    let keeper = place.keeper()
    _ = try await keeper.load()
    try place.write("vad: {threshold: 0.8}", to: "runtime.yaml")
    try await keeper.readAgain()
    #expect(await keeper.current?.runtime.vad.threshold == 0.8)
    #expect(place.counts["parley_configuration_current"] == 1)
    try place.write("vad: {threshold: 0.9", to: "runtime.yaml")
    let fault = await #expect(throws: SettingsFault.self) { try await keeper.readAgain() }
    #expect(fault?.mistakes.map(\.path) == [""])
    #expect(fault?.mistakes.first?.message.hasPrefix("invalid YAML at column") == true)
    #expect(await keeper.current?.runtime.vad.threshold == 0.8)
    #expect(await keeper.current?.revision == 2)
    #expect(place.counts["parley_configuration_current"] == 0)
    // Nor is it written over by a change, which would be the end of what somebody was about to write.
    await #expect(throws: SettingsFault.self) {
      try await keeper.change(try patch(#"{"vad":{"threshold":0.6}}"#), persists: true)
    }
    #expect(place.read() == "vad: {threshold: 0.9")
  }

  @Test("R131, fault row 58: files are watched; good ones are taken, bad ones refused with one line each")
  func watched() async throws {
    let place = try Workplace()
    try place.write("vad: {threshold: 0.7}\n", to: "runtime.yaml")
    let keeper = place.keeper()
    try await place.watching(keeper) {
      try place.write("vad: {threshold: 0.8}\n", to: "runtime.yaml")
      #expect(await eventually { await keeper.current?.runtime.vad.threshold == 0.8 })
      #expect(await eventually { place.revisions == [2] })

      try place.write("vad: {treshold: 0.9, x: 1}\n", to: "runtime.yaml")
      #expect(await eventually { place.lines.count("error configuration refused") == 2 })
      #expect(place.counts["parley_configuration_current"] == 0)

      try place.write(
        Workplace.routes.replacingOccurrences(of: "\"default\": \"local\"", with: "\"default\": \"openai\""),
        to: "routes.json")
      #expect(await eventually { place.lines.count("error configuration refused") == 4 }, "the YAML is bad still")
      try place.write("vad: {threshold: 0.9}\n", to: "runtime.yaml")
      #expect(await eventually { place.revisions == [2, 3] })
      #expect(await eventually { await keeper.current?.table.defaultProvider == "openai" })
      #expect(await eventually { place.counts["parley_configuration_current"] == 1 })
      #expect(await eventually { place.counts["parley_configuration_reloads_total outcome=applied"] == 2 })
    }
  }

  @Test("a link that is swapped for another is a change: so configurations are mounted")
  func swapped() async throws {
    let place = try Workplace()
    let files = FileManager.default
    for (name, value) in [("one", "0.6"), ("two", "0.8")] {
      try files.createDirectory(atPath: "\(place.folder)/\(name)", withIntermediateDirectories: true)
      try place.write("vad: {threshold: \(value)}\n", to: "\(name)/runtime.yaml")
    }
    try files.createSymbolicLink(atPath: place.folder + "/data", withDestinationPath: "one")
    try files.createSymbolicLink(atPath: place.runtimePath, withDestinationPath: "data/runtime.yaml")
    let keeper = place.keeper()
    try await place.watching(keeper) {
      #expect(await keeper.current?.runtime.vad.threshold == 0.6)
      try files.createSymbolicLink(atPath: place.folder + "/new", withDestinationPath: "two")
      #expect(rename(place.folder + "/new", place.folder + "/data") == 0)
      #expect(await eventually { await keeper.current?.runtime.vad.threshold == 0.8 })
    }
  }

  @Test("a file that vanishes: what it held still holds, one warning; it comes back by a change, or by itself")
  func vanished() async throws {
    let place = try Workplace()
    try place.write("vad: {threshold: 0.7}\n", to: "runtime.yaml")
    let keeper = place.keeper()
    try await place.watching(keeper) {
      try place.remove("runtime.yaml")
      try place.remove("routes.json")
      #expect(await eventually { place.lines.count("warning configuration file vanished") == 2 })
      #expect(await keeper.current?.revision == 1)
      let fault = await #expect(throws: SettingsFault.self) { try await keeper.readAgain() }
      #expect(fault?.mistakes.count == 2)
      #expect(await keeper.current?.runtime.vad.threshold == 0.7)

      try await keeper.change(try patch(#"{"vad":{"minSilenceMs":400}}"#), persists: true)
      #expect(place.read() == "vad:\n  threshold: 0.7\n  minSilenceMs: 400\n")
      #expect(await keeper.current?.runtime.vad.threshold == 0.7)
      try place.write(
        Workplace.routes.replacingOccurrences(of: "\"default\": \"local\"", with: "\"default\": \"openai\""),
        to: "routes.json")
      #expect(await eventually { await keeper.current?.table.defaultProvider == "openai" })
      #expect(place.lines.count("vanished") == 2)
    }
  }

  @Test("what this process wrote itself is no change, and what came before the watch is handed on")
  func ownWrites() async throws {
    let place = try Workplace()
    let keeper = place.keeper()
    _ = try await keeper.load()
    try await keeper.change(try patch(#"{"vad":{"threshold":0.6}}"#), persists: true)
    let watch = Task { await keeper.run { snapshot in place.applied.withLock { $0.append(snapshot) } } }
    defer { watch.cancel() }
    #expect(await eventually { place.revisions == [2] })
    try await keeper.change(try patch(#"{"vad":{"threshold":0.65}}"#), persists: true)
    #expect(place.revisions == [2, 3], "a change is in force when its answer is there")
    // The next change by somebody else comes as the very next revision: nothing was taken twice.
    try place.write("vad: {threshold: 0.75}\n", to: "runtime.yaml")
    #expect(await eventually { place.revisions == [2, 3, 4] })
    #expect(await eventually { place.counts["parley_configuration_reloads_total outcome=applied"] == 3 })
    #expect(place.revisions == [2, 3, 4])
  }

  @Test("what only a start can change is told, and the rest is taken")
  func fixedSections() async throws {
    let place = try Workplace()
    let keeper = place.keeper()
    _ = try await keeper.load()
    try place.write(
      Workplace.routes.replacingOccurrences(
        of: "{\"default\": \"local\"",
        with: "{\"listen\": [{\"host\": \"127.0.0.1\", \"port\": 9}], \"default\": \"openai\""),
      to: "routes.json")
    try await keeper.readAgain()
    #expect(place.lines.count("warning configuration needs a restart section=listen") == 1)
    #expect(await keeper.current?.table.defaultProvider == "openai")
  }
}
