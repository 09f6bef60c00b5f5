import Routing
import Testing

@Suite("Networks as CIDR writes them")
struct IPNetworkTests {
  @Test(
    "what a network contains",
    arguments: [
      ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.0/8", "::ffff:10.1.2.3", true),
      ("192.0.2.128/25", "192.0.2.127", false), ("192.0.2.128/25", "192.0.2.128", true),
      ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("192.0.2.1/32", "192.0.2.1", true),
      ("0.0.0.0/0", "255.1.2.3", true), ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "2001:db8::1", true),
      ("::/0", "1.2.3.4", false), ("::ffff:10.0.0.0/104", "10.9.9.9", true), ("::ffff:10.0.0.1", "10.0.0.1", true),
      ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
    ])
  func contains(network: String, address: String, isInside: Bool) throws {
    let network = try #require(IPNetwork(network))
    #expect(network.contains(try #require(IPAddress(address))) == isInside)
  }

  @Test(
    "what is none",
    arguments: [
      "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.0/ 8", "10/8",
      "10.0.0.1/8", "2001:db8::/129", "2001:db8::1/64", "[2001:db8::]/64", "proxy.example",
      "10.0.0.0/99999999999999999999",
    ])
  func none(text: String) {
    #expect(IPNetwork(text) == nil)
  }

  @Test("an address is written as it is read", arguments: ["192.0.2.1", "2001:db8::1", "::1", "::", "::ffff:10.0.0.1"])
  func written(text: String) {
    #expect(IPAddress(text)?.description == text)
  }
}
