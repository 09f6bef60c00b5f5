import Testing

@testable import Routing

private func provider(_ members: String) -> String { smallFile(provider: "\"openai\": {\(members)}") }

private func url(_ url: String) -> String {
  provider(#""kind": "openai", "url": "\#(url)", "key": "env:K", "model": "m""#)
}

private func key(_ key: String) -> String {
  provider(#""kind": "openai", "url": "wss://h.example", "key": \#(key), "model": "m""#)
}

private func gemini(_ more: String) -> String {
  smallFile(
    provider: #""openai": {"kind": "gemini-live", "url": "wss://h.example", "key": "env:K", "model": "m"\#(more)}"#)
}

private let rootKeys = "listen, default, providers, routes, access, tokens, ledger, contact, limits"

private let wrongShapes: [WrongFile] = [
  WrongFile("an array", "[]", "routes.json:1: expected an object, found an array"),
  WrongFile(
    "an empty object", "\n{}", "routes.json:2: providers: missing required key",
    "routes.json:2: default: missing required key"),
  WrongFile(
    "no providers", #"{"default": "a",\#n "providers": {}}"#,
    #"routes.json:1: default: provider "a" is not declared; none is"#,
    "routes.json:2: providers: at least one provider is needed"),
  WrongFile(
    "an unknown key with a near one", smallFile(more: #", "route": []"#),
    #"routes.json:6: route: unknown key; did you mean "routes"?"#),
  WrongFile(
    "an unknown key with none near", smallFile(more: #", "colour": 1"#),
    "routes.json:6: colour: unknown key; known: \(rootKeys)"),
  WrongFile(
    "an unknown key that could forge lines", smallFile(more: #", "a\nroutes.json:1: b": 1"#),
    #"routes.json:6: ["a\u{a}routes.json:1: b"]: unknown key; known: \#(rootKeys)"#),
  WrongFile(
    "a swapped key of a provider", gemini(#", "ulr": "x""#),
    #"routes.json:4: providers.openai.ulr: unknown key; did you mean "url"?"#),
  WrongFile(
    "a duplicate key", smallFile(more: #", "default": "openai""#),
    "routes.json:6: default: the key is already given in line 2"),
  WrongFile(
    "a duplicate provider", smallFile(more: #", "providers": 3"#),
    "routes.json:6: providers: the key is already given in line 3"),
  WrongFile(
    "an escaped duplicate", smallFile(more: #", "c\u006fntact": "a", "contact": "b""#),
    "routes.json:6: contact: the key is already given in line 6"),
  WrongFile(
    "wrong kinds everywhere",
    """
    {"listen": {}, "default": 1,
     "providers": {"a": []}, "routes": "x",
     "access": {"keys": true}, "contact": null, "limits": []}
    """,
    "routes.json:1: listen: expected an array, found an object",
    "routes.json:1: default: expected a string, found a number",
    "routes.json:2: providers.a: expected an object, found an array",
    "routes.json:2: routes: expected an array, found a string",
    "routes.json:3: access.keys: expected an array, found a boolean",
    "routes.json:3: contact: expected a string, found null",
    "routes.json:3: limits: expected an object, found an array"),
  WrongFile(
    "a default that is not declared", smallFile().replacing(#""default": "openai""#, with: #""default": "opnai""#),
    #"routes.json:2: default: provider "opnai" is not declared; did you mean "openai"?"#),
  WrongFile(
    "a contact with a line break", smallFile(more: #", "contact": "a\nb""#),
    "routes.json:6: contact: at most 500 bytes and no line breaks or control characters are allowed"),
]

private let wrongProviders: [WrongFile] = [
  WrongFile(
    "a local provider with an address and a key",
    provider(#""kind": "local", "url": "ws://127.0.0.1", "key": "env:OPENAI_API_KEY""#),
    "routes.json:4: providers.openai.url: not a setting of kind \"local\"",
    "routes.json:4: providers.openai.key: not a setting of kind \"local\""),
  WrongFile(
    "a provider without anything", provider(""),
    "routes.json:4: providers.openai.kind: missing required key",
    "routes.json:4: providers.openai.url: missing required key",
    "routes.json:4: providers.openai.model: missing required key"),
  WrongFile(
    "an unknown kind", gemini("").replacing("gemini-live", with: "gemini"),
    #"routes.json:4: providers.openai.kind: unknown provider kind "gemini"; known: local, openai, gemini-live, azure, xai, inworld, vowel"#
  ),
  WrongFile(
    "a near kind", gemini("").replacing("gemini-live", with: "gemini-life"),
    #"routes.json:4: providers.openai.kind: unknown provider kind "gemini-life"; did you mean "gemini-live"?"#),
  WrongFile(
    "a version for OpenAI", smallFile().replacing(#""model""#, with: #""apiVersion": "v1", "model""#),
    #"routes.json:4: providers.openai.apiVersion: not a setting of kind "openai""#),
  WrongFile(
    "a version with a slash", gemini(#", "apiVersion": "v1/../x""#),
    #"routes.json:4: providers.openai.apiVersion: expected a version such as "v1beta""#),
  WrongFile(
    "an http URL", url("https://h.example"),
    "routes.json:4: providers.openai.url: bad URL: it must begin with ws:// or wss://"),
  WrongFile(
    "no scheme", url("h.example"), "routes.json:4: providers.openai.url: bad URL: it must begin with ws:// or wss://"),
  WrongFile("no host", url("wss:///v1"), "routes.json:4: providers.openai.url: bad URL: it names no host"),
  WrongFile(
    "a user in the URL", url("wss://\(plantedSecret)@h.example"),
    "routes.json:4: providers.openai.url: bad URL: a user or password does not belong in it"),
  WrongFile(
    "a fragment", url("wss://h.example/#a"),
    "routes.json:4: providers.openai.url: bad URL: a fragment (#) is not allowed"),
  WrongFile(
    "a key in the query", url("wss://h.example/?key=\(plantedSecret)"),
    "routes.json:4: providers.openai.url: bad URL: a query (?) is not allowed"),
  WrongFile(
    "port 0", url("wss://h.example:0"), "routes.json:4: providers.openai.url: bad URL: the port must be 1 to 65535"),
  WrongFile(
    "port 65536", url("wss://h.example:65536"),
    "routes.json:4: providers.openai.url: bad URL: the port must be 1 to 65535"),
  WrongFile(
    "an address with a typing error", url("ws://127.0.0.256"),
    "routes.json:4: providers.openai.url: bad URL: the host is neither a name nor an IP address"),
  WrongFile(
    "IPv6 without brackets", url("ws://::1/v1"), "routes.json:4: providers.openai.url: bad URL: it names no host"),
  WrongFile(
    "dots in the path", url("wss://h.example/a/../b"),
    "routes.json:4: providers.openai.url: bad URL: the path has a character or a segment that is not allowed"),
  WrongFile(
    "a secret as a value", key("\"\(plantedSecret)\""),
    "routes.json:4: providers.openai.key: a secret must be a reference, env:NAME or file:PATH; "
      + "the value itself does not belong in this file"),
  WrongFile(
    "a value behind env:", key(#""env:sk-123""#),
    "routes.json:4: providers.openai.key: a secret must be a reference, env:NAME or file:PATH; "
      + "the value itself does not belong in this file"),
  WrongFile(
    "a number as key", key("12"), "routes.json:4: providers.openai.key: expected a string, found a number"),
  WrongFile(
    "no key for a remote provider", provider(#""kind": "openai", "url": "wss://h.example", "model": "m""#),
    "routes.json:4: providers.openai.key: missing required key; only a provider on a loopback address may do "
      + "without, not h.example"),
  WrongFile(
    "no CA file", gemini(#", "caFile": "nowhere.pem""#),
    "routes.json:4: providers.openai.caFile: the file cannot be read: no such file"),
  WrongFile(
    "a folder as CA file", gemini(#", "caFile": "folder""#),
    "routes.json:4: providers.openai.caFile: the file cannot be read: is a directory"),
  WrongFile(
    "a model with a space", gemini("").replacing(#""m""#, with: #""m m""#),
    "routes.json:4: providers.openai.model: expected the name of a model: 1 to 256 visible ASCII characters"),
  WrongFile(
    "a provider's name with a slash", smallFile(more: #", "x": 1"#).replacing(#""openai": {"#, with: #""a/b": {"#),
    #"routes.json:2: default: provider "openai" is not declared; known: a/b"#,
    #"routes.json:4: providers["a/b"]: bad name: 1 to 64 letters, digits, ".", "_" or "-" are allowed"#,
    "routes.json:6: x: unknown key; known: \(rootKeys)"),
  WrongFile(
    "a provider called models", smallFile().replacing(#""openai": {"#, with: #""models": {"#),
    #"routes.json:2: default: provider "openai" is not declared; known: models"#,
    #"routes.json:4: providers.models: bad name: "models" begins the names of Gemini's models"#),
]

private let wrongEdges: [WrongFile] = [
  WrongFile(
    "a public address without keys", smallFile(more: #", "listen": [{"host": "0.0.0.0", "port": 1}]"#),
    "routes.json:6: listen[0].host: 0.0.0.0 is not a loopback address, which needs at least one key in access.keys"),
  WrongFile(
    "a name without keys",
    smallFile(more: #", "access": {"keys": []}, "listen": [{"host": "localhost.example", "port": 1}]"#),
    "routes.json:6: listen[0].host: localhost.example is not a loopback address, which needs at least one key in "
      + "access.keys"),
  WrongFile("no address", smallFile(more: #", "listen": []"#), "routes.json:6: listen: at least one address is needed"),
  WrongFile(
    "host and port in one", smallFile(more: #", "listen": [{"host": "127.0.0.1:80"}]"#),
    "routes.json:6: listen[0].port: missing required key",
    "routes.json:6: listen[0].host: expected an IP address or a host name without port"),
  WrongFile(
    "port 65536", smallFile(more: #", "listen": [{"host": "::1", "port": 65536}]"#),
    "routes.json:6: listen[0].port: 65536 is out of range; allowed: 0 to 65535"),
  WrongFile(
    "an address twice", smallFile(more: #", "listen": [{"host": "::1", "port": 5},\#n{"host": "::1", "port": 5}]"#),
    "routes.json:7: listen[1]: this address is already given in line 6"),
  WrongFile("no route", smallFile(more: #", "routes": []"#), "routes.json:6: routes: at least one route is needed"),
  WrongFile(
    "a path without slash", smallFile(more: #", "routes": [{"path": "v1"}]"#),
    #"routes.json:6: routes[0].path: bad path: it must begin with "/""#),
  WrongFile(
    "a path with a query", smallFile(more: #", "routes": [{"path": "/v1?x"}]"#),
    "routes.json:6: routes[0].path: bad path: it has a character that is not allowed"),
  WrongFile(
    "a path with an empty segment", smallFile(more: #", "routes": [{"path": "/v1//x"}]"#),
    "routes.json:6: routes[0].path: bad path: it has an empty segment"),
  WrongFile(
    "a path twice, once with a slash", smallFile(more: #", "routes": [{"path": "/v1"},\#n{"path": "/v1/"}]"#),
    "routes.json:7: routes[1].path: this path is already given in line 6"),
  WrongFile(
    "a route to nowhere", smallFile(more: #", "routes": [{"path": "/v1", "provider": "gemini"}]"#),
    #"routes.json:6: routes[0].provider: provider "gemini" is not declared; known: openai"#),
  WrongFile(
    "a name of keys twice",
    smallFile(more: #", "access": {"keys": [{"name": "a", "key": "env:K"},\#n{"name": "a", "key": "env:K2"}]}"#),
    "routes.json:7: access.keys[1].name: this name is already given in line 6"),
  WrongFile(
    "absent access keys",
    smallFile(
      more: #"""
        , "listen": [{"host": "0.0.0.0", "port": 1}], "access": {"keys": [
        {"name": "a", "key": "env:NONE"},
        {"name": "b", "key": "env:EMPTY"},
        {"name": "c", "key": "file:closed"},
        {"name": "d", "key": "file:empty"},
        {"name": "e", "key": "env:SPACED"},
        {"name": "f", "key": "file:long"}]}
        """#),
    "routes.json:7: access.keys[0].key: environment variable NONE is not set",
    "routes.json:8: access.keys[1].key: environment variable EMPTY is empty",
    "routes.json:9: access.keys[2].key: /conf/closed: permission denied",
    "routes.json:10: access.keys[3].key: /conf/empty is empty",
    "routes.json:11: access.keys[4].key: env:SPACED holds a character other than visible ASCII, or more than 8192 bytes",
    "routes.json:12: access.keys[5].key: file:long holds more than 512 bytes"),
  WrongFile(
    "a bare key among the access keys", smallFile(more: #", "access": {"keys": ["\#(plantedSecret)"]}"#),
    "routes.json:6: access.keys[0]: expected an object, found a string"),
  WrongFile(
    "a limit with a near name", smallFile(more: #", "limits": {"maxMesageBytes": 1}"#),
    #"routes.json:6: limits.maxMesageBytes: unknown key; did you mean "maxMessageBytes"?"#),
  WrongFile(
    "a limit with a fraction of a byte", smallFile(more: #", "limits": {"heldBytes": 1.5}"#),
    "routes.json:6: limits.heldBytes: expected a whole number, found 1.5"),
  WrongFile(
    "a limit in quotes", smallFile(more: #", "limits": {"heldBytes": "1"}"#),
    "routes.json:6: limits.heldBytes: expected a number, found a string"),
  WrongFile(
    "infinity", smallFile(more: #", "limits": {"pongTimeoutSeconds": 1e999}"#),
    "routes.json:6: limits.pongTimeoutSeconds: 1e999 is out of range; allowed: 0.01 to 86400 seconds"),
  WrongFile(
    "a negative limit", smallFile(more: #", "limits": {"dialGraceMilliseconds": -1}"#),
    "routes.json:6: limits.dialGraceMilliseconds: -1 is out of range; allowed: 0 to 60000 milliseconds"),
  WrongFile(
    "low water at high water", smallFile(more: #", "limits": {"writeLowWaterBytes": 262144}"#),
    "routes.json:6: limits.writeLowWaterBytes: 262144 is out of range; allowed: below writeHighWaterBytes (262144)"),
  WrongFile(
    "high water at low water", smallFile(more: #", "limits": {"writeHighWaterBytes": 65536}"#),
    "routes.json:6: limits.writeHighWaterBytes: 65536 is out of range; allowed: above writeLowWaterBytes (65536)"),
]

@Suite("Files that say something wrong")
struct WrongFileTests {
  @Test(
    "fault row 60: every fault is printed with path and line, and the near name",
    arguments: wrongShapes + wrongProviders + wrongEdges)
  func wrongFileIsRefused(_ file: WrongFile) {
    #expect(faultLines(file.text) == file.lines)
    #expect(!file.lines.joined().contains(plantedSecret))
  }

  @Test("fault row 60: faults of all sections are printed in one run, in the order of the file")
  func allAtOnce() {
    let text = """
      {
        "listen": [{"host": "0.0.0.0", "port": 70000}],
        "default": "gemni",
        "providers": {
          "gemini": {
            "kind": "gemini-live",
            "ulr": "wss://h.example",
            "key": "\(plantedSecret)"
          }
        },
        "routes": [{"path": "v1"}],
        "limits": {"heldBytes": -1}
      }
      """
    #expect(
      faultLines(text) == [
        "routes.json:2: listen[0].host: 0.0.0.0 is not a loopback address, which needs at least one key in access.keys",
        "routes.json:2: listen[0].port: 70000 is out of range; allowed: 0 to 65535",
        #"routes.json:3: default: provider "gemni" is not declared; did you mean "gemini"?"#,
        "routes.json:5: providers.gemini.model: missing required key",
        #"routes.json:7: providers.gemini.ulr: unknown key; did you mean "url"?"#,
        "routes.json:8: providers.gemini.key: a secret must be a reference, env:NAME or file:PATH; "
          + "the value itself does not belong in this file",
        #"routes.json:11: routes[0].path: bad path: it must begin with "/""#,
        "routes.json:12: limits.heldBytes: -1 is out of range; allowed: 0 to 1073741824 bytes",
      ])
  }
}
