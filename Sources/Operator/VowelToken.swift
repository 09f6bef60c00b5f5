import Access
import Envelope
import Hummingbird
import Logging
import Metering
import Routing
import Translation

/// `POST /vowel/api/generateToken` (R060 to R067): a token for a page of vowel's client library, which speaks the beta
/// vocabulary.
struct VowelToken {
  /// What a key looks like that may stand in a page, and in `appId`.
  private static let publishablePrefix = "vkey_"
  private let tokens: any TokenIssuing

  init(_ tokens: any TokenIssuing) {
    self.tokens = tokens
  }

  func answer(_ request: Request, _ asker: TokenAsker, _ logger: Logger) async throws -> Response {
    // The key may stand in the body, which is bounded; one that is no JSON shows none.
    let body: Result<JSONObject, any Error>
    do {
      body = .success(try await JSONBody.object(request, most: TokenRoutes.longestBody))
    } catch {
      body = .failure(error)
    }
    var asker = asker
    asker.keyInBody = (try? body.get()).flatMap(Self.key)
    let admittance = try await tokens.admit(asker)
    let fields = try BodyFields(try body.get(), known: nil)
    let order = try Self.order(fields)
    let issued = try await tokens.issue(order, to: admittance, askedBy: asker)
    VowelToken.logIdleWords(of: fields.object, logger)
    return .secret(Self.shown(issued, asked: order.provider))
  }

  /// What means something to vowel's engine and nothing here is said once for each token (Q23).
  static func logIdleWords(of body: JSONObject, _ logger: Logger) {
    // Some are known by their beginning, and what follows is the client's.
    let words = TokenClaims.vowelWordsWithoutEffect(in: body).filter { word in
      word.utf8.count <= 40 && word.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
    guard !words.isEmpty else { return }
    logger.info("words without effect", metadata: ["words": "\(words.joined(separator: ", "))", "source": "tokens"])
  }

  private static func key(in body: JSONObject) -> Redacted<String>? {
    if let key = body["apiKey"]?.string, !key.isEmpty { return Redacted(key) }
    guard let id = body["appId"]?.string, id.hasPrefix(publishablePrefix) else { return nil }
    return Redacted(id)
  }

  static func order(_ fields: BodyFields) throws(HTTPFault) -> MintOrder {
    var order = MintOrder()
    let app = try fields.requiredString("appId", most: AccessKey.longestKeyBytes)
    if !app.hasPrefix(publishablePrefix) { order.app = app }
    let config = try fields.fields("config", known: nil)
    _ = try config?.object("voiceConfig")
    let inner = try config?.string("provider")
    order.provider = try fields.string("provider") ?? inner
    if let origin = try fields.string("origin") {
      guard let pattern = OriginPattern(origin) else {
        throw HTTPFault(.invalidValue(param: "origin", because: "expected an origin such as 'https://app.example'."))
      }
      order.origins = [pattern]
    }
    try order.read(vowel: fields.object)
    order.preference.dialect = .fixed(.beta)
    return order
  }

  private static func shown(_ issued: IssuedToken, asked provider: String?) -> JSONObject {
    let audio = issued.session["audio"]?["output"]
    return [
      "token": .string(issued.value.reveal()),
      "expiresAt": .string(Timestamp(unixTime: issued.expiresAt).text),
      "wsUrl": .string(issued.webSocketURL),
      "tokenName": .string(issued.id),
      "model": .string(issued.model),
      "provider": .string(provider ?? issued.provider),
      "metadata": [
        "baseUrl": .string(issued.webSocketURL), "voice": audio?["voice"] ?? .null, "audioFormat": "pcm16",
        "sampleRate": 24000, "sessionConfigDeliveredViaClient": true,
      ],
      "systemInstructions": issued.session["instructions"] ?? "",
    ]
  }
}

extension MintOrder {
  /// Reads what vowel calls the beginnings of a session; its words win over what is there.
  mutating func read(vowel words: JSONObject) throws(HTTPFault) {
    let claims: TokenClaims
    do {
      claims = try TokenClaims.fromVowel(words)
    } catch {
      throw HTTPFault(error)
    }
    model = claims.model ?? model
    session = SessionOrder.merged(session, claims.session ?? [:])
    maxMinutesPerSession = claims.maxMinutesPerSession ?? maxMinutesPerSession
    idleSeconds = claims.idleSeconds ?? idleSeconds
  }
}
