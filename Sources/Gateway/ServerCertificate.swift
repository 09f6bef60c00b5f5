import CoreMetrics
import Logging
import Metering
import NIOCore
import NIOSSL
import Routing
import Synchronization
import Translation

/// Why a listener's certificate cannot be used. No case holds any part of a key.
struct CertificateFault: Error, Hashable, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// The certificate of one listener: read at the start, and anew when its files change or somebody asks for it. A new one is
/// for new connections; one that cannot be used leaves the old one in place (fault row 67).
final class ServerCertificate: Sendable {
  static let expiryMetric = "parley_certificate_expiry_timestamp_seconds"
  static let reloadsMetric = "parley_certificate_reloads_total"
  /// Between two looks at the files.
  static let interval = Duration.seconds(1)

  private struct State {
    var pair: CertificatePair
    /// What the files held when they were looked at last, if that is not in use.
    var seen: CertificateFiles?
    /// What the files held that could not be used, and was told.
    var refused: CertificateFiles?
    var hasToldOfEnd = false
  }

  private let tls: ListenerTLS
  private let listener: String
  private let sources: SecretSources
  private let clock: WallClock
  private let metrics: any MetricsFactory
  private let logger: Logger
  private let state: Mutex<State>

  /// - Parameters:
  ///   - listener: its address, for the log and the metrics.
  ///   - clock: tells whether the certificate has expired.
  init(
    _ tls: ListenerTLS, listener: String, sources: SecretSources = .process, clock: WallClock = WallClock(),
    metrics: any MetricsFactory = MetricsSystem.factory, logger: Logger
  ) throws(CertificateFault) {
    self.tls = tls
    self.listener = listener
    self.sources = sources
    self.clock = clock
    self.metrics = metrics
    var logger = logger
    logger[metadataKey: "listener"] = "\(listener)"
    self.logger = logger
    let pair = try CertificatePair(try CertificateFiles(tls, sources), tls, at: clock.now())
    state = Mutex(State(pair: pair))
    tellEnd(of: pair)
  }

  /// For the next connection.
  var context: NIOSSLContext { state.withLock { $0.pair.context } }

  /// When the certificate in use ends.
  var expiresAt: Timestamp { state.withLock { $0.pair.expiresAt } }

  /// Looks at the files once a second until it is cancelled.
  func watch() async {
    while (try? await Task.sleep(for: Self.interval)) != nil { look() }
  }

  /// Reads the files anew where they have changed, and have been let be for the time between two looks: whoever replaces two
  /// files has done the one before the other.
  func look() {
    warnOfEnd()
    // A file that is gone is on its way, or is missed at the next start: what is in use stays.
    guard let files = try? CertificateFiles(tls, sources) else { return }
    let isSettled = state.withLock { state in
      guard files != state.pair.files, files != state.refused else {
        state.seen = nil
        return false
      }
      defer { state.seen = files }
      return state.seen == files
    }
    if isSettled { reload() }
  }

  /// Reads the files now, whether they have changed or not.
  func reload() {
    let files: CertificateFiles
    do {
      files = try CertificateFiles(tls, sources)
    } catch {
      return refuse(nil, error)
    }
    do {
      let pair = try CertificatePair(files, tls, at: clock.now())
      let isNew = state.withLock { state in
        defer { state = State(pair: pair) }
        return state.pair.files != files
      }
      guard isNew else { return }
      tellEnd(of: pair)
      count("applied")
      logger.notice("certificate replaced", metadata: ["expires_at": "\(pair.expiresAt.text)"])
    } catch {
      refuse(files, error)
    }
  }

  private func refuse(_ files: CertificateFiles?, _ fault: CertificateFault) {
    state.withLock { state in
      state.refused = files
      state.seen = nil
    }
    count("refused")
    logger.error("certificate refused, the old one stays", metadata: ["cause": "\(LogText.escaped(fault.description))"])
  }

  /// Once for each certificate that ends while it is in use.
  private func warnOfEnd() {
    let now = clock.now()
    let hasEnded = state.withLock { state in
      guard !state.hasToldOfEnd, state.pair.expiresAt <= now else { return false }
      state.hasToldOfEnd = true
      return true
    }
    if hasEnded { logger.error("certificate has expired", metadata: ["expired_at": "\(expiresAt.text)"]) }
  }

  private func tellEnd(of pair: CertificatePair) {
    Meter(label: Self.expiryMetric, dimensions: [("listener", listener)], factory: metrics)
      .set(pair.expiresAt.unixTime)
  }

  private func count(_ outcome: String) {
    Counter(label: Self.reloadsMetric, dimensions: [("listener", listener), ("outcome", outcome)], factory: metrics)
      .increment()
  }
}

/// What the files of a listener's certificate hold.
private struct CertificateFiles: Equatable {
  let certificate: [UInt8]
  let key: [UInt8]
  let authorities: [UInt8]?

  init(_ tls: ListenerTLS, _ sources: SecretSources) throws(CertificateFault) {
    do {
      certificate = try tls.certificateBytes(sources)
    } catch {
      throw CertificateFault("certificate \(tls.certificate): \(error)")
    }
    do {
      key = try tls.keyBytes(sources).reveal()
    } catch {
      throw CertificateFault("key: \(error)")
    }
    do {
      authorities = try tls.clientCABytes(sources)
    } catch {
      throw CertificateFault("clientCA \(tls.clientCA ?? ""): \(error)")
    }
  }
}

/// A certificate that can be used, and what it was made of.
private struct CertificatePair {
  let files: CertificateFiles
  let context: NIOSSLContext
  let expiresAt: Timestamp

  /// "Intermediate" of Mozilla's server side TLS, as far as the library has it; those of TLS 1.3 are all in it.
  private static let ciphers: [NIOTLSCipher] = [
    .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
  ]

  init(_ files: CertificateFiles, _ tls: ListenerTLS, at now: Timestamp) throws(CertificateFault) {
    self.files = files
    let chain = try Self.certificates(in: files.certificate, tls.certificate)
    guard let leaf = chain.first else { throw CertificateFault("\(tls.certificate) holds no certificate in PEM") }
    expiresAt = Timestamp(unixTime: Int(leaf.notValidAfter))
    let begins = Timestamp(unixTime: Int(leaf.notValidBefore))
    guard begins <= now else {
      throw CertificateFault("certificate \(tls.certificate) is not valid before \(begins.text)")
    }
    guard expiresAt > now else {
      throw CertificateFault("certificate \(tls.certificate) expired at \(expiresAt.text)")
    }
    guard let key = try? NIOSSLPrivateKey(bytes: files.key, format: .pem) else {
      throw CertificateFault("\(tls.key) holds no unencrypted private key in PEM")
    }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    configuration.cipherSuiteValues = Self.ciphers
    configuration.applicationProtocols = ["http/1.1"]
    configuration.shutdownTimeout = .seconds(1)
    if let authorities = files.authorities, let path = tls.clientCA {
      let trusted = try Self.certificates(in: authorities, path)
      guard !trusted.isEmpty else { throw CertificateFault("\(path) holds no certificate in PEM") }
      configuration.trustRoots = .certificates(trusted)
      configuration.certificateVerification =
        switch tls.clientCertificate {
        case .required: .noHostnameVerification
        case .optional: .optionalVerification
        }
      configuration.sendCANameList = true
    }
    do {
      context = try NIOSSLContext(configuration: configuration)
    } catch {
      // The library's own words name only its functions.
      throw CertificateFault("\(tls.key) is not the key of certificate \(tls.certificate)")
    }
  }

  private static func certificates(
    in bytes: [UInt8], _ path: String
  ) throws(CertificateFault) -> [NIOSSLCertificate] {
    do {
      return try NIOSSLCertificate.fromPEMBytes(bytes)
    } catch {
      throw CertificateFault("\(path) holds no certificate in PEM")
    }
  }
}
