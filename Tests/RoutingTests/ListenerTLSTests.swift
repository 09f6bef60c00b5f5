import Testing
import Translation

@testable import Routing

private func listeners(_ members: String) throws(RouteFaults) -> [Listener] {
  try decode(smallFile(more: #", "listen": [{"host": "127.0.0.1", "port": 8443\#(members)}]"#)).listeners
}

private func lines(_ members: String) -> [String] {
  faultLines(smallFile(more: #", "listen": [{"host": "127.0.0.1", "port": 8443\#(members)}]"#))
}

@Suite("TLS of a listener, in the file")
struct ListenerTLSTests {
  @Test("certificate and key are paths from the folder of the file")
  func paths() throws {
    let listener = try listeners(#", "tls": {"certificate": "ca.pem", "key": "file:key"}"#)[0]
    #expect(listener.tls == ListenerTLS(certificate: "/conf/ca.pem", key: .file("/conf/key")))
    #expect(listener.tls?.files == ["/conf/ca.pem", "/conf/key"])
    #expect(try listener.tls?.keyBytes(testSources).reveal() == Array((plantedSecret + "\n").utf8))
    #expect(try listener.tls?.certificateBytes(testSources) == Array("-----BEGIN CERTIFICATE-----".utf8))
    #expect(try listener.tls?.clientCABytes(testSources) == nil)
    #expect(try listeners("")[0].tls == nil)
  }

  @Test("clients may have to show certificates")
  func clients() throws {
    let required = try listeners(#", "tls": {"certificate": "ca.pem", "key": "env:K", "clientCA": "ca.pem"}"#)[0].tls
    #expect(required?.clientCA == "/conf/ca.pem" && required?.clientCertificate == .required)
    #expect(required?.files == ["/conf/ca.pem", "/conf/ca.pem"])
    let optional = try listeners(
      #", "tls": {"certificate": "ca.pem", "key": "env:K", "clientCA": "ca.pem", "clientCertificate": "optional"}"#)
    #expect(optional[0].tls?.clientCertificate == .optional)
  }

  @Test("the dump shows where certificate and key are, and nothing of the key")
  func dump() throws {
    let members = #""tls": {"certificate": "ca.pem", "key": "env:K", "clientCA": "ca.pem"}"#
    let table = try decode(
      smallFile(
        more: #", "listen": [{"host": "127.0.0.1", "port": 1, "serves": ["metrics"], \#(members)}]"#))
    let shown = RedactedDump(table).description
    #expect(
      shown.contains(
        "  127.0.0.1:1  serves metrics  tls /conf/ca.pem  key env:K  clientCA /conf/ca.pem required\n"))
    #expect(!shown.contains(plantedSecret) && shown.contains("  drainGraceSeconds 30\n"))
  }

  @Test("another port keeps the certificate")
  func port() throws {
    let table = try decode(
      smallFile(
        more: #", "listen": [{"host": "127.0.0.1", "port": 1, "tls": {"certificate": "ca.pem", "key": "env:K"}}]"#))
    #expect(table.listening(onPort: 9).listeners[0].tls?.certificate == "/conf/ca.pem")
  }

  @Test("an address may be for monitoring alone")
  func metrics() throws {
    #expect(try listeners(#", "serves": ["metrics"]"#)[0].serves == [.metrics])
    #expect(try listeners("")[0].serves.contains(.metrics))
  }

  @Test(
    "fault row 60: a wrong one is refused with place and cause",
    arguments: [
      (#", "tls": true"#, "listen[0].tls: expected an object, found a boolean"),
      (#", "tls": {"key": "env:K"}"#, "listen[0].tls.certificate: missing required key"),
      (#", "tls": {"certificate": "ca.pem"}"#, "listen[0].tls.key: missing required key"),
      (
        #", "tls": {"certificate": "none.pem", "key": "env:K"}"#,
        "listen[0].tls.certificate: the file cannot be read: no such file"
      ),
      (
        #", "tls": {"certificate": "ca.pem", "key": "file:none"}"#,
        "listen[0].tls.key: /conf/none: no such file"
      ),
      (
        #", "tls": {"certificate": "ca.pem", "key": "env:NONE"}"#,
        "listen[0].tls.key: environment variable NONE is not set"
      ),
      (
        #", "tls": {"certificate": "ca.pem", "key": "key.pem"}"#,
        "listen[0].tls.key: a secret must be a reference, env:NAME or file:PATH; the value itself does not belong in "
          + "this file"
      ),
      (
        #", "tls": {"certificate": "ca.pem", "key": "env:K", "clientCertificate": "required"}"#,
        "listen[0].tls.clientCertificate: there is no clientCA that it could be checked with"
      ),
      (
        #", "tls": {"certificate": "ca.pem", "key": "env:K", "clientCA": "ca.pem", "clientCertificate": "no"}"#,
        #"listen[0].tls.clientCertificate: expected one of "optional", "required""#
      ),
      (
        #", "tls": {"cert": "ca.pem", "certificate": "ca.pem", "key": "env:K"}"#,
        #"listen[0].tls.cert: unknown key; known: certificate, key, clientCA, clientCertificate"#
      ),
    ])
  func wrong(members: String, line: String) {
    #expect(lines(members) == ["routes.json:6: " + line])
  }
}
