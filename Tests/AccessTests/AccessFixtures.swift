import ParleyTesting
import Envelope
import Routing
import Translation

@testable import Access

/// 2026-01-01T01:03:55Z
let now = 1_767_229_435
let tokenSecret = "a secret of the tests, 32 bytes and more"
let otherTokenSecret = "another secret of the tests, of 32 bytes"

/// A key of the configuration.
func key(_ name: String, _ value: String, change: (inout AccessKey) -> Void = { _ in }) -> AccessKey {
  var key = AccessKey(name: name, reference: .environment("K"), key: Redacted(value))
  change(&key)
  return key
}

func bearer(_ value: String) -> [(name: String, value: String)] {
  [(name: "authorization", value: "Bearer \(value)")]
}

func tokenSettings(_ secrets: [String] = [tokenSecret]) -> TokenSettings {
  var settings = TokenSettings()
  settings.secrets = secrets.map { (nil, Redacted($0)) }
  return settings
}

func tokenRing(_ settings: TokenSettings = tokenSettings(), seed: UInt64 = 1) -> TokenKeyRing {
  var random = SplitMix64(seed: seed)
  return TokenKeyRing(settings, random: &random)
}

/// Claims that hold at `now`.
func claims(seed: UInt64 = 1, change: (inout TokenClaims) -> Void = { _ in }) -> TokenClaims {
  var random = SplitMix64(seed: seed)
  var claims = TokenClaims()
  claims.date(at: now, settings: TokenSettings(), random: &random)
  change(&claims)
  return claims
}

func policy(_ table: AccessTable) -> AccessPolicy { AccessPolicy(table, tokens: tokenRing(table.tokens)) }

func policy(keys: [AccessKey] = [], change: (inout AccessTable) -> Void = { _ in }) -> AccessPolicy {
  var table = AccessTable(keys: keys)
  table.tokens = tokenSettings()
  change(&table)
  return policy(table)
}

/// What a request is told, as a text.
func verdict(
  _ policy: AccessPolicy, _ headers: [(name: String, value: String)], _ target: String = "/v1/realtime",
  use: AccessUse = .session, isLoopback: Bool = false, route: Route? = nil, at time: Int = now,
  stored: StoredAccess? = nil
) -> Result<Admittance, AccessRefusal>? {
  let request = AccessPolicy.Request(
    headers: headers, target: RequestTarget(target), use: use, peerIsLoopback: isLoopback, route: route, at: time)
  return switch policy.judge(request, stored: stored) {
  case .admitted(let admittance): .success(admittance)
  case .refused(let refusal): .failure(refusal)
  case .ask: nil
  }
}

/// The admittance, or the refusal as an error.
func admit(
  _ policy: AccessPolicy, _ headers: [(name: String, value: String)], _ target: String = "/v1/realtime",
  use: AccessUse = .session, isLoopback: Bool = false, route: Route? = nil, at time: Int = now,
  stored: StoredAccess? = nil
) throws -> Admittance? {
  try verdict(
    policy, headers, target, use: use, isLoopback: isLoopback, route: route, at: time, stored: stored)?.get()
}
