import Routing
import SessionCore
import Translation
import VoiceEngine

extension ProviderEntry {
  /// What a session of this provider needs to know; of one whose secret is absent, without it.
  func configuration(_ engine: VoiceEngine) -> ProviderConfiguration {
    ProviderConfiguration(name: name, service: service(engine))
      .detectingTurns(by: engine.makeTurnDetector)
      .decodingRecordings(by: VoiceEngine.decodeRecording)
  }

  private func service(_ engine: VoiceEngine) -> ProviderConfiguration.Service {
    guard let remote else { return .local(engine.profile) }
    let key: Redacted<String>? = if case .secret(let secret) = remote.credential { secret } else { nil }
    let account: GoogleServiceAccount? = if case .serviceAccount(let it) = remote.credential { it } else { nil }
    let endpoint = UpstreamEndpoint(
      isSecure: remote.endpoint.isSecure, host: remote.endpoint.host, port: remote.endpoint.port,
      basePath: remote.endpoint.basePath, authorityFile: remote.caFile,
      allowsPrivateAddresses: remote.allowsPrivateAddresses)
    return kind.service(at: endpoint, key: key, model: remote.model, account: account) ?? .local(engine.profile)
  }
}
