import Envelope
import SessionCore
import Testing

@testable import Routing

/// A file with one of everything that a patch may change.
private let file = """
  {
    "listen": [{"host": "127.0.0.1", "port": 8787}],
    "default": "openai",
    "providers": {
      "openai": {"kind": "openai", "url": "wss://h.example/v1", "key": "env:K", "model": "m"},
      "gemini": {"kind": "gemini-live", "key": "env:K", "model": "gemini-3.8-live", "aliases": {"a": "b"}},
      "inworld": {"kind": "inworld", "key": "file:key", "maxSessions": 7},
      "local": {"kind": "local"}
    },
    "routes": [{"path": "/v1/realtime"}, {"path": "/api/v1/inference/realtime", "provider": "inworld"}],
    "access": {
      "keys": [{"name": "app", "key": "env:K"}, {"name": "site", "keyHash": "sha256:\(String(repeating: "ab", count: 32))"}],
      "proxies": ["127.0.0.1"]
    },
    "ledger": {"sqlite": "usage.sqlite"},
    "limits": {"maxSessions": 5}
  }
  """

private func merged(
  _ patch: JSONObject, environment: [String: String] = [:], file text: String = file
) throws(RouteFaults) -> RouteTable {
  var sources = testSources
  sources.environment = { name in environment[name] ?? testSources.environment(name) }
  return try RouteTable.decode(
    Array(text.utf8), merging: patch, file: "routes.json", directory: "/conf/", sources: sources)
}

private func faults(_ patch: JSONObject, environment: [String: String] = [:]) -> [String] {
  do {
    _ = try merged(patch, environment: environment)
    return []
  } catch {
    return error.faults.map(\.description)
  }
}

@Suite("The layers above the file")
struct MergedTableTests {
  @Test("a patch changes what it names and nothing else (RFC 7396)")
  func changes() throws {
    let table = try merged([
      "default": "gemini", "contact": "desk@example.com",
      "providers": [
        "openai": ["model": "m2"], "gemini": ["aliases": ["a": nil, "c": "d"], "strict": true], "inworld": nil,
        "second": ["kind": "openai", "url": "ws://127.0.0.1:9/v1", "model": "x"],
      ],
      "routes": [["path": "/v1/realtime"]], "limits": ["maxSessions": nil, "drainGraceSeconds": 5],
    ])
    #expect(table.defaultProvider == "gemini" && table.contact == "desk@example.com")
    #expect(table.providerNames == ["openai", "gemini", "local", "second"])
    #expect(table.providers["openai"]?.remote?.model == "m2")
    #expect(table.providers["openai"]?.remote?.endpoint.host == "h.example")
    var aliases: [String: String]?
    if case .geminiLive(let settings)? = table.providers["gemini"]?.kind { aliases = settings.aliases }
    #expect(aliases == ["c": "d"])
    #expect(table.routes.map(\.provider) == ["gemini"])
    #expect(table.limits.maxSessions == nil && table.limits.drainGrace == .seconds(5))
    #expect(table.accessKeys.map(\.name) == ["app", "site"])
  }

  @Test("an empty patch changes nothing")
  func nothing() throws {
    let plain = try decode(file)
    #expect(try merged([:]).maskedJSON == plain.maskedJSON)
    #expect(try merged(["contact": nil]).maskedJSON == plain.maskedJSON)
  }

  @Test("Q6: the runtime configuration comes before the environment, and that before the file")
  func order() throws {
    let environment = ["PARLEY_DEFAULT_PROVIDER": "gemini", "PARLEY_CONTACT": "the desk"]
    let table = try merged([:], environment: environment)
    #expect(table.defaultProvider == "gemini" && table.contact == "the desk")
    #expect(table.routes[0].provider == "gemini")
    #expect(try merged(["default": "local"], environment: environment).defaultProvider == "local")
    #expect(try merged([:], environment: ["PARLEY_DEFAULT_PROVIDER": ""]).defaultProvider == "openai")
    #expect(
      faults([:], environment: ["PARLEY_DEFAULT_PROVIDER": "gemnii"])
        == [#"PARLEY_DEFAULT_PROVIDER: default: provider "gemnii" is not declared; did you mean "gemini"?"#])
  }

  @Test(
    "fault row 60: a wrong patch is refused with the path of every fault",
    arguments: [
      (["default": "gemnii"], [#"gateway.default: provider "gemnii" is not declared; did you mean "gemini"?"#]),
      (["limits": ["maxSesions": 3]], [#"gateway.limits.maxSesions: unknown key; did you mean "maxSessions"?"#]),
      (
        ["limits": ["maxSessions": 0, "headerField": 1]],
        [
          "gateway.limits.headerField: unknown key; did you mean \"headerFields\"?",
          "gateway.limits.maxSessions: 0 is out of range; allowed: 1 to 1000000",
        ]
      ),
      (
        ["providers": ["new": ["kind": "openai"]]],
        [
          "gateway.providers.new.url: missing required key", "gateway.providers.new.model: missing required key",
        ]
      ),
      (
        ["providers": ["openai": ["key": "sk-planted-7e57ab1e"]]],
        [
          "gateway.providers.openai.key: a secret must be a reference, env:NAME or file:PATH; the value itself does not "
            + "belong in this file"
        ]
      ),
      (["limits": ["maxSesions": nil]], [#"gateway.limits.maxSesions: unknown key; did you mean "maxSessions"?"#]),
      (["limit": nil], [#"gateway.limit: unknown key; did you mean "limits"?"#]),
      (["limits": 3], ["gateway.limits: expected an object, found a number"]),
      (["routes": []], ["gateway.routes: at least one route is needed"]),
      (["routes": [["path": "/a"], ["path": "/a/"]]], ["gateway.routes[1].path: this path is already given"]),
      (["listen": []], ["gateway.listen: it takes effect when the process starts: it belongs into the file"]),
      (["ledger": "none"], ["gateway.ledger: it takes effect when the process starts: it belongs into the file"]),
      (["ledger": nil], ["gateway.ledger: it takes effect when the process starts: it belongs into the file"]),
    ] as [(JSONObject, [String])])
  func wrong(patch: JSONObject, lines: [String]) {
    #expect(Set(faults(patch)) == Set(lines.map { "runtime configuration: " + $0 }))
  }

  @Test("null takes away what is there, in the table of models too")
  func removed() throws {
    let cells: JSONObject = ["providers": ["gemini": ["models": ["gemini-4": ["cue": ["userTurn": "."]]]]]]
    #expect(try merged(cells).providers["gemini"] != nil)
    var file = try decode(file).maskedJSON
    file["providers"] = try merged(cells).maskedJSON["providers"]
    file["access"] = nil
    let text = JSONValue.object(file).text
    let table = try merged(
      ["providers": ["gemini": ["models": ["gemini-4": ["cue": ["userTurn": nil, "realtimeText": "."]]]]]], file: text)
    #expect(
      table.maskedJSON["providers"]?["gemini"]?["models"]?["gemini-4"]?["cue"] == ["realtimeText": "."])
    #expect(
      try merged(["providers": ["gemini": ["models": nil]]], file: text).maskedJSON["providers"]?["gemini"]?["models"]
        == nil)
  }

  @Test("1,500 patches of any form end in faults or in a table, and show no secret")
  func anyPatch() throws {
    var random = SplitMix64(state: 60)
    let names =
      ConfigurationReference.tables.flatMap(\.rows).flatMap { $0[0].split(separator: "`") }
      .map(String.init).filter { $0.allSatisfy(\.isLetter) } + ["openai", "gemini", "inworld", "local", "gemini-4"]
    let words: [JSONValue] = [
      "env:K", "openai", "gemini", "/v1/realtime", "wss://h.example", "127.0.0.1", "both", "vertex",
      "file:key",
      "10.0.0.0/8", "admin", "none", "required", 0, 1, 0.5, 70_000, -1, true, false, nil, "",
    ]
    func value(_ depth: Int) -> JSONValue {
      switch random.next() % (depth > 3 ? 3 : 6) {
      case 0, 1, 2: return words[Int(random.next() % UInt64(words.count))]
      case 3: return .array((0..<random.next() % 3).map { _ in value(depth + 1) })
      default:
        var object = JSONObject()
        for _ in 0..<random.next() % 4 { object[names[Int(random.next() % UInt64(names.count))]] = value(depth + 1) }
        return .object(object)
      }
    }
    var good = 0
    for _ in 0..<1_500 {
      var patch = JSONObject()
      for _ in 0..<1 + random.next() % 2 {
        patch[ConfigurationReference.top.names[Int(random.next() % 9)]] = value(1)
      }
      do throws(RouteFaults) {
        let table = try merged(patch)
        let shown = JSONValue.object(table.maskedJSON).text + RedactedDump(table).description
        if shown.contains(plantedSecret) { Issue.record("\(JSONValue.object(patch).text)") }
        good += 1
      } catch {
        if error.faults.isEmpty || error.description.contains(plantedSecret) {
          Issue.record("\(JSONValue.object(patch).text): \(error)")
        }
      }
    }
    #expect(good > 20 && good < 1_480)
  }

  @Test("what the file says and a patch makes wrong is told where it stands in the file")
  func wrongInTheFile() {
    #expect(
      faults(["providers": ["openai": nil]])
        == [#"routes.json:3: default: provider "openai" is not declared; known: gemini, inworld, local"#])
    #expect(faults(["default": nil]) == ["routes.json:1: default: missing required key"])
  }

  @Test("a patch without an end is refused")
  func deep() {
    var patch = JSONValue.object([:])
    for _ in 0..<100 { patch = ["a": patch] }
    #expect(faults(["access": patch]) == ["runtime configuration: gateway: more than 32 levels"])
  }

  @Test("the table in force is shown with its defaults and without secrets, and means the same again")
  func shown() throws {
    let table = try merged(["default": "local"])
    let shown = table.maskedJSON
    #expect(!JSONValue.object(shown).text.contains(plantedSecret))
    #expect(!JSONValue.object(shown).text.contains("abab"))
    #expect(shown["default"] == "local")
    #expect(shown["providers"]?["openai"]?["key"] == "env:K")
    #expect(shown["providers"]?["gemini"]?["url"] == "wss://generativelanguage.googleapis.com:443")
    #expect(shown["providers"]?["inworld"]?["maxSessions"] == 7)
    #expect(shown["providers"]?["inworld"]?["maxFramesPerSecond"] == 1_000)
    #expect(shown["routes"]?[1]?["deltaField"] == "both")
    #expect(shown["access"]?["keys"]?[1]?["keyHash"] == "********")
    #expect(shown["limits"]?["maxSessions"] == 5 && shown["limits"]?["drainGraceSeconds"] == 30)
    #expect(shown["tokens"]?["longestSeconds"] == 7_200)

    let again = try merged([
      "access": ["keys": [["name": "app", "key": "env:K"]]]
    ])
    let text = JSONValue.object(again.maskedJSON).text
    #expect(try decode(text).maskedJSON == again.maskedJSON)
  }
}
