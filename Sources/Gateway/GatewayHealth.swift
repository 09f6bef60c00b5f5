import Envelope
import LocalVoiceProvider
import Envelope
import LocalVoiceProvider
import Operator
import Routing
import VoiceEngine

/// How the gateway stands, for `/health`: by one reading of the configuration.
struct GatewayHealth: HealthDesk {
  private let table: RouteTable
  private let engine: VoiceEngine
  private let overload: Overload
  private let directory: SessionDirectory
  private let drain: Drain

  init(
    table: RouteTable, engine: VoiceEngine, overload: Overload, directory: SessionDirectory, drain: Drain
  ) {
    self.table = table
    self.engine = engine
    self.overload = overload
    self.directory = directory
    self.drain = drain
  }

  func standing() async -> HealthStanding {
    let entries = table.providerNames.compactMap { table.providers[$0] }
    let isUsable = entries.contains { $0.unavailability == nil }
    let status: HealthStanding.Status =
      if drain.isUnderWay { .draining } else if !isUsable { .unavailable } else if overload.isFull { .full } else {
        .ok
      }
    return HealthStanding(
      status: status, engine: engine.isPresent ? engine.profile.description : nil,
      providers: entries.map { ($0.name, $0.unavailability == nil ? .available : .unavailable) },
      sessions: directory.count)
  }
}
