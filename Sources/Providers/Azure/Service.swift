public import Envelope
public import OpenAIWire
public import Translation

/// The services of Azure that speak the OpenAI wire, or nearly.
public enum AzureAPI: Sendable, Hashable, CaseIterable {
  /// Azure OpenAI, `/openai/v1/realtime`: the vocabulary itself.
  case realtime
  /// Azure OpenAI before that, `/openai/realtime` with a version and a deployment: the beta vocabulary.
  case preview
  /// Azure AI Voice Live, `/voice-live/realtime`: the beta vocabulary and more.
  case voiceLive

  /// Below the address of a resource.
  var path: String {
    switch self {
    case .realtime: "/openai/v1/realtime"
    case .preview: "/openai/realtime"
    case .voiceLive: "/voice-live/realtime"
    }
  }
}

/// Azure OpenAI, or Azure AI Voice Live.
public struct AzureService: WireService {
  /// Of the resource, or with the path of the realtime endpoint.
  public var endpoint: UpstreamEndpoint
  public var credential: AzureCredential
  /// The deployment; with Voice Live, the model.
  public var model: String
  public var api: AzureAPI
  /// In the address; nil where the API has no versions.
  public var apiVersion: String?

  public init(
    endpoint: UpstreamEndpoint, credential: AzureCredential, model: String, api: AzureAPI, apiVersion: String?
  ) {
    self.endpoint = endpoint
    self.credential = credential
    self.model = model
    self.api = api
    self.apiVersion = apiVersion
  }

  public func target(_ session: RealtimeSession, resuming conversationID: String?) -> UpstreamTarget {
    UpstreamTarget(
      endpoint: endpoint, pathAndQuery: path + "?" + query(session), headers: credential.headers,
      authorization: credential.authorization(for: api))
  }

  /// The configured address may end with the resource, or hold the whole path already.
  private var path: String {
    endpoint.basePath.hasSuffix("/realtime") ? endpoint.basePath : endpoint.basePath + api.path
  }

  private func query(_ session: RealtimeSession) -> String {
    var parameters: [(String, String)] = []
    if let apiVersion, api != .realtime { parameters.append(("api-version", apiVersion)) }
    if session.type == .transcription, api == .realtime {
      parameters.append(("intent", "transcription"))
    } else if api == .voiceLive {
      parameters.append(("model", session.model))
    } else {
      // The service's own sessions show the model and not the deployment.
      let deployment = Deployments.name(for: session.model, configured: model)
      parameters.append((api == .preview ? "deployment" : "model", deployment))
    }
    return parameters.map { $0.0 + "=" + PercentEncoding.queryValue($0.1) }.joined(separator: "&")
  }

  // MARK: The form of each API

  private var form: any AzureForm {
    switch api {
    case .realtime: RealtimeForm(deployment: model)
    case .preview: PreviewForm(deployment: model)
    case .voiceLive: VoiceLiveForm()
    }
  }

  public var traits: WireTraits { form.traits }

  public var coverage: [CoverageRow] { form.coverage }

  public func begin(_ session: inout RealtimeSession) { form.begin(&session) }

  public func makeEffective(_ session: inout RealtimeSession) throws(EventFault) -> [String] {
    try form.makeEffective(&session)
  }

  public func wireSession(_ fields: JSONObject, of session: RealtimeSession) -> JSONObject {
    form.wireSession(fields, of: session)
  }

  public func wireEvent(_ event: JSONObject, of session: RealtimeSession) throws(EventFault) -> [JSONObject] {
    try form.wireEvent(event)
  }

  public func ignoredOptions(_ response: JSONObject) -> [String] { form.ignoredOptions(response) }
}

/// What differs between the APIs.
protocol AzureForm: Sendable {
  var traits: WireTraits { get }
  var coverage: [CoverageRow] { get }
  func begin(_ session: inout RealtimeSession)
  func makeEffective(_ session: inout RealtimeSession) throws(EventFault) -> [String]
  func wireSession(_ fields: JSONObject, of session: RealtimeSession) -> JSONObject
  func wireEvent(_ event: JSONObject) throws(EventFault) -> [JSONObject]
  func ignoredOptions(_ response: JSONObject) -> [String]
}

extension AzureForm {
  func begin(_ session: inout RealtimeSession) {}
}

extension String {
  /// Of a dotted path.
  var firstComponent: String { String(prefix { $0 != "." }) }
}
