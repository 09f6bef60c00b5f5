import ArgumentParser
import Foundation
import Gateway
import Logging
import Routing

extension Outgoing {
  /// As the environment of this process says, or the fault on standard error and the end of the command.
  static func ofProcess(logger: Logger? = nil) throws -> Outgoing {
    do {
      let proxies = try ProxySettings(environment: ProcessInfo.processInfo.environment)
      for (scheme, proxy) in [("wss", proxies.secure), ("ws", proxies.plain)] {
        guard let proxy else { continue }
        logger?.notice(
          "connections leave through a proxy", metadata: ["scheme": "\(scheme)", "proxy": "\(proxy.address)"])
      }
      return Outgoing(proxies: proxies)
    } catch {
      printError("error: \(error)")
      throw ExitCode.failure
    }
  }
}
