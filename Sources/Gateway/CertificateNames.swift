import NIOSSL
import Routing

/// Whom a certificate is for (RFC 9525): a name is compared with its names, an address with its addresses, and nothing with
/// its subject.
///
/// The TLS library compares the address of the connection too: a certificate of that address, which anybody may have who
/// can answer for a name, would do for every name, and a proxy's would do for every provider.
enum CertificateNames {
  /// - Parameter host: as it stands in the configuration.
  static func areOf(_ host: String, in certificate: NIOSSLCertificate) -> Bool {
    let address = IPAddress(host)
    return certificate._subjectAlternativeNames().contains { name in
      switch name.nameType {
      case .ipAddress: address.map { $0.bytes.elementsEqual(name.contents) } ?? false
      case .dnsName: address == nil && covers(String(decoding: name.contents, as: UTF8.self), host)
      default: false
      }
    }
  }

  /// Whether a name of a certificate is the host's, or covers it with `*` in place of its first label.
  static func covers(_ name: String, _ host: String) -> Bool {
    let (name, host) = (plain(name), plain(host))
    guard !host.isEmpty else { return false }
    if name == host { return true }
    guard name.hasPrefix("*."), let dot = host.firstIndex(of: "."), dot > host.startIndex else { return false }
    let parent = name.dropFirst()
    // Not all names of a top-level domain.
    return parent.dropFirst().contains(".") && host[dot...] == parent
  }

  private static func plain(_ name: String) -> String {
    let name = name.lowercased()
    return name.hasSuffix(".") ? String(name.dropLast()) : name
  }
}
