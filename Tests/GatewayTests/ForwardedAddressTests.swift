import Routing
import Testing

@testable import Gateway

@Suite("What reverse proxies say of a client")
struct ForwardedAddressTests {
  @Test("R115: the forwarded address counts only from the operator's own proxies")
  func forwarded() throws {
    let proxies = ["10.0.0.1", "10.0.0.2"].compactMap { IPNetwork($0) }
    func client(_ peer: String?, _ forwarded: [String]) -> IPAddress? {
      ForwardedAddress(of: peer, forwarded: forwarded, proxies: proxies)?.address
    }
    #expect(client(nil, ["1.2.3.4"]) == nil)
    #expect(client("9.9.9.9", ["1.2.3.4"]) == IPAddress("9.9.9.9"))
    #expect(client("10.0.0.1", []) == IPAddress("10.0.0.1"))
    #expect(client("10.0.0.1", ["1.2.3.4"]) == IPAddress("1.2.3.4"))
    #expect(client("::ffff:10.0.0.1", ["1.2.3.4"]) == IPAddress("1.2.3.4"))
    // The first is what the client wrote itself.
    #expect(client("10.0.0.1", ["6.6.6.6", "1.2.3.4", "10.0.0.2"]) == IPAddress("1.2.3.4"))
    #expect(client("10.0.0.1", ["6.6.6.6", "unknown"]) == IPAddress("10.0.0.1"))
    // As some proxies write it.
    #expect(client("10.0.0.1", ["1.2.3.4:51234"]) == IPAddress("1.2.3.4"))
    #expect(client("10.0.0.1", ["\"[2001:db8::1]:443\""]) == IPAddress("2001:db8::1"))
    #expect(client("10.0.0.1", ["2001:db8::1"]) == IPAddress("2001:db8::1"))
  }

  @Test("a client behind a proxy is on this machine only if the proxy says so with an address")
  func forwardedLoopback() throws {
    let proxies = ["127.0.0.1"].compactMap { IPNetwork($0) }
    func isLoopback(_ peer: String?, _ forwarded: [String]) -> Bool? {
      ForwardedAddress(of: peer, forwarded: forwarded, proxies: proxies)?.isLoopback
    }
    #expect(isLoopback(nil, []) == nil)
    #expect(isLoopback("127.0.0.1", []) == true)
    #expect(isLoopback("127.0.0.1", ["127.0.0.1"]) == true)
    #expect(isLoopback("127.0.0.1", ["::1"]) == true)
    #expect(isLoopback("::1", ["1.2.3.4"]) == true, "not one of the proxies")
    for member in ["1.2.3.4", "1.2.3.4:80", "unknown", "_hidden", "", "127.0.0.1.evil.example", "[::1"] {
      #expect(isLoopback("127.0.0.1", [member]) == false, "\(member)")
    }
    #expect(isLoopback("9.9.9.9", ["127.0.0.1"]) == false)
  }

  @Test("R115: a network of proxies, and how many of them a request came through")
  func networks() throws {
    let proxies = ["10.0.0.0/8", "2001:db8:1::/48"].compactMap { IPNetwork($0) }
    func client(_ peer: String, _ forwarded: [String]) -> ForwardedAddress? {
      ForwardedAddress(of: peer, forwarded: forwarded, proxies: proxies)
    }
    for (peer, forwarded, address, hops) in [
      ("10.200.3.4", ["6.6.6.6", "1.2.3.4"], "1.2.3.4", 1), ("11.0.0.1", ["1.2.3.4"], "11.0.0.1", 0),
      ("::ffff:10.1.1.1", ["1.2.3.4", "10.9.9.9"], "1.2.3.4", 2), ("10.1.1.1", [], "10.1.1.1", 1),
      ("2001:db8:1:2::3", ["1.2.3.4"], "1.2.3.4", 1), ("2001:db8:2::3", ["1.2.3.4"], "2001:db8:2::3", 0),
      ("10.1.1.1", ["nobody"], "10.1.1.1", 1),
    ] {
      let found = try #require(client(peer, forwarded))
      #expect(found.address == IPAddress(address) && found.hops == hops, "\(peer) \(forwarded)")
    }
  }

  @Test("R115: the scheme and the host that a client has used count as far as the operator's proxies tell them")
  func places() {
    #expect(ForwardedPlace(hops: 0, schemes: ["https"], hosts: ["evil.example"]) == ForwardedPlace())
    let usual = ForwardedPlace(hops: 1, schemes: ["https"], hosts: ["voice.example:8443"])
    #expect(usual.isSecure == true && usual.host == "voice.example:8443")
    // The first is what the client wrote itself.
    let appended = ForwardedPlace(hops: 1, schemes: ["https", "http"], hosts: ["evil.example", "voice.example"])
    #expect(appended.isSecure == false && appended.host == "voice.example")
    let chain = ForwardedPlace(hops: 2, schemes: ["ftp", "wss", "http"], hosts: ["a.example", "b.example"])
    #expect(chain.isSecure == false && chain.host == "b.example")
    for host in ["[2001:db8::1]", "[2001:db8::1]:443", "192.0.2.1", "localhost:1"] {
      #expect(ForwardedPlace(hops: 1, hosts: [host]).host == host)
    }
    for host in [
      "", "voice.example/path", "user@voice.example", "2001:db8::1", "[voice.example]", "voice.example:", "a b:80",
      "voice.example:0", "voice.example:65536", "voice.example:8x", "[2001:db8::1", "a\r\nb",
    ] {
      #expect(ForwardedPlace(hops: 1, hosts: [host]).host == nil, "\(host)")
    }
    for scheme in ["ftp", "", "javascript"] { #expect(ForwardedPlace(hops: 1, schemes: [scheme]).isSecure == nil) }
  }
}
