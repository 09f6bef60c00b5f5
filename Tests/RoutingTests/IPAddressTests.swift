import Testing

@testable import Routing

@Suite("Addresses and where they lead") struct IPAddressTests {
  @Test(
    "fault row 61: an address leads where its range says, and an IPv6 address where the IPv4 address in it says",
    arguments: [
      ("8.8.8.8", IPAddress.Realm.global), ("172.15.255.255", .global), ("172.32.0.0", .global),
      ("100.63.255.255", .global), ("100.128.0.0", .global), ("169.253.255.255", .global), ("11.0.0.0", .global),
      ("223.255.255.255", .global), ("2606:4700::1111", .global), ("fec0::1", .privateNetwork),
      ("127.0.0.1", .loopback), ("127.255.255.255", .loopback), ("::1", .loopback),
      ("10.0.0.1", .privateNetwork), ("172.16.0.0", .privateNetwork), ("172.31.255.255", .privateNetwork),
      ("192.168.0.1", .privateNetwork), ("100.64.0.0", .privateNetwork), ("100.127.255.255", .privateNetwork),
      ("198.18.0.1", .privateNetwork), ("198.19.255.255", .privateNetwork), ("198.20.0.0", .global),
      ("fc00::1", .privateNetwork), ("fdff::1", .privateNetwork), ("fbff::1", .global),
      ("169.254.0.1", .linkLocal), ("169.254.169.254", .linkLocal), ("fe80::1", .linkLocal), ("febf::1", .linkLocal),
      ("fd00:ec2::254", .linkLocal), ("100.100.100.200", .linkLocal), ("168.63.129.16", .linkLocal),
      ("0.0.0.0", .none), ("0.1.2.3", .none), ("::", .none), ("224.0.0.1", .none), ("239.255.255.255", .none),
      ("240.0.0.1", .none), ("255.255.255.255", .none), ("ff02::1", .none),
      // The same in IPv6: mapped, compatible, NAT64 (and a network's own prefix for it), 6to4, Teredo.
      ("::ffff:127.0.0.1", .loopback), ("::ffff:10.0.0.1", .privateNetwork), ("::ffff:169.254.169.254", .linkLocal),
      ("::ffff:0.0.0.0", .none), ("::ffff:8.8.8.8", .global), ("::127.0.0.1", .loopback), ("::8.8.8.8", .global),
      ("64:ff9b::7f00:1", .loopback), ("64:ff9b::a9fe:a9fe", .linkLocal), ("64:ff9b::808:808", .global),
      ("64:ff9b:1::1", .privateNetwork), ("2002:7f00:1::", .loopback), ("2002:c0a8:101::1", .privateNetwork),
      ("2002:808:808::", .global), ("2001:0:808:808::80ff:fffe", .loopback),
      ("2001:0:808:808::f7f7:f7f7", .global),
    ])
  func realm(_ text: String, _ realm: IPAddress.Realm) throws {
    #expect(try #require(IPAddress(text)).realm == realm)
  }

  @Test("fault row 61: private addresses of a name have to be allowed; link-local ones and none at all cannot be")
  func rule() throws {
    func may(_ text: String, _ allowsPrivate: Bool) throws -> Bool {
      try #require(IPAddress(text)).mayBeDialled(allowsPrivate: allowsPrivate)
    }
    for text in ["8.8.8.8", "2606:4700::1111"] {
      #expect(try may(text, false))
      #expect(try may(text, true))
    }
    for text in ["127.0.0.1", "10.0.0.1", "fd00::1", "::ffff:192.168.0.1"] {
      #expect(try !may(text, false))
      #expect(try may(text, true))
    }
    for text in ["169.254.169.254", "fe80::1", "fd00:ec2::254", "0.0.0.0", "::", "224.0.0.1", "64:ff9b::a9fe:a9fe"] {
      #expect(try !may(text, false))
      #expect(try !may(text, true))
    }
  }

  @Test(
    "an address is what is written in full",
    arguments: ["", "127.1", "2130706433", "0x7f000001", "1.2.3.4.5", "1.2.3.256", "[::1]", "fe80::1%lo", "localhost"])
  func notWrittenInFull(_ text: String) {
    #expect(IPAddress(text) == nil)
  }

  @Test("four bytes or sixteen")
  func bytes() {
    #expect(IPAddress(bytes: [127, 0, 0, 1]) == IPAddress("127.0.0.1"))
    #expect(IPAddress(bytes: [UInt8](repeating: 0, count: 15) + [1]) == IPAddress("::1"))
    #expect(IPAddress(bytes: []) == nil)
    #expect(IPAddress(bytes: [1, 2, 3, 4, 5]) == nil)
  }

  @Test("only the kinds of loopback that need no table open a server without keys")
  func loopback() {
    for host in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost", "LocalHost"] {
      #expect(NetworkAddress.isLoopback(host), "\(host)")
    }
    for host in ["64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "128.0.0.1", "localhost.example", "7f00::1"] {
      #expect(!NetworkAddress.isLoopback(host), "\(host)")
    }
  }
}
