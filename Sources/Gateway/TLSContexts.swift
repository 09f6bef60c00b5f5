import NIOSSL
import Synchronization

/// One TLS context per set of trusted authorities, shared by all connections of the process: building one parses the
/// whole trust store. Certificates are always verified; whom they are for is compared by ``UpstreamHandshake``.
final class TLSContexts: Sendable {
  private let contexts = Mutex<[String?: NIOSSLContext]>([:])

  /// The context that trusts the authorities in the PEM file, or the system's.
  func context(authorityFile: String?) throws -> NIOSSLContext {
    try contexts.withLock { contexts in
      if let context = contexts[authorityFile] { return context }
      var configuration = TLSConfiguration.makeClientConfiguration()
      configuration.minimumTLSVersion = .tlsv12
      configuration.certificateVerification = .noHostnameVerification
      configuration.applicationProtocols = ["http/1.1"]
      if let authorityFile { configuration.trustRoots = .file(authorityFile) }
      let context = try NIOSSLContext(configuration: configuration)
      contexts[authorityFile] = context
      return context
    }
  }
}
