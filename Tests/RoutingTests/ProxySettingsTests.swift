import Testing
import Translation

@testable import Routing

@Suite("Proxies of the environment") struct ProxySettingsTests {
  /// `host:port` of the proxy for a connection; nil where it goes straight.
  private static func proxy(
    _ environment: [String: String], secure: Bool = true, _ host: String = "api.example.com", port: Int = 443
  ) throws -> String? {
    try ProxySettings(environment: environment).proxy(isSecure: secure, host: host, port: port)?.address
  }

  @Test("without variables, and with empty ones, connections go straight")
  func none() throws {
    #expect(try Self.proxy([:]) == nil)
    #expect(try Self.proxy(["HTTPS_PROXY": "", "https_proxy": "", "ALL_PROXY": "", "HTTP_PROXY": ""]) == nil)
    #expect(ProxySettings.none.proxy(isSecure: true, host: "h.example", port: 443) == nil)
  }

  @Test("wss goes by HTTPS_PROXY and ws by HTTP_PROXY, each by ALL_PROXY where its own is absent")
  func schemes() throws {
    let both = ["HTTPS_PROXY": "http://s.example:1", "HTTP_PROXY": "http://p.example:2"]
    #expect(try Self.proxy(both) == "s.example:1")
    #expect(try Self.proxy(both, secure: false) == "p.example:2")
    #expect(try Self.proxy(["HTTPS_PROXY": "http://s.example:1"], secure: false) == nil)
    #expect(try Self.proxy(["HTTP_PROXY": "http://p.example:2"]) == nil)
    let all = ["ALL_PROXY": "http://a.example:3", "HTTPS_PROXY": "http://s.example:1"]
    #expect(try Self.proxy(all) == "s.example:1")
    #expect(try Self.proxy(all, secure: false) == "a.example:3")
  }

  @Test("lower case comes first, for each variable")
  func lowerCase() throws {
    #expect(try Self.proxy(["HTTPS_PROXY": "upper:1", "https_proxy": "lower:2"]) == "lower:2")
    #expect(try Self.proxy(["HTTP_PROXY": "upper:1", "http_proxy": "lower:2"], secure: false) == "lower:2")
    #expect(try Self.proxy(["ALL_PROXY": "upper:1", "all_proxy": "lower:2"]) == "lower:2")
    let exceptions = ["https_proxy": "p:1", "no_proxy": "api.example.com", "NO_PROXY": "other.example"]
    #expect(try Self.proxy(exceptions) == nil)
    #expect(try Self.proxy(exceptions, "other.example") == "p:1")
  }

  @Test("in a web server's script HTTP_PROXY is a client's header and does not count")
  func script() throws {
    let environment = ["HTTP_PROXY": "evil:1", "REQUEST_METHOD": "GET"]
    #expect(try Self.proxy(environment, secure: false) == nil)
    #expect(try Self.proxy(environment.merging(["http_proxy": "good:2"]) { $1 }, secure: false) == "good:2")
  }

  @Test(
    "a proxy is written with or without scheme, port and slash",
    arguments: [
      ("http://p.example:3128", "p.example:3128"), ("http://p.example:3128/", "p.example:3128"),
      ("HTTP://p.example", "p.example:80"), ("p.example:8080", "p.example:8080"), ("p.example", "p.example:80"),
      ("http://10.0.0.1:3128", "10.0.0.1:3128"), ("http://[fd00::1]:3128", "[fd00::1]:3128"),
      ("http://[fd00::1]", "[fd00::1]:80"), ("http://localhost:1", "localhost:1"),
    ])
  func address(_ url: String, _ expected: String) throws {
    #expect(try Self.proxy(["HTTPS_PROXY": url]) == expected)
  }

  @Test(
    "user and password are percent-decoded, and show nowhere",
    arguments: [
      ("http://user:pass@p:1", "user:pass"), ("user:p%40ss%3Aword@p:1", "user:p@ss:word"), ("user@p:1", "user:"),
      ("http://user:@p:1", "user:"), ("http://u:a:b@p:1", "u:a:b"), ("http://u:a@b@p:1", "u:a@b"),
    ])
  func credentials(_ url: String, _ pair: String) throws {
    let settings = try ProxySettings(environment: ["ALL_PROXY": url])
    let proxy = try #require(settings.proxy(isSecure: true, host: "api.example.com", port: 443))
    #expect(proxy.credentials?.reveal() == pair)
    #expect(proxy.address == "p:1")
    var dumped = ""
    dump(settings, to: &dumped)
    for text in ["\(settings)", "\(proxy)", proxy.address, dumped] {
      #expect(!text.contains(pair), "\(text)")
    }
  }

  @Test(
    "what is no proxy is told by its variable, and never by its value",
    arguments: [
      ("socks5://p:1", ProxyFault.Cause.scheme), ("https://p:1", .scheme), ("://p:1", .scheme),
      ("http://", .host), ("http://:80", .host), ("http://u:s3cret@", .host), ("http://p example:1", .host),
      ("http://[::1", .host), ("http://p:0", .port), ("http://p:65536", .port), ("http://p:", .port),
      ("http://p:x", .port), ("http://p:+1", .port), ("http://u:s3cret%zz@p:1", .credentials),
      ("http://u%3A:s3cret@p:1", .credentials), ("http://u:s3cret%0D%0A@p:1", .credentials),
      ("http://u:s3cret@p:1/path", .path), ("http://p:1?q", .path),
    ])
  func fault(_ url: String, _ cause: ProxyFault.Cause) throws {
    let fault = try #require(throws: ProxyFault.self) { try ProxySettings(environment: ["HTTPS_PROXY": url]) }
    #expect(fault == ProxyFault(variable: "HTTPS_PROXY", cause: cause))
    #expect(fault.description.hasPrefix("HTTPS_PROXY: "))
    #expect(!fault.description.contains("s3cret"))
  }

  @Test("a proxy that nothing would go through is not looked at")
  func unusedFault() throws {
    let environment = ["ALL_PROXY": "socks5://p:1", "HTTPS_PROXY": "a:1", "HTTP_PROXY": "b:2"]
    #expect(try Self.proxy(environment) == "a:1")
  }

  @Test(
    "NO_PROXY: which hosts an entry covers",
    arguments: [
      ("*", "api.example.com", true), ("example.com", "example.com", true), ("example.com", "api.example.com", true),
      ("example.com", "notexample.com", false), ("example.com", "example.com.evil", false),
      (".example.com", "api.example.com", true), (".example.com", "example.com", false),
      ("*.example.com", "api.example.com", true), ("*.example.com", "example.com", false),
      ("EXAMPLE.com", "Api.Example.COM", true), ("example.com.", "api.example.com", true),
      ("example.com", "api.example.com.", true), ("a.test, example.com", "api.example.com", true),
      ("a.test example.com", "api.example.com", true), (",,", "api.example.com", false),
      ("example.com:443", "api.example.com", true), ("example.com:8443", "api.example.com", false),
      ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.10", false), ("192.0.2.1:443", "192.0.2.1", true),
      ("192.0.2.1:80", "192.0.2.1", false), ("192.0.2.1", "::ffff:192.0.2.1", true),
      ("192.0.2.0/24", "192.0.2.99", true), ("192.0.2.0/25", "192.0.2.128", false), ("0.0.0.0/0", "192.0.2.1", true),
      ("192.0.2.0/24", "api.example.com", false), ("192.0.2.0/33", "192.0.2.1", false),
      ("10.0.0.0/8", "2001:db8::1", false), ("2001:db8::/32", "2001:db8:9::1", true),
      ("2001:db8::/32", "2001:db9::1", false), ("2001:db8::1", "2001:0db8:0::1", true),
      ("[2001:db8::1]:443", "2001:db8::1", true), ("[2001:db8::1]:80", "2001:db8::1", false),
      ("[2001:db8::1]", "2001:db8::1", true),
    ])
  func exceptions(_ list: String, _ host: String, _ isCovered: Bool) throws {
    #expect((try Self.proxy(["HTTPS_PROXY": "p:1", "NO_PROXY": list], host) == nil) == isCovered)
  }

  @Test(
    "loopback goes straight, whatever the variables say", arguments: ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
  func loopback(_ host: String) throws {
    #expect(try Self.proxy(["ALL_PROXY": "p:1"], host) == nil)
    #expect(try Self.proxy(["ALL_PROXY": "p:1"], secure: false, host, port: 80) == nil)
  }
}
