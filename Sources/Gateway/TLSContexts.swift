import NIOSSL
import Synchronization

/// One TLS context per set of trusted authorities, shared by all connections of the process: building one parses the
/// whole trust store. Certificates are always verified, and so are names.
final class TLSContexts: Sendable {
  private struct Key: Hashable {
    var authorityFile: String?
    var comparesNames: Bool
  }

  private let contexts = Mutex<[Key: NIOSSLContext]>([:])

  /// The context that trusts the authorities in the PEM file, or the system's.
  ///
  /// - Parameter comparesNames: false where whoever connects compares what the certificate bears itself.
  func context(authorityFile: String?, comparesNames: Bool) throws -> NIOSSLContext {
    try contexts.withLock { contexts in
      let key = Key(authorityFile: authorityFile, comparesNames: comparesNames)
      if let context = contexts[key] { return context }
      var configuration = TLSConfiguration.makeClientConfiguration()
      configuration.minimumTLSVersion = .tlsv12
      configuration.certificateVerification = comparesNames ? .fullVerification : .noHostnameVerification
      configuration.applicationProtocols = ["http/1.1"]
      if let authorityFile { configuration.trustRoots = .file(authorityFile) }
      let context = try NIOSSLContext(configuration: configuration)
      contexts[key] = context
      return context
    }
  }
}
