import Envelope

@testable import Operator

/// Keeps nothing and ends nothing: for what is asked of the routes alone.
struct FakeOperatorDesk: ConfigurationDesk, SessionDesk, DrainDesk {
  func shown() async -> JSONObject { ["config": [:]] }
  func update(_: JSONObject, persists: Bool) async throws(ConfigurationRefusal) -> JSONObject { await shown() }
  func validate(_: JSONObject) async throws(ConfigurationRefusal) {}
  func reload() async throws(ConfigurationRefusal) -> JSONObject { await shown() }
  func presets() async -> [JSONObject] { [] }

  func sessions() async -> [JSONObject] { [] }
  func session(_: String) async -> JSONObject? { nil }
  func end(_: String) async -> Bool { false }

  func begin(grace: Duration?, exits: Bool) {}
  func standing() async -> JSONObject { ["draining": false] }
}

/// Stands as it is told.
struct FakeHealthDesk: HealthDesk {
  var standing: HealthStanding

  func standing() async -> HealthStanding { standing }
}
