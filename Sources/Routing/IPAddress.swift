#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// An IP address.
public struct IPAddress: Sendable, Hashable {
  /// What an address leads to.
  public enum Realm: Sendable, Hashable {
    /// Any machine of the Internet.
    case global
    /// This machine.
    case loopback
    /// Networks of one's own: RFC 1918, RFC 4193, RFC 6598 (shared by the customers of a carrier), RFC 2544, site-local.
    case privateNetwork
    /// This link only, and where clouds keep the credentials of their machines.
    case linkLocal
    /// No single machine: unspecified, multicast, broadcast, reserved.
    case none
  }

  /// 4 or 16, in the order of the network.
  public let bytes: [UInt8]

  /// Nil unless there are 4 or 16.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 4 || bytes.count == 16 else { return nil }
    self.bytes = bytes
  }

  /// As it is written in full, without brackets: `192.0.2.1`, `2001:db8::1`. Nil for everything else, numbers with fewer
  /// dots among it.
  public init?(_ text: String) {
    var four = in_addr()
    var sixteen = in6_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      bytes = withUnsafeBytes(of: four) { Array($0) }
    } else if inet_pton(AF_INET6, text, &sixteen) == 1 {
      bytes = withUnsafeBytes(of: sixteen) { Array($0) }
    } else {
      return nil
    }
  }

  public var isIPv6: Bool { bytes.count == 16 }

  /// The IPv4 address that ::ffff:0:0/96 maps into IPv6, or the address itself.
  public var unmapped: IPAddress {
    isIPv6 && hasPrefix(Self.mapped, 96) ? embedded(at: 12) : self
  }

  /// What one subscriber of a network has at least: an IPv4 address, or 64 bits of IPv6 (RFC 6177), in which it may choose
  /// another address for each connection.
  public var subscriber: IPAddress {
    isIPv6 ? IPAddress(bytes: Array(bytes.prefix(8)) + [UInt8](repeating: 0, count: 8)) ?? self : self
  }

  /// Whether the first `count` bits are those of `prefix`, an address of the same family.
  public func hasPrefix(_ prefix: IPAddress, _ count: Int) -> Bool {
    bytes.count == prefix.bytes.count && hasPrefix(prefix.bytes, count)
  }

  private func hasPrefix(_ prefix: [UInt8], _ count: Int) -> Bool {
    let (whole, rest) = count.quotientAndRemainder(dividingBy: 8)
    guard bytes.prefix(whole).elementsEqual(prefix.prefix(whole)) else { return false }
    let mask = UInt8(truncatingIfNeeded: 0xFF00 >> rest)
    return rest == 0 || (bytes[whole] ^ prefix[whole]) & mask == 0
  }

  /// The first `count` bits, and zeros.
  fileprivate func cut(to count: Int) -> IPAddress? {
    IPAddress(
      bytes: bytes.enumerated().map { index, byte in
        byte & UInt8(truncatingIfNeeded: 0xFF00 >> min(8, max(0, count - index * 8)))
      })
  }

  private func embedded(at offset: Int) -> IPAddress {
    IPAddress(four: bytes[offset..<offset + 4])
  }

  private init(four: ArraySlice<UInt8>) {
    bytes = Array(four)
  }

  private static let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
}

extension IPAddress: CustomStringConvertible {
  /// As it is written in full, an IPv6 address in the short form of RFC 5952.
  public var description: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let family = isIPv6 ? AF_INET6 : AF_INET
    let isWritten = bytes.withUnsafeBytes { inet_ntop(family, $0.baseAddress, &text, socklen_t(text.count)) != nil }
    guard isWritten else { return "" }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// The addresses whose first bits are those of one, as CIDR writes it (RFC 4632): `10.0.0.0/8`; a single address is a
/// network, too.
public struct IPNetwork: Sendable, Hashable {
  private let prefix: IPAddress
  private let bits: Int

  /// Nil for what is neither an address nor a network, and where bits are set behind the prefix: `10.0.0.1/8` may mean
  /// one machine, or sixteen million.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = parts.first.flatMap({ IPAddress(String($0)) }) else { return nil }
    var count = address.bytes.count * 8
    if parts.count == 2 {
      guard parts[1].utf8.allSatisfy(\.isDigit), let number = Int(parts[1]), number <= count else { return nil }
      count = number
    }
    guard address == address.cut(to: count) else { return nil }
    // What IPv6 maps of IPv4 is compared as IPv4.
    let isMapped = address.unmapped != address && count >= 96
    prefix = isMapped ? address.unmapped : address
    bits = isMapped ? count - 96 : count
  }

  public func contains(_ address: IPAddress) -> Bool { address.unmapped.hasPrefix(prefix, bits) }
}

extension IPAddress {
  /// Where packets to it end. An IPv6 address that carries an IPv4 address leads where that leads.
  public var realm: Realm {
    isIPv6 ? realmOfIPv6 : realmOfIPv4
  }

  /// Whether a name may lead here (fault row 61).
  ///
  /// - Parameter allowsPrivate: to networks of one's own and to this machine; never to what is `linkLocal` or `none`.
  public func mayBeDialled(allowsPrivate: Bool) -> Bool {
    switch realm {
    case .global: true
    case .loopback, .privateNetwork: allowsPrivate
    case .linkLocal, .none: false
    }
  }

  private var realmOfIPv4: Realm {
    if Self.metadata.contains(bytes) { return .linkLocal }
    let ranges: [(prefix: [UInt8], bits: Int, realm: Realm)] = [
      ([127], 8, .loopback), ([10], 8, .privateNetwork), ([172, 16], 12, .privateNetwork),
      ([192, 168], 16, .privateNetwork), ([100, 64], 10, .privateNetwork), ([198, 18], 15, .privateNetwork),
      ([192, 0, 0], 24, .privateNetwork),
      ([169, 254], 16, .linkLocal), ([0], 8, .none), ([224], 4, .none), ([240], 4, .none),
    ]
    return ranges.first { hasPrefix($0.prefix, $0.bits) }?.realm ?? .global
  }

  private var realmOfIPv6: Realm {
    if Self.metadata.contains(bytes) { return .linkLocal }
    let zeros = [UInt8](repeating: 0, count: 16)
    if bytes == zeros { return .none }
    if bytes == zeros.dropLast() + [1] { return .loopback }
    if hasPrefix(Self.mapped, 96) { return embedded(at: 12).realm }
    let ranges: [(prefix: [UInt8], bits: Int, realm: Realm)] = [
      ([0xFC], 7, .privateNetwork), ([0xFE, 0xC0], 10, .privateNetwork), ([0xFE, 0x80], 10, .linkLocal),
      ([0xFF], 8, .none),
    ]
    if let range = ranges.first(where: { hasPrefix($0.prefix, $0.bits) }) { return range.realm }
    // IPv4-compatible (RFC 4291), 6to4 (RFC 3056), NAT64 (RFC 6052; RFC 8215 for one's own network).
    if hasPrefix(zeros, 96) { return embedded(at: 12).realm }
    if hasPrefix([0x20, 0x02], 16) { return embedded(at: 2).realm }
    if hasPrefix([0x00, 0x64, 0xFF, 0x9B] + zeros, 96) { return embedded(at: 12).realm }
    if hasPrefix([0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01], 48) { return .privateNetwork }
    // Teredo (RFC 4380): the machine behind the relay, with its bits inverted.
    if hasPrefix([0x20, 0x01, 0x00, 0x00], 32) { return IPAddress(four: bytes[12...].map { ~$0 }[...]).realm }
    return .global
  }

  /// Services of clouds that hand out a machine's credentials, outside of the link-local ranges: of Alibaba, of Azure's
  /// hosts, of Oracle, of Amazon, and of Google.
  private static let metadata: [[UInt8]] = [
    [100, 100, 100, 200], [168, 63, 129, 16],
    [192, 0, 0, 192], [0xFD, 0, 0, 0xC1, 0, 0, 0, 0, 0, 0, 0, 0, 0xA9, 0xFE, 0xA9, 0xFE],
    [0xFD, 0, 0x0E, 0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54],
    [0xFD, 0x20, 0, 0xCE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54],
  ]
}
