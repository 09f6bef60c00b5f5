import Envelope
import Testing
import Translation

@testable import Routing

/// An environment of the variables that need not be named in a file.
func sources(_ environment: [String: String] = [:], _ files: [String: String] = [:]) -> SecretSources {
  SecretSources(
    environment: { environment[$0] ?? testSources.environment($0) },
    file: { (path, limit) throws(FileFault) in
      if let text = files[path] { return Array(text.utf8) }
      return try testSources.file(path, limit)
    })
}

/// The table of a small file with more sections.
func fileTable(
  _ more: String, _ environment: [String: String] = [:], _ files: [String: String] = [:]
) throws -> RouteTable {
  try RouteTable.decode(
    Array(smallFile(more: ", " + more).utf8), file: "routes.json", directory: "/conf/",
    sources: sources(environment, files))
}

/// The printed faults of a small file with more sections.
func fileFaults(_ more: String, _ environment: [String: String] = [:], _ files: [String: String] = [:]) -> [String] {
  do {
    _ = try fileTable(more, environment, files)
    return []
  } catch let faults as RouteFaults {
    return faults.description.split(separator: "\n").map(String.init)
  } catch {
    return ["\(error)"]
  }
}

private let digest = String(repeating: "0123456789abcdef", count: 4)

@Suite("Who may connect, in the file")
struct AccessFileTests {
  @Test("a key has all that is said of it")
  func key() throws {
    let table = try fileTable(
      #"""
      "access": {
        "apps": [{"name": "shop", "providers": ["openai"], "models": ["gpt-*"], "dialect": "ga", "deltaField": "both",
                  "origins": ["https://shop.example"], "metadata": {"centre": 7}, "maxSessions": 100,
                  "maxConnectsPerSecond": 5, "maxEventsPerSecond": 6, "maxMinutesPerSession": 0.5,
                  "maxMinutesPerDay": 600.25}],
        "keys": [{"name": "app", "key": "env:K", "app": "shop", "expires": "2027-01-31T12:00:00+01:00",
                  "providers": ["open*"], "models": ["gpt-realtime"], "origins": ["https://*.shop.example", "*"],
                  "publishable": true, "metadata": {"a": [1, {"b": null}]}, "dialect": "beta", "maxSessions": 3,
                  "maxMinutesPerDay": 60},
                 {"name": "hashed", "keyHash": "sha256:\#(digest)", "expires": "2027-01-31"}],
        "origins": ["https://app.example"], "proxies": ["10.0.0.1"], "admin": "env:K2"}
      """#)
    let access = table.access
    let shop = try #require(access.apps.first)
    #expect(
      shop
        == App(
          name: "shop", providers: ["openai"], models: ["gpt-*"],
          limits: HolderLimits(
            maxSessions: 100, maxConnectsPerSecond: 5, maxEventsPerSecond: 6, maxMinutesPerSession: 0.5,
            maxMinutesPerDay: 600.25),
          preference: WirePreference(dialect: .fixed(.ga), deltaFields: .deltaAndAudio),
          origins: try #require(OriginPattern("https://shop.example").map { [$0] }), metadata: ["centre": 7]))
    let app = try #require(access.keys.first)
    #expect(app.name == "app" && app.app == "shop" && app.key.reveal() == plantedSecret && app.isPublishable)
    #expect(app.expiresAt == 1_801_393_200)
    #expect(app.providers == ["open*"] && app.models == ["gpt-realtime"])
    #expect(app.origins.map(\.description) == ["https://*.shop.example", "*"])
    #expect(app.metadata == ["a": [1, ["b": nil]]])
    #expect(app.preference == WirePreference(dialect: .fixed(.beta)))
    #expect(app.limits == HolderLimits(maxSessions: 3, maxMinutesPerDay: 60))
    let hashed = try #require(access.keys.last)
    guard case .digest(let bytes) = hashed.secret else {
      Issue.record("not a digest")
      return
    }
    #expect(bytes.count == 32 && bytes.prefix(3) == [0x01, 0x23, 0x45])
    #expect(hashed.expiresAt == 1_801_353_600 && hashed.app == "default" && !hashed.isPublishable)
    #expect(access.origins.map(\.description) == ["https://app.example"])
    #expect(access.proxies == ["10.0.0.1"] && access.admin?.reveal() == plantedSecret + "-2")
  }

  @Test("what is not said is not limited, and the operator's key comes from the environment where the file names none")
  func defaults() throws {
    let plain = try fileTable(#""access": {"keys": [{"name": "app", "key": "env:K"}]}"#).access
    let key = try #require(plain.keys.first)
    #expect(key.limits.isEmpty && key.providers == nil && key.models == nil && key.expiresAt == nil)
    #expect(key.app == "default" && key.origins.isEmpty && key.metadata.isEmpty)
    #expect(plain.admin == nil && plain.apps.isEmpty && plain.origins.isEmpty)
    #expect(try fileTable(#""access": {}"#, ["ENGINE_API_KEY": "op"]).access.admin?.reveal() == "op")
    #expect(try fileTable(#""contact": """#, ["ENGINE_API_KEY": "op"]).access.admin?.reveal() == "op")
    #expect(try fileTable(#""access": {}"#, ["ENGINE_API_KEY": ""]).access.admin == nil)
    #expect(
      try fileTable(#""access": {"admin": "env:K"}"#, ["ENGINE_API_KEY": "op"]).access.admin?.reveal() == plantedSecret)
    #expect(
      fileFaults(#""access": {}"#, ["ENGINE_API_KEY": "two words"]) == [
        "routes.json:1: access.admin: env:ENGINE_API_KEY holds a character other than visible ASCII, "
          + "or more than 8192 bytes"
      ])
  }

  @Test("R290: a listener serves what it says, and all where it says nothing")
  func services() throws {
    let table = try fileTable(
      #"""
      "listen": [{"host": "127.0.0.1", "port": 8787, "serves": ["sessions"]},
                 {"host": "127.0.0.1", "port": 8788, "serves": ["tokens", "admin"]}, {"host": "::1", "port": 0}]
      """#)
    #expect(table.listeners.map(\.serves) == [[.sessions], [.tokens, .admin], Listener.Service.all])
    // `--port` is for sessions: the others stay where they are.
    #expect(table.listening(onPort: 9000).listeners.map(\.port) == [9000, 9000, 8788])
    #expect(RouteTable.defaultListeners.allSatisfy { $0.serves == Listener.Service.all })
  }

  @Test("a route has pages of its own, and may pass keys on")
  func routes() throws {
    let routes = try fileTable(
      #""routes": [{"path": "/a", "origins": ["https://a.example"], "clientKeys": true}, {"path": "/b"}]"#
    ).routes
    #expect(routes[0].origins.map(\.description) == ["https://a.example"] && routes[0].passesClientKeys)
    #expect(routes[1].origins.isEmpty && !routes[1].passesClientKeys)
  }

  @Test("a provider has the limits of its account")
  func providerLimits() throws {
    func limits(_ more: String) throws -> AccountLimits? {
      try decode(
        smallFile(
          provider: #""openai": {"kind": "openai", "url": "wss://h.example", "key": "env:K", "model": "m"\#(more)}"#)
      ).providers["openai"]?.remote?.limits
    }
    #expect(try limits("") == AccountLimits())
    let all = try limits(
      #"""
      , "maxSessions": 2, "maxFramesPerSecond": 9, "maxConnectsPerSecond": 3, "maxMinutesPerSession": 1.5,
      "maxMinutesPerDay": 100
      """#)
    #expect(
      all
        == AccountLimits(
          maxSessions: 2, maxFramesPerSecond: 9, maxConnectsPerSecond: 3, maxMinutesPerSession: 1.5,
          maxMinutesPerDay: 100))
    #expect(
      all?.holder
        == HolderLimits(maxSessions: 2, maxConnectsPerSecond: 3, maxMinutesPerSession: 1.5, maxMinutesPerDay: 100))
  }

  @Test("a public address needs somebody who may come: a key, a secret of tokens, or the key for making keys")
  func publicListeners() {
    let listen = #""listen": [{"host": "0.0.0.0", "port": 1}]"#
    let long = String(repeating: "x", count: 32)
    #expect(fileFaults(listen).count == 1)
    #expect(fileFaults(listen, ["ENGINE_API_KEY": "op"]).isEmpty)
    #expect(fileFaults(listen, ["JWT_SECRET": long]).isEmpty)
    #expect(fileFaults(listen + #", "access": {"keys": [{"name": "a", "key": "env:K"}]}"#).isEmpty)
    #expect(fileFaults(listen + #", "access": {"admin": "env:K"}"#).isEmpty)
    #expect(fileFaults(listen + #", "tokens": {"secrets": [{"secret": "env:L"}]}"#, ["L": long]).isEmpty)
    #expect(fileFaults(listen + #", "access": {"origins": ["*"], "keys": []}"#).count == 1)
  }

  @Test(
    "fault row 60: wrong sections are refused with place and cause",
    arguments: [
      (#""access": {"key": []}"#, #"access.key: unknown key; did you mean "keys"?"#),
      (#""access": {"origins": ["https://a.example/"]}"#, "access.origins[0]: expected an origin such as"),
      (#""access": {"origins": "*"}"#, "access.origins: expected an array, found a string"),
      (#""access": {"apps": [{}]}"#, "access.apps[0].name: missing required key"),
      (
        #""access": {"apps": [{"name": "a"}, {"name": "a"}]}"#,
        "access.apps[1].name: this name is already given in line 6"
      ),
      (#""access": {"apps": [{"name": "a", "app": "b"}]}"#, "access.apps[0].app: unknown key"),
      (
        #""access": {"apps": [{"name": "a", "maxSessions": 0}]}"#,
        "maxSessions: 0 is out of range; allowed: 1 to 1000000"
      ),
      (#""access": {"apps": [{"name": "a", "maxSessions": 1.5}]}"#, "maxSessions: expected a whole number, found 1.5"),
      (#""access": {"apps": [{"name": "a", "maxMinutesPerDay": 0}]}"#, "0 is out of range; allowed: 0.01 to 1000000"),
      (#""access": {"apps": [{"name": "a", "maxConnectsPerSecond": 100001}]}"#, "allowed: 1 to 100000"),
      (
        #""access": {"apps": [{"name": "a", "providers": []}]}"#,
        "access.apps[0].providers: at least one name is needed"
      ),
      (#""access": {"apps": [{"name": "a", "providers": ["opena"]}]}"#, #"did you mean "openai"?"#),
      (#""access": {"apps": [{"name": "a", "providers": ["x*"]}]}"#, "providers[0]: provider \"x*\" is not declared"),
      (#""access": {"apps": [{"name": "a", "models": ["a*b"]}]}"#, "models[0]: expected a name, or the beginning"),
      (#""access": {"apps": [{"name": "a", "metadata": 1}]}"#, "metadata: expected an object, found a number"),
      (
        #""access": {"apps": [{"name": "a", "metadata": {"b": {"c": 1, "c": 2}}}]}"#,
        "metadata.b.c: the key is already given"
      ),
      (#""access": {"apps": [{"name": "a", "metadata": {"b": "\u0000"}}]}"#, "metadata.b: the character U+0000"),
      (#""access": {"keys": [{"name": "a"}]}"#, "access.keys[0].key: missing required key"),
      (#""access": {"keys": [{"name": "a", "key": "sk-bare"}]}"#, "a secret must be a reference"),
      (#""access": {"keys": [{"name": "a", "keyHash": "sha256:00"}]}"#, "keyHash: expected \"sha256:\" and 64"),
      (#""access": {"keys": [{"name": "a", "keyHash": "\#(digest)"}]}"#, "keyHash: expected \"sha256:\" and 64"),
      (
        #""access": {"keys": [{"name": "a", "key": "env:K", "keyHash": "sha256:\#(digest)"}]}"#,
        "there is a keyHash already"
      ),
      (#""access": {"keys": [{"name": "a", "key": "env:K", "app": "shop"}]}"#, #"app "shop" is not in access.apps"#),
      (
        #""access": {"apps": [{"name": "shop"}], "keys": [{"name": "a", "key": "env:K", "app": "shops"}]}"#,
        #"did you mean "shop"?"#
      ),
      (#""access": {"keys": [{"name": "a", "key": "env:K", "expires": "soon"}]}"#, "expires: expected a day or a time"),
      (#""access": {"keys": [{"name": "a", "key": "env:K", "publishable": 1}]}"#, "publishable: expected a boolean"),
      (#""access": {"admin": "env:NONE"}"#, "access.admin: environment variable NONE is not set"),
      (#""access": {"admin": "operator"}"#, "a secret must be a reference"),
      (#""listen": [{"host": "::1", "port": 1, "serves": []}]"#, "listen[0].serves: at least one service is needed"),
      (
        #""listen": [{"host": "::1", "port": 1, "serves": ["token"]}]"#,
        #"expected one of "sessions", "tokens", "admin""#
      ),
      (#""routes": [{"path": "/a", "clientKeys": "yes"}]"#, "clientKeys: expected a boolean, found a string"),
    ])
  func wrong(section: String, message: String) {
    let lines = fileFaults(section)
    #expect(lines.count == 1)
    #expect(lines.first?.hasPrefix("routes.json:6: ") == true)
    #expect(lines.first?.contains(message) == true)
    #expect(!lines.joined().contains(plantedSecret) && !lines.joined().contains("sk-bare"))
  }
}
