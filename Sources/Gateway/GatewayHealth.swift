import Envelope
import LocalVoiceProvider
import NIOCore
import Operator
import Routing
import Translation
import VoiceEngine

/// How the gateway stands, for `/health`: by one reading of the configuration.
struct GatewayHealth: HealthDesk {
  private let table: RouteTable
  private let engine: VoiceEngine
  private let overload: Overload
  private let directory: SessionDirectory
  private let telemetry: TelemetryDesk
  private let drain: Drain

  init(
    table: RouteTable, engine: VoiceEngine, overload: Overload, directory: SessionDirectory,
    telemetry: TelemetryDesk, drain: Drain
  ) {
    self.table = table
    self.engine = engine
    self.overload = overload
    self.directory = directory
    self.telemetry = telemetry
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
      providers: entries.map { ($0.name, state(of: $0)) },
      sessions: directory.count)
  }

  private func state(of entry: ProviderEntry) -> HealthStanding.ProviderState {
    guard entry.unavailability == nil else { return .unavailable }
    return telemetry.isFailing(entry.name, at: Instant(NIODeadline.now())) ? .failing : .available
  }
}
