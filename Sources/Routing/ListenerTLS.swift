public import Translation

/// TLS of an address that is listened on.
public struct ListenerTLS: Sendable, Hashable {
  /// Whether clients show certificates of their own.
  public enum ClientCertificate: String, Sendable, Hashable, CaseIterable {
    /// A client without one is let in, one with a bad one is not.
    case optional
    /// No client is let in without one.
    case required
  }

  /// The largest certificate or key that is taken, in bytes.
  public static let largestFileBytes = 1_048_576

  /// The path of a PEM file: the certificate, and what leads from it to an authority. Where the configuration's is
  /// relative, this one starts with the configuration's folder.
  public let certificate: String
  /// Where the private key is, in PEM; a path as that of the certificate.
  public let key: SecretReference
  /// The path of a PEM file of the authorities of clients' certificates; nil: clients are not asked for one.
  public let clientCA: String?
  /// Means nothing without `clientCA`.
  public let clientCertificate: ClientCertificate

  public init(
    certificate: String, key: SecretReference, clientCA: String? = nil,
    clientCertificate: ClientCertificate = .required
  ) {
    self.certificate = certificate
    self.key = key
    self.clientCA = clientCA
    self.clientCertificate = clientCertificate
  }

  /// The files that are read, for whoever watches them.
  public var files: [String] {
    var files = [certificate]
    if case .file(let path) = key { files.append(path) }
    return files + (clientCA.map { [$0] } ?? [])
  }

  /// What is in the certificate's file now.
  public func certificateBytes(_ sources: SecretSources = .process) throws(FileFault) -> [UInt8] {
    try sources.file(certificate, Self.largestFileBytes)
  }

  /// What is in the authorities' file now; nil without one.
  public func clientCABytes(_ sources: SecretSources = .process) throws(FileFault) -> [UInt8]? {
    guard let clientCA else { return nil }
    return try sources.file(clientCA, Self.largestFileBytes)
  }

  /// The PEM of the private key as it is now.
  public func keyBytes(_ sources: SecretSources = .process) throws(SecretFault) -> Redacted<[UInt8]> {
    Redacted(try sources.content(key, directory: "", limitBytes: Self.largestFileBytes))
  }
}

extension TableDecoder {
  /// `listen[].tls`; nil without it. The files have to be there, and what they hold is for whoever listens to judge.
  mutating func tls(_ fields: Fields) -> ListenerTLS? {
    guard let member = fields.member("tls"),
      let fields = self.fields(member.value, fields.path.key("tls"), known: ConfigurationReference.tls.names)
    else { return nil }
    let certificate = requiredString(fields, "certificate").map { readableFile($0) }
    let key = tlsKey(fields)
    let clientCA = string(fields, "clientCA").map { readableFile($0) }
    if fields.member("clientCA") == nil {
      refuse(["clientCertificate"], fields, .badText("there is no clientCA that it could be checked with"))
    }
    let choices = ListenerTLS.ClientCertificate.allCases.map { ($0.rawValue, $0) }
    let clientCertificate = choice(fields, "clientCertificate", choices) ?? .required
    guard let certificate, let key else { return nil }
    return ListenerTLS(
      certificate: certificate, key: key, clientCA: clientCA, clientCertificate: clientCertificate)
  }

  private mutating func tlsKey(_ fields: Fields) -> SecretReference? {
    guard let text = requiredString(fields, "key"), var reference = reference(text) else { return nil }
    if case .file(let path) = reference { reference = .file(SecretSources.resolve(path, in: directory)) }
    do {
      _ = try sources.content(reference, directory: directory, limitBytes: ListenerTLS.largestFileBytes)
      return reference
    } catch {
      report(.missingSecret(error), at: text)
      return nil
    }
  }
}
