import CoreMetrics
import Metering
import NIOSSL
import Routing
import Synchronization
import Testing
import Translation

@testable import Gateway

/// Files that a test changes.
private final class Files: Sendable {
  private let contents: Mutex<[String: [UInt8]]>

  init(_ contents: [String: [UInt8]]) {
    self.contents = Mutex(contents)
  }

  subscript(path: String) -> [UInt8]? {
    get { contents.withLock { $0[path] } }
    set { contents.withLock { $0[path] = newValue } }
  }

  var sources: SecretSources {
    SecretSources(
      environment: { [self] name in self["env:" + name].map { String(decoding: $0, as: UTF8.self) } },
      file: { [self] (path, _) throws(FileFault) in
        guard let bytes = self[path] else { throw FileFault.notFound }
        return bytes
      })
  }
}

/// Keeps what meters show.
private final class Meters: MetricsFactory {
  let values = Mutex<[String: Int64]>([:])
  let counters = CountingFactory()

  private final class Handler: MeterHandler {
    let write: @Sendable (Int64) -> Void
    init(write: @escaping @Sendable (Int64) -> Void) { self.write = write }
    func set(_ value: Int64) { write(value) }
    func set(_ value: Double) { write(Int64(value)) }
    func increment(by amount: Double) {}
    func decrement(by amount: Double) {}
  }

  func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    let name = label + dimensions.map { " \($0.0)=\($0.1)" }.joined()
    return Handler { [self] value in values.withLock { $0[name] = value } }
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    counters.makeCounter(label: label, dimensions: dimensions)
  }

  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    NOOPMetricsHandler.instance
  }

  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { NOOPMetricsHandler.instance }
  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyMeter(_ handler: any MeterHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}
}

@Suite("The certificate of a listener")
struct ServerCertificateTests {
  private let files: Files
  private let log = LogCapture()
  private let meters = Meters()
  private let clock = TestClock()
  /// After the end of `expired`, before that of `good`.
  private static let expiry = "parley_certificate_expiry_timestamp_seconds listener=127.0.0.1:443"

  init() throws {
    let pem = { (name: String) in
      try SecretSources.process.file(ScriptedUpstream.certificatePath(name), 100_000)
    }
    files = Files([
      "cert": try pem("good"), "key": try pem("server-key"), "ca": try pem("authority"),
      "expired": try pem("expired"), "other": try pem("wrong-name"), "foreign-key": try pem("account-key"),
    ])
  }

  private func certificate(
    _ tls: ListenerTLS = ListenerTLS(certificate: "cert", key: .file("key"))
  ) throws(CertificateFault) -> ServerCertificate {
    try ServerCertificate(
      tls, listener: "127.0.0.1:443", sources: files.sources, clock: clock.wall, metrics: meters, logger: log.logger)
  }

  private func reloads(_ outcome: String) -> Int64 {
    meters.counters.counts["parley_certificate_reloads_total listener=127.0.0.1:443 outcome=\(outcome)"] ?? 0
  }

  @Test("a certificate and its key, from a file or a variable, and when it ends")
  func sound() throws {
    let one = try certificate()
    #expect(one.expiresAt == Timestamp("2120-01-01T00:00:00Z"))
    #expect(meters.values.withLock { $0[Self.expiry] } == 4_733_510_400)
    files["env:TLS_KEY"] = files["key"]
    _ = try certificate(ListenerTLS(certificate: "cert", key: .environment("TLS_KEY")))
    for choice in ListenerTLS.ClientCertificate.allCases {
      _ = try certificate(
        ListenerTLS(certificate: "cert", key: .file("key"), clientCA: "ca", clientCertificate: choice))
    }
  }

  @Test(
    "fault row 67: at the start each fault is one clear line that names the file, and nothing of a key",
    arguments: [
      ("expired", "key", nil, "certificate expired expired at 2020-02-01T00:00:00Z"),
      ("cert", "foreign-key", nil, "file:foreign-key is not the key of certificate cert"),
      ("key", "key", nil, "key holds no certificate in PEM"),
      ("cert", "cert", nil, "file:cert holds no unencrypted private key in PEM"),
      ("cert", "key", "key", "key holds no certificate in PEM"),
      ("cert", "key", "empty", "empty holds no certificate in PEM"),
      ("missing", "key", nil, "certificate missing: no such file"),
      ("cert", "missing", nil, "key: missing: no such file"),
      ("cert", "key", "missing", "clientCA missing: no such file"),
      ("half", "key", nil, "half holds no certificate in PEM"),
    ] as [(String, String, String?, String)])
  func broken(_ certificate: String, _ key: String, _ authorities: String?, _ text: String) throws {
    files["empty"] = []
    files["half"] = files["cert"].map { Array($0.prefix($0.count / 2)) }
    let fault = #expect(throws: CertificateFault.self) {
      try self.certificate(ListenerTLS(certificate: certificate, key: .file(key), clientCA: authorities))
    }
    #expect(fault?.description == text)
  }

  @Test("fault row 67: one that is not valid yet is refused")
  func early() throws {
    clock.advance(seconds: -10 * 365 * 86_400)
    let fault = #expect(throws: CertificateFault.self) { try certificate() }
    #expect(fault?.description == "certificate cert is not valid before 2020-01-01T00:00:00Z")
  }

  @Test("R287: files that have changed and settled are read anew: new connections get the new certificate")
  func replaced() throws {
    let certificate = try certificate()
    let before = ObjectIdentifier(certificate.context)
    certificate.look()
    files["cert"] = files["other"]
    certificate.look()
    #expect(ObjectIdentifier(certificate.context) == before, "somebody may still be writing")
    certificate.look()
    #expect(ObjectIdentifier(certificate.context) != before)
    #expect(log.text.contains("certificate replaced") && reloads("applied") == 1)
    #expect(meters.values.withLock { $0[Self.expiry] } == Int64(certificate.expiresAt.unixTime))
    let after = ObjectIdentifier(certificate.context)
    for _ in 0..<3 { certificate.look() }
    #expect(ObjectIdentifier(certificate.context) == after && reloads("applied") == 1)
  }

  @Test(
    "fault row 67: an expired or broken one at a reload: the old one stays, one line, one count",
    arguments: ["expired", "half", "empty"])
  func refused(_ name: String) throws {
    files["empty"] = []
    files["half"] = files["cert"].map { Array($0.prefix($0.count / 2)) }
    let certificate = try certificate()
    let before = ObjectIdentifier(certificate.context)
    files["cert"] = files[name]
    for _ in 0..<5 { certificate.look() }
    #expect(ObjectIdentifier(certificate.context) == before)
    #expect(reloads("refused") == 1 && reloads("applied") == 0)
    #expect(log.text.split(separator: "\n").count { $0.hasPrefix("error ") } == 1)
    #expect(log.text.contains("certificate refused, the old one stays"))
    files["cert"] = files["other"]
    for _ in 0..<2 { certificate.look() }
    #expect(reloads("applied") == 1 && ObjectIdentifier(certificate.context) != before)
  }

  @Test("fault row 67: a new certificate whose key comes a moment later is never tried with the old one")
  func pair() throws {
    let certificate = try certificate()
    files["cert"] = files["other"]
    certificate.look()
    files["key"] = files["foreign-key"]
    certificate.look()
    files["key"] = try SecretSources.process.file(ScriptedUpstream.certificatePath("server-key"), 100_000)
    certificate.look()
    certificate.look()
    #expect(reloads("refused") == 0 && reloads("applied") == 1)
  }

  @Test("a file that is gone changes nothing, and is not told of until somebody asks for a reload")
  func vanished() throws {
    let certificate = try certificate()
    files["key"] = nil
    for _ in 0..<3 { certificate.look() }
    #expect(!log.text.contains("refused"))
    certificate.reload()
    #expect(log.text.contains("error certificate refused, the old one stays cause=key: key: no such file"))
  }

  @Test("fault row 67: a certificate that ends while it is in use is told of once")
  func ended() throws {
    let certificate = try certificate()
    certificate.look()
    #expect(!log.text.contains("expired"))
    clock.advance(seconds: 100 * 366 * 86_400)
    for _ in 0..<3 { certificate.look() }
    #expect(log.text.split(separator: "\n").count { $0.contains("error certificate has expired") } == 1)
  }
}
