import Envelope
import Foundation
import Testing
import Translation

@testable import VoiceEngine

@Suite struct ConfigurationFaultTests {
  private func fault(_ yaml: String, _ environment: [String: String] = [:]) -> String {
    do {
      _ = try configuration(environment, yaml: yaml)
      return "none"
    } catch {
      return "\(error)"
    }
  }

  static let files: [(String, String)] = [
    ("vad:\n  treshold: 0.5", "runtime.yaml:2: vad.treshold: unknown key; did you mean \"threshold\"?"),
    ("lmm: {}", "runtime.yaml:1: lmm: unknown key; did you mean \"llm\"?"),
    ("llm: {apikey: x}", "runtime.yaml:1: llm.apikey: unknown key; did you mean \"apiKey\"?"),
    ("limits: {elephants: 1}", "runtime.yaml:1: limits.elephants: unknown key; known: maximumTurns"),
    ("vad: {threshold: 1.5}", "runtime.yaml:1: vad.threshold: out of range; allowed: 0 to 1"),
    ("vad: {threshold: .nan}", "runtime.yaml:1: vad.threshold: expected a number, found a text"),
    ("vad: {threshold: nan}", "runtime.yaml:1: vad.threshold: out of range; allowed: 0 to 1"),
    ("vad: {threshold: \"0.5\"}", "runtime.yaml:1: vad.threshold: expected a number, found a text"),
    ("\n\nvad: {minSilenceMs: -1}", "runtime.yaml:3: vad.minSilenceMs: out of range; allowed: 0 to 60000"),
    ("vad: {minSilenceMs: 1.5}", "runtime.yaml:1: vad.minSilenceMs: expected a whole number, found a text"),
    ("vad: {minSilenceMs: 1e300}", "runtime.yaml:1: vad.minSilenceMs: out of range; allowed: 0 to 60000"),
    ("vad: {enabled: maybe}", "runtime.yaml:1: vad.enabled: expected true or false, found a text"),
    ("vad: [1]", "runtime.yaml:1: vad: expected a mapping, found a list"),
    ("- vad", "runtime.yaml:1: expected a mapping, found a list"),
    ("hello", "runtime.yaml:1: expected a mapping, found a text"),
    ("llm: {model: {a: b}}", "runtime.yaml:1: llm.model: expected a text, found a mapping"),
    ("llm: {model: ''}", "runtime.yaml:1: llm.model: must not be empty"),
    ("llm: {model: \"a\\nb\"}", "runtime.yaml:1: llm.model: holds a control character"),
    ("llm: {provider: grok}", "runtime.yaml:1: llm.provider: unknown value; did you mean \"groq\"?"),
    ("vad: {provider: x}", "runtime.yaml:1: vad.provider: unknown value; known: silero, energy, none"),
    ("llm: {baseUrl: localhost}", "runtime.yaml:1: llm.baseUrl: must begin with http:// or https://"),
    (
      "llm: {baseUrl: 'http://me:pw@host/v1'}",
      "runtime.yaml:1: llm.baseUrl: must have no user, query or fragment; a key belongs in apiKey"
    ),
    ("llm: {baseUrl: 'http://host:99999'}", "runtime.yaml:1: llm.baseUrl: has no usable host and port"),
    ("llm: {baseUrl: 'http://'}", "runtime.yaml:1: llm.baseUrl: has no usable host and port"),
    ("llm: {apiKey: 'env:NOT_THERE'}", "runtime.yaml:1: llm.apiKey: environment variable NOT_THERE is not set"),
    ("llm: {apiKey: 'env:1'}", "runtime.yaml:1: llm.apiKey: env: needs the name of a variable behind it"),
    ("llm: {apiKey: 'file:/nowhere/key'}", "runtime.yaml:1: llm.apiKey: /nowhere/key: no such file"),
    ("llm: {model: a, model: b}", "runtime.yaml:1: a key is given twice"),
    ("llm: {model: [", "runtime.yaml:2: invalid YAML at column 1: did not find expected node content"),
    ("a: *b", "runtime.yaml:1: invalid YAML at column 4: found undefined alias"),
    ("llm: *b", "runtime.yaml:1: invalid YAML at column 6: found undefined alias"),
  ]

  @Test("a bad file is refused with the line, the path and what would be right", arguments: files)
  func badFile(_ yaml: String, _ message: String) {
    #expect(fault(yaml) == message)
  }

  @Test(
    "a bad variable is refused by its name",
    arguments: [
      ("VAD_THRESHOLD", "2", "environment VAD_THRESHOLD: vad.threshold: out of range; allowed: 0 to 1"),
      ("VAD_THRESHOLD", "abc", "environment VAD_THRESHOLD: vad.threshold: expected a number, found a text"),
      ("VAD_ENABLED", "ja", "environment VAD_ENABLED: vad.enabled: expected true or false, found a text"),
      (
        "LLM_PROVIDER", "openruoter",
        "environment LLM_PROVIDER: llm.provider: unknown value; did you mean \"openrouter\"?"
      ),
      ("LLM_BASE_URL", "ftp://a", "environment LLM_BASE_URL: llm.baseUrl: must begin with http:// or https://"),
      ("STT_THREADS", "0", "environment STT_THREADS: stt.threads: out of range; allowed: 1 to 64"),
    ])
  func badVariable(_ name: String, _ value: String, _ message: String) {
    #expect(fault("", [name: value]) == message)
  }

  @Test("values at the ends of their ranges are taken")
  func ends() throws {
    let low = try configuration(yaml: "vad: {threshold: 0, minSilenceMs: 0}\nllm: {temperature: 0, maxTokens: 1}")
    #expect(low.vad.threshold == 0 && low.vad.minSilenceMs == 0 && low.llm.temperature == 0 && low.llm.maxTokens == 1)
    let high = try configuration(yaml: "vad: {threshold: 1, minSilenceMs: 60000}\nllm: {temperature: 2.0}")
    #expect(high.vad.threshold == 1 && high.vad.minSilenceMs == 60_000 && high.llm.temperature == 2)
  }

  @Test("no message repeats a value, because it may be a key in the wrong place")
  func messagesHoldNoValue() {
    let secret = "gsk_SECRETSECRETSECRETSECRET"
    let files = [
      "llm: {provider: \(secret)}", "llm: {baseUrl: \(secret)}", "llm: {\(secret)+/=: 1}",
      "vad: {threshold: \(secret)}",
      "llm: \(secret)", "llm: {apiKey: '\(secret) x'}", "llm: {apiKey: [\(secret)", "\(secret): : :",
      "llm: {apiKey: \(secret), apiKey: \(secret)}", "a: &a \(secret)\nb: *c", "llm:\n\tapiKey: \(secret)",
      "llm: {baseUrl: 'http://h/?key=\(secret)'}",
    ]
    for file in files {
      let message = fault(file)
      #expect(message != "none", "\(file)")
      #expect(!message.contains("SECRET"), "\(message)")
    }
    #expect(!fault("", ["GROQ_API_KEY": secret + "\u{1}"]).contains("SECRET"))
  }

  @Test("deep nesting, aliases of aliases and odd bytes are refused or read, never a crash")
  func hostileFiles() {
    #expect(fault(String(repeating: "[", count: 100_000)) != "none")
    #expect(fault(String(repeating: "{a: ", count: 100_000)) != "none")
    var bomb = "llm: &l0 {model: a}\n"
    for level in 1...30 { bomb += "k\(level): &l\(level) [*l\(level - 1), *l\(level - 1), *l\(level - 1)]\n" }
    #expect(fault(bomb).contains("more than"))
    #expect(fault("llm: {model: \"\\u0000\"}") == "runtime.yaml:1: llm.model: holds a control character")
    #expect(fault("\u{7}") != "none")
  }

  @Test("empty files, empty sections, null values and the version that a program wrote are fine")
  func sparse() throws {
    for yaml in ["", "\n# nothing\n", "---\n", "llm:\n", "llm: ~\nvad: {threshold: ~}", "version: 3\nlastUpdated: x"] {
      #expect(try configuration(yaml: yaml).vad.threshold == 0.5)
    }
  }

  @Test("a request is refused without a line")
  func request() throws {
    #expect(
      throws: RuntimeConfigurationFault(.request, path: "llm.modle", .unknownKey(nearest: "model", known: llmKeys))
    ) {
      try ConfigurationLayer(json: ["llm": ["modle": "x"]])
    }
    let layer = try ConfigurationLayer(json: ["vad": ["enabled": "true"]])
    #expect(throws: RuntimeConfigurationFault.self) { try RuntimeConfiguration(layers: [layer], environment: [:]) }
  }

  private var llmKeys: [String] { Setting.all.filter { $0.section == "llm" }.map(\.key) }
}
