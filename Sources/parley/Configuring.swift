import Envelope
import Operator
import Settings

extension ConfigurationKeeper: ConfigurationDesk {
  public func update(_ patch: JSONObject, persists: Bool) async throws(ConfigurationRefusal) -> JSONObject {
    try await refusable { () async throws(SettingsFault) in try await change(patch, persists: persists) }
    return shown()
  }

  public func validate(_ patch: JSONObject) async throws(ConfigurationRefusal) {
    try await refusable { () async throws(SettingsFault) in try await check(patch) }
  }

  public func reload() async throws(ConfigurationRefusal) -> JSONObject {
    try await refusable { () async throws(SettingsFault) in try await readAgain() }
    return shown()
  }

  private func refusable(_ act: () async throws(SettingsFault) -> Void) async throws(ConfigurationRefusal) {
    do throws(SettingsFault) {
      try await act()
    } catch {
      throw ConfigurationRefusal(error)
    }
  }
}

extension ConfigurationRefusal {
  init(_ fault: SettingsFault) {
    let status =
      switch fault.kind {
      case .invalid: 400
      case .notSaved(isFull: true): 507
      case .notSaved(isFull: false): 500
      }
    self.init(status: status, faults: fault.mistakes.map { Fault(path: $0.path, message: $0.message) })
  }
}
