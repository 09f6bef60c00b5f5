import Access
import Envelope
import Foundation
import HTTPTypes
import Hummingbird

/// `GET /v1/models`, `GET /v1/models/{id}` and `GET /v1/voices`: what sessions may name (R227).
struct CatalogueRoutes: Sendable {
  let sessions: SessionSurface

  private var catalogue: Catalogue { sessions.catalogue }

  func add(to book: RouteBook) {
    let models = JSONCoding.encode(Catalogue.Models(data: catalogue.models)).text
    book.get("/v1/models") { request, context in
      try await sessions.check(request, context, .catalogue)
      return OperatorSurface.json(.ok, models)
    }
    // Ids such as `google-ai-studio/gemini-2.5-flash` have slashes of their own.
    book.get("/v1/models/**") { request, context in
      try await sessions.check(request, context, .catalogue)
      let written = context.parameters.getCatchAll().joined(separator: "/")
      return model(written.removingPercentEncoding ?? written)
    }
    book.get("/v1/voices") { request, context in
      try await sessions.check(request, context, .catalogue)
      return await voices(of: request.uri.queryParameters["provider"].map(String.init))
    }
  }

  private func model(_ id: String) -> Response {
    guard let model = catalogue.model(id) else {
      return OperatorSurface.errorResponse(
        .notFound, code: "model_not_found", message: "The model '\(id.prefix(256))' is in no list of this server.",
        param: "model")
    }
    return OperatorSurface.json(.ok, JSONCoding.encode(model).text)
  }

  private func voices(of provider: String?) async -> Response {
    let provider = provider.flatMap { $0.isEmpty ? nil : $0 } ?? catalogue.defaultProvider
    guard catalogue.providers.contains(provider) else {
      let known = catalogue.providers.joined(separator: ", ")
      return OperatorSurface.errorResponse(
        .notFound, code: "provider_not_found",
        message: "There is no provider '\(provider.prefix(256))'. The providers are: \(known).", param: "provider")
    }
    return OperatorSurface.json(.ok, JSONCoding.encode(await catalogue.voices(provider)).text)
  }
}
