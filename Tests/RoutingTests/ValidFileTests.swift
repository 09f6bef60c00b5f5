import SessionCore
import Testing
import Translation

@testable import Routing

@Suite("Valid files")
struct ValidFileTests {
  @Test("R014, R279: what a small file leaves out has the documented defaults")
  func defaults() throws {
    let table = try decode(smallFile())
    #expect(table.listeners.map(\.description) == ["127.0.0.1:8787", "[::1]:8787"])
    #expect(table.defaultProvider == "openai")
    #expect(
      table.routes.map(\.path) == [
        "/v1/realtime", "/realtime", "/openai/v1/realtime", "/openai/realtime", "/api/v1/inference/realtime",
      ])
    #expect(table.routes.allSatisfy { $0.provider == "openai" })
    #expect(table.accessKeys.isEmpty)
    #expect(table.contact.isEmpty)
    #expect(table.limits == GatewayLimits())
  }

  @Test("All sections arrive as written")
  func everything() throws {
    let table = try decode(
      #"""
      {
        "listen": [{"host": "0.0.0.0", "port": 443}, {"host": "gateway.example", "port": 0}],
        "default": "b",
        "providers": {
          "b": {"kind": "openai", "url": "WSS://[2001:db8::1]:8443/a/b/", "key": "file:key", "model": "m/1"},
          "a": {"kind": "gemini-live", "url": "ws://localhost", "model": "g", "apiVersion": "v1alpha", "caFile": "ca.pem"}
        },
        "routes": [{"path": "/x/", "provider": "a"}, {"path": "/"}],
        "access": {"keys": [{"name": "app", "key": "env:K"}, {"name": "ops", "key": "file:/abs/key"}]},
        "contact": "Ask ops@example.org",
        "limits": {"pingIntervalSeconds": 0.25, "heldBytes": 0, "dialGraceMilliseconds": 0.5}
      }
      """#)
    #expect(table.listeners == [Listener(host: "0.0.0.0", port: 443), Listener(host: "gateway.example", port: 0)])
    #expect(table.providerNames == ["b", "a"])
    let openAI = try #require(table.providers["b"])
    #expect(openAI.kind == .openAI)
    #expect(openAI.remote?.endpoint == (try Endpoint(url: "wss://[2001:db8::1]:8443/a/b")))
    #expect(openAI.remote?.endpoint.description == "wss://[2001:db8::1]:8443/a/b")
    #expect(openAI.remote?.model == "m/1")
    guard case .secret(let secret) = openAI.remote?.credential else {
      Issue.record("no secret")
      return
    }
    #expect(secret.reveal() == plantedSecret)
    let entry = try #require(table.providers["a"])
    #expect(entry.kind == .geminiLive(GeminiLiveSettings(apiVersion: "v1alpha")))
    let gemini = try #require(entry.remote)
    #expect(gemini.endpoint.port == 80 && !gemini.endpoint.isSecure && gemini.endpoint.basePath.isEmpty)
    #expect(gemini.caFile == "/conf/ca.pem")
    guard case .none = gemini.credential else {
      Issue.record("a credential out of nowhere")
      return
    }
    #expect(table.routes == [Route(path: "/x", provider: "a"), Route(path: "/", provider: "b")])
    #expect(table.accessKeys.map(\.name) == ["app", "ops"])
    #expect(table.accessKeys.map { $0.key.reveal() } == [plantedSecret, plantedSecret])
    #expect(table.contact == "Ask ops@example.org")
    #expect(table.limits.pingInterval == .milliseconds(250))
    #expect(table.limits.heldBytes == 0)
    #expect(table.limits.dialGrace == .microseconds(500))
  }

  @Test("R171: a provider whose secret is absent is unavailable with its cause, and no fault")
  func absentSecrets() throws {
    let causes: [(reference: String, cause: SecretFault)] = [
      ("env:NONE", .variableNotSet("NONE")), ("env:EMPTY", .variableEmpty("EMPTY")),
      ("file:none", .fileUnreadable(path: "/conf/none", .notFound)), ("file:empty", .fileEmpty(path: "/conf/empty")),
      ("file:/conf/closed", .fileUnreadable(path: "/conf/closed", .notPermitted)),
      ("file:inner", .unusable(.file("inner"))), ("env:SPACED", .unusable(.environment("SPACED"))),
    ]
    for (reference, cause) in causes {
      let table = try decode(smallFile().replacing("env:K", with: reference))
      #expect(table.providers["openai"]?.unavailability == cause, "\(reference)")
    }
    let present = try decode(smallFile().replacing("env:K", with: "file:crlf"))
    #expect(present.providers["openai"]?.unavailability == nil)
  }

  @Test("A loopback provider needs no key, in every spelling of loopback")
  func loopbackProviders() throws {
    for host in ["127.0.0.1", "127.9.9.9:1", "localhost", "LOCALHOST:80", "[::1]:8790", "[::ffff:127.0.0.1]"] {
      let table = try decode(
        smallFile(provider: #""openai": {"kind": "openai", "url": "ws://\#(host)/v1", "model": "m"}"#))
      #expect(table.providers["openai"]?.unavailability == nil, "\(host)")
    }
    for host in ["127.1", "localhost.example", "[::2]", "0.0.0.0", "128.0.0.1", "[::ffff:128.0.0.1]"] {
      let text = smallFile(provider: #""openai": {"kind": "openai", "url": "ws://\#(host)/v1", "model": "m"}"#)
      #expect(faultLines(text).count == 1, "\(host)")
    }
  }

  @Test("Another port keeps the hosts")
  func otherPort() throws {
    let table = try decode(
      smallFile(
        more: #", "listen": [{"host": "::1", "port": 1}, {"host": "::1", "port": 2}, {"host": "127.0.0.1", "port": 1}]"#
      ))
    #expect(table.listening(onPort: 9).listeners.map(\.description) == ["[::1]:9", "127.0.0.1:9"])
    #expect(table.listening(onPort: 9).defaultProvider == "openai")
  }
}

@Suite("Limits")
struct LimitTests {
  @Test(
    "Each limit: both ends of its range are taken, one step beyond is refused",
    arguments: LimitDefinition.all.map(\.name))
  func ends(_ name: String) throws {
    let definition = try #require(LimitDefinition.all.first { $0.name == name })
    // The marks exclude each other at their ends; the partner is moved out of the way.
    let partner = [
      "writeLowWaterBytes": #", "writeHighWaterBytes": 1073741824"#,
      "writeHighWaterBytes": #", "writeLowWaterBytes": 1024"#,
    ][name, default: ""]
    func file(_ value: String) -> String { smallFile(more: #", "limits": {"\#(name)": \#(value)\#(partner)}"#) }
    for end in [definition.lowest, definition.highest] {
      // Low water cannot reach the highest value, because high water must be above it.
      let value = name == "writeLowWaterBytes" && end == definition.highest ? end - 1 : end
      let table = try decode(file(LimitDefinition.plain(value)))
      #expect(definition.value(in: table.limits) == value)
    }
    let step = definition.isWhole ? 1 : 0.001
    for value in [definition.lowest - step, definition.highest + step] {
      let text = LimitDefinition.plain(value)
      #expect(
        faultLines(file(text)) == [
          "routes.json:6: limits.\(name): \(text) is out of range; allowed: \(definition.rangeText)"
        ])
    }
  }

  @Test("The defaults are those of the fault table, in range, and each key sets its own limit")
  func defaultsAndKeys() throws {
    let expected: [String: Double?] = [
      "maxMessageBytes": 25_165_824, "maxFrameBytes": 25_165_824, "maxFragments": 131_072, "maxTinyFragments": 1_024,
      "requestLineBytes": 8_192, "headerFieldBytes": 16_384, "headerBlockBytes": 65_536, "headerFields": 100,
      "tlsHandshakeSeconds": 10, "headTimeoutSeconds": 10, "headIdleSeconds": 5, "upstreamConnectSeconds": 5,
      "upstreamTLSSeconds": 5,
      "upstreamUpgradeSeconds": 5, "upstreamFirstEventSeconds": 10, "pingIntervalSeconds": 20,
      "pongTimeoutSeconds": 20, "upstreamPongTimeoutSeconds": 60, "closeTimeoutSeconds": 5, "heldBytes": 1_048_576,
      "writeHighWaterBytes": 262_144, "writeLowWaterBytes": 65_536, "peerStallSeconds": 10,
      "dialGraceMilliseconds": 300, "dialLatestSeconds": 5, "lingerSeconds": 1, "controlEventsPerSecond": 200,
      "badEventsPerMinute": 100, "sessionIdleSeconds": nil, "sessionLengthSeconds": nil, "maxSessions": nil,
      "maxSessionsPerAddress": nil, "memoryBudgetBytes": nil, "maxConnectsPerSecond": nil, "limitWarningSeconds": 60,
      "admissionTimeoutSeconds": 5, "usageUpdateSeconds": 5, "drainGraceSeconds": 30,
    ]
    let defaults = GatewayLimits()
    let actual = LimitDefinition.all.map { ($0.name, $0.value(in: defaults)) }
    #expect(Dictionary(actual) { first, _ in first } == expected)
    #expect(actual.count == expected.count)
    for definition in LimitDefinition.all {
      if let usual = definition.value(in: defaults) {
        #expect((definition.lowest...definition.highest).contains(usual))
      }
      var changed = defaults
      definition.set(definition.lowest, in: &changed)
      let others = LimitDefinition.all.filter { $0.value(in: changed) != $0.value(in: defaults) }
      #expect(others.map(\.name) == [definition.name])
    }
  }
}

@Suite("Files on disk")
struct DiskTests {
  static let root = String(#filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 })

  @Test("The shipped routes.json is valid; without keys its providers are listed as unavailable")
  func shippedTable() throws {
    let sources = SecretSources(environment: { _ in nil }, file: SecretSources.process.file)
    let table = try RouteTable.load(path: Self.root + "/routes.json", sources: sources)
    #expect(table.defaultProvider == "local")
    #expect(table.providers["local"]?.kind == .local && table.providers["local"]?.unavailability == nil)
    #expect(table.providers["openai"]?.unavailability == .variableNotSet("OPENAI_API_KEY"))
    #expect(table.providers["gemini"]?.unavailability == .variableNotSet("GEMINI_API_KEY"))
    #expect(table.providers.values.allSatisfy { $0.name == "local" || $0.unavailability != nil })
    #expect(table.providerNames == ["local", "gemini", "openai", "xai", "inworld"])
    #expect(table.providers["openai"]?.remote?.endpoint.description == "wss://api.openai.com:443/v1/realtime")
    #expect(table.routes.map(\.path) == RouteTable.defaultPaths)
  }

  @Test("R003, R014: without keys every session is the engine's, whatever model its client is built with")
  func withoutKeys() throws {
    let sources = SecretSources(environment: { _ in nil }, file: SecretSources.process.file)
    let table = try RouteTable.load(path: Self.root + "/routes.json", sources: sources)
    for model in [nil, "gpt-realtime", "gemini-3.8-live", "grok-voice-latest", "Qwen2.5-Omni-3B", "anything"] {
      let query = model.map { "?model=\($0)" } ?? ""
      #expect(try table.choose(RequestTarget("/v1/realtime" + query)).provider.name == "local")
    }
    #expect(throws: RouteRefusal.providerUnavailable(name: "openai", .variableNotSet("OPENAI_API_KEY"))) {
      try table.choose(RequestTarget("/v1/realtime?provider=openai"))
    }
    #expect(throws: RouteRefusal.providerUnavailable(name: "openai", .variableNotSet("OPENAI_API_KEY"))) {
      try table.choose(RequestTarget("/v1/realtime?model=openai/gpt-realtime"))
    }
  }

  @Test("a model's name still chooses a provider that has its key before the engine")
  func withKey() throws {
    let sources = SecretSources(
      environment: { $0 == "OPENAI_API_KEY" ? "k" : nil }, file: SecretSources.process.file)
    let table = try RouteTable.load(path: Self.root + "/routes.json", sources: sources)
    #expect(try table.choose(RequestTarget("/v1/realtime?model=gpt-realtime")).provider.name == "openai")
    #expect(try table.choose(RequestTarget("/v1/realtime?model=gemini-x")).provider.name == "local")
    #expect(try table.choose(RequestTarget("/v1/realtime?model=Qwen2.5-Omni-3B")).provider.name == "local")
    #expect(try table.choose(RequestTarget("/v1/realtime")).provider.name == "local")
  }

  @Test("The stand-in example is valid and needs no key")
  func standInExample() throws {
    let sources = SecretSources(environment: { _ in nil }, file: SecretSources.process.file)
    let table = try RouteTable.load(path: Self.root + "/examples/standin.json", sources: sources)
    #expect(table.defaultProvider == "gemini")
    #expect(table.providers.values.allSatisfy { $0.unavailability == nil && $0.remote?.endpoint.isLoopback == true })
    #expect(table.listeners == RouteTable.defaultListeners)
  }

  @Test("fault row 60: a file that cannot be read is one fault with the system's reason")
  func unreadable() {
    #expect(loadFault("/nowhere/routes.json") == "/nowhere/routes.json: the file cannot be read: no such file")
    #expect(loadFault(Self.root) == "\(Self.root): the file cannot be read: is a directory")
    #expect(
      loadFault("/dev/null") == "/dev/null:1: invalid JSON at column 1: expected a value, found the end of the file")
  }

  @Test("fault row 60: reading stops one byte past 1 MiB, even of an endless file")
  func endless() {
    #expect(loadFault("/dev/zero") == "/dev/zero: the file cannot be read: larger than 1048576 bytes")
  }

  @Test("A file of exactly the limit is read, one of a byte more is not")
  func bound() throws {
    let size = try SystemFile.read(#filePath, limitBytes: 1_000_000).count
    #expect(try SystemFile.read(#filePath, limitBytes: size).count == size)
    #expect(throws: FileFault.tooLarge(limitBytes: size - 1)) {
      try SystemFile.read(#filePath, limitBytes: size - 1)
    }
  }

  @Test("fault row 60: 1 MiB is taken, one byte more is refused")
  func largest() {
    let small = Array(smallFile().utf8)
    let padded = small + [UInt8](repeating: 0x20, count: RouteTable.largestFileBytes - small.count)
    #expect(faultLines(padded).isEmpty)
    #expect(faultLines(padded + [0x20]) == ["routes.json: the file cannot be read: larger than 1048576 bytes"])
  }

  @Test("Relative paths start from the folder of the file")
  func relativePaths() throws {
    let sources = SecretSources(
      environment: { _ in nil },
      file: { (path, _) throws(FileFault) in
        switch path {
        case "conf/routes.json": return Array(smallFile().replacing("env:K", with: "file:secrets/key").utf8)
        case "conf/secrets/key": return Array(plantedSecret.utf8)
        default: throw .notFound
        }
      })
    let table = try RouteTable.load(path: "conf/routes.json", sources: sources)
    #expect(table.providers["openai"]?.unavailability == nil)
  }

  private func loadFault(_ path: String) -> String {
    do {
      _ = try RouteTable.load(path: path)
      return ""
    } catch {
      return error.description
    }
  }
}
