import Routing
import SessionCore
import Translation
import VoiceEngine

extension ProviderEntry {
  /// What a session of this provider needs to know; of one whose secret is absent, without it.
  ///
  /// - Parameter clientKey: goes to the service in place of the configured one.
  func configuration(_ engine: VoiceEngine, clientKey: Redacted<String>? = nil) -> ProviderConfiguration {
    ProviderConfiguration(name: name, service: service(engine, clientKey))
      .detectingTurns(by: engine.makeTurnDetector)
      .decodingRecordings(by: VoiceEngine.decodeRecording)
  }

  /// Whether a client can bring a key of its own: there is somebody to bring it to, and it is a key that is shown there.
  var takesClientKeys: Bool {
    guard let remote else { return false }
    if case .serviceAccount = remote.credential { return false }
    return true
  }

  private func service(_ engine: VoiceEngine, _ clientKey: Redacted<String>?) -> ProviderConfiguration.Service {
    guard let remote else { return .local(engine.profile) }
    let configured: Redacted<String>? = if case .secret(let secret) = remote.credential { secret } else { nil }
    let key = clientKey ?? configured
    let account: GoogleServiceAccount? = if case .serviceAccount(let it) = remote.credential { it } else { nil }
    let endpoint = UpstreamEndpoint(
      isSecure: remote.endpoint.isSecure, host: remote.endpoint.host, port: remote.endpoint.port,
      basePath: remote.endpoint.basePath, authorityFile: remote.caFile,
      allowsPrivateAddresses: remote.allowsPrivateAddresses)
    return kind.service(at: endpoint, key: key, model: remote.model, account: account) ?? .local(engine.profile)
  }
}
