public import Translation

/// Where Google serves Gemini Live, and how a session is admitted there.
public struct GeminiPlatform: Sendable {
  public enum Place: Sendable, Hashable {
    /// The Gemini API.
    case aiStudio
    /// Vertex AI with a project; `location` is a region, `us`, `eu` or `global`.
    case vertex(project: String, location: String)
    /// Vertex AI in express mode: a key that stands for the project.
    case vertexExpress
  }

  public enum Access: Sendable {
    /// A stand-in that asks for none.
    case anonymous
    case apiKey(Redacted<String>)
    /// `auth_tokens/...` of AI Studio, which admits to one locked-down method.
    case ephemeralToken(Redacted<String>)
    /// An OAuth access token that somebody else renews.
    case bearer(Redacted<String>)
    /// The edge exchanges a signed assertion for access tokens.
    case serviceAccount(GoogleServiceAccount)
  }

  public var place: Place
  /// `v1beta`, `v1alpha`, `v1`, `v1beta1`.
  public var apiVersion: String
  public var access: Access
  /// The project that quota is counted for (`x-goog-user-project`); nil for the credential's own.
  public var quotaProject: String?

  /// - Parameter apiVersion: nil for the place's usual one.
  public init(
    place: Place = .aiStudio, apiVersion: String? = nil, access: Access = .anonymous, quotaProject: String? = nil
  ) {
    self.place = place
    self.access = access
    self.apiVersion = apiVersion ?? Self.usualVersion(of: place, access)
    self.quotaProject = quotaProject
  }

  /// Vertex AI, in either form.
  public var isVertex: Bool { place != .aiStudio }

  private static func usualVersion(of place: Place, _ access: Access) -> String {
    guard place == .aiStudio else { return "v1beta1" }
    if case .ephemeralToken = access { return "v1alpha" }
    return "v1beta"
  }
}

extension GeminiPlatform {
  /// The path of the method. AI Studio separates service and method with a dot, Vertex with a slash.
  var path: String {
    guard place == .aiStudio else {
      return "/ws/google.cloud.aiplatform.\(apiVersion).LlmBidiService/BidiGenerateContent"
    }
    let method = if case .ephemeralToken = access { "BidiGenerateContentConstrained" } else { "BidiGenerateContent" }
    return "/ws/google.ai.generativelanguage.\(apiVersion).GenerativeService.\(method)"
  }

  var headers: [UpstreamTarget.Header] {
    var headers: [UpstreamTarget.Header] = []
    switch access {
    case .anonymous, .serviceAccount: break
    case .apiKey(let key): headers.append(.init("x-goog-api-key", key))
    case .ephemeralToken(let token): headers.append(.init("Authorization", Redacted("Token " + token.reveal())))
    case .bearer(let token): headers.append(.init("Authorization", Redacted("Bearer " + token.reveal())))
    }
    if let quotaProject { headers.append(.init("x-goog-user-project", Redacted(quotaProject))) }
    return headers
  }

  var authorization: UpstreamTarget.Authorization? {
    if case .serviceAccount(let account) = access { .googleServiceAccount(account) } else { nil }
  }

  /// `setup.model` for an id without prefix.
  func wireName(of model: String) -> String {
    // A resource name says all by itself: a tuned model, or an endpoint of Vertex AI.
    if model.hasPrefix("tunedModels/") || model.hasPrefix("projects/") { return model }
    return switch place {
    case .aiStudio: "models/" + model
    case .vertex(let project, let location):
      "projects/\(project)/locations/\(location)/publishers/google/models/\(model)"
    case .vertexExpress: "publishers/google/models/" + model
    }
  }
}
