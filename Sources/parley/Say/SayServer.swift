import Foundation
import Gateway
import Logging
import NIOCore
import NIOPosix
import Routing
import Translation
import VoiceEngine

/// The server that is asked: one that runs, or one in this process.
struct SayServer {
  /// Where `parley serve` listens if nothing else is configured.
  static let standardAddress = "ws://127.0.0.1:8787"
  static let path = "/v1/realtime"

  let url: String
  let socket: any Socket
  /// Of a server of our own.
  let engine: VoiceEngine?
  private let gateway: RunningGateway?

  /// Asks the server at an address.
  static func at(
    _ url: String, key: String?, loops: MultiThreadedEventLoopGroup, outgoing: Outgoing
  ) async throws(SayFault) -> SayServer {
    do {
      let socket = try await open(url, key: key, loops: loops, outgoing: outgoing)
      return SayServer(url: url, socket: socket, engine: nil, gateway: nil)
    } catch let refusal as SocketRefusal where refusal.status == 0 {
      throw SayFault("\(shown(url)) is no ws:// or wss:// address")
    } catch let refusal as SocketRefusal {
      throw SayFault("\(shown(url)) refused the connection with status \(refusal.status)\(advice(refusal.status))")
    } catch let failure as SocketFailure {
      throw SayFault("\(shown(url)) cannot be reached: \(failure)")
    } catch {
      throw SayFault("\(shown(url)) cannot be reached: \(error)")
    }
  }

  /// The server that runs at the standard address; nil if there is none.
  static func running(
    provider: String?, key: String?, loops: MultiThreadedEventLoopGroup, outgoing: Outgoing
  ) async throws(SayFault) -> SayServer? {
    let url = Self.url(standardAddress + path, provider: provider)
    do {
      let socket = try await open(url, key: key, loops: loops, outgoing: outgoing)
      return SayServer(url: url, socket: socket, engine: nil, gateway: nil)
    } catch let refusal as SocketRefusal {
      throw SayFault("\(shown(url)) refused the connection with status \(refusal.status)\(advice(refusal.status))")
    } catch {
      return nil
    }
  }

  /// A server in this process with the engine as its only provider, on a free port of the loopback.
  static func own(
    runtimeConfig: String?, loops: MultiThreadedEventLoopGroup, outgoing: Outgoing, logger: Logger
  ) async throws -> SayServer {
    let routes = """
      {"listen": [{"host": "127.0.0.1", "port": 0}], "default": "local", "providers": {"local": {"kind": "local"}}}
      """
    let table = try RouteTable.decode(Array(routes.utf8), file: "parley say")
    let engine = try await Engine.start(file: runtimeConfig, loops: loops, outgoing: outgoing, logger: logger)
    let gateway: RunningGateway
    do {
      gateway = try await GatewayServer(table: table, engine: engine, outgoing: outgoing, group: loops, logger: logger)
        .start()
    } catch {
      throw SayFault("no server could be started: \(error)")
    }
    let url = "ws://127.0.0.1:\(gateway.addresses.first?.port ?? 0)\(path)"
    let server = try await at(url, key: nil, loops: loops, outgoing: outgoing)
    return SayServer(url: url, socket: server.socket, engine: engine, gateway: gateway)
  }

  /// Ends a server of our own.
  func stop() async {
    socket.close()
    await gateway?.stop()
  }

  private static func open(
    _ url: String, key: String?, loops: MultiThreadedEventLoopGroup, outgoing: Outgoing
  ) async throws -> any Socket {
    let headers = key.map { [("Authorization", Redacted("Bearer \($0)"))] } ?? []
    return try await SocketConnector(group: loops, outgoing: outgoing).open(url, headers: headers)
  }

  /// A URL with `provider` in its query.
  static func url(_ url: String, provider: String?) -> String {
    guard let provider else { return url }
    let allowed = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
    let value = provider.addingPercentEncoding(withAllowedCharacters: allowed) ?? provider
    return url + (url.contains("?") ? "&" : "?") + "provider=" + value
  }

  /// Without the query, which may hold a key.
  private static func shown(_ url: String) -> String {
    String(url.prefix { $0 != "?" })
  }

  private static func advice(_ status: Int) -> String {
    switch status {
    case 401, 403: " (--key gives a key)"
    case 400, 404: " (are the path, the provider and the model right?)"
    default: ""
    }
  }
}
