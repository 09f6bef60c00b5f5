import Access
import Foundation
import HTTPWire
import Logging
import NIOCore
import Routing
import SessionCore
import Translation
import VoiceEngine
import WebSocketWire

/// Admits clients to sessions: the route's path, then the credential, then the provider and its account's limits,
/// all before the 101.
struct RealtimeAdmission: UpgradeAdmission {
  private let table: RouteTable
  private let keys: KeyStore
  private let proxies: Set<IPAddress>
  private let paths: Set<String>
  private let limits: EdgeLimits
  private let outgoing: Outgoing
  private let engine: VoiceEngine
  /// By the name of the provider; none where its account is not limited.
  private let quotas: [String: ProviderQuota]
  private let overload: Overload
  private let logger: Logger

  init(
    table: RouteTable, limits: EdgeLimits, outgoing: Outgoing, engine: VoiceEngine, overload: Overload, logger: Logger
  ) {
    self.table = table
    self.limits = limits
    self.outgoing = outgoing
    self.engine = engine
    self.overload = overload
    self.logger = logger
    keys = KeyStore(keys: table.accessKeys)
    proxies = Set(table.proxies.compactMap { IPAddress($0)?.unmapped })
    paths = Set(table.routes.map(\.path))
    quotas = table.providers.compactMapValues { entry in
      entry.remote.flatMap { $0.limits == AccountLimits() ? nil : ProviderQuota($0.limits) }
    }
  }

  /// A route's path with or without a slash at its end.
  func owns(path: String) -> Bool {
    paths.contains(path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path)
  }

  func admit(_ head: RequestHead, from peer: ConnectionPeer) -> Admission {
    let target = RequestTarget(head.query.map { "\(head.path)?\($0)" } ?? head.path)
    let admittance: Admittance
    do {
      admittance = try keys.admit(
        headers: head.fields.map { (name: $0.name, value: $0.value) }, target: target, peerIsLoopback: peer.isLoopback)
    } catch {
      return .refuse(FaultResponse.refusal(for: error, contact: table.contact))
    }
    let offered = head.listMembers(of: "sec-websocket-protocol")
    let choice: RouteChoice
    do {
      choice = try table.choose(
        target, openAIBeta: head.listMembers(of: "openai-beta"), subprotocols: offered, key: admittance.preference)
    } catch {
      return .refuse(FaultResponse.refusal(for: error, contact: table.contact))
    }
    let seat: OccupiedPlace
    do {
      seat = try overload.place(for: holders(head, peer, admittance.principal))
    } catch {
      return .refuse(FaultResponse.isFull(error, contact: table.contact))
    }
    let quota = quotas[choice.provider.name]
    let place = quota?.place()
    if let quota, place == nil {
      return .refuse(
        FaultResponse.accountIsFull(choice.provider.name, most: quota.maxSessions, contact: table.contact))
    }
    let parameters = parameters(for: choice)
    return .accept(subprotocol: Subprotocol.answer(to: offered)) { [limits, outgoing, engine, logger] leg in
      let driver = SessionDriver(
        parameters: parameters, downstream: leg, loop: peer.loop, limits: limits, outgoing: outgoing, engine: engine,
        place: place, logger: logger)
      // Its memory is the connection's, which may outlive the session by a close handshake.
      peer.closed.whenComplete { _ in seat.giveBack() }
      leg.connection.lastWords = FaultResponse.lastWords
      leg.setOwner(driver)
      driver.begin()
    }
  }

  /// Who one more session is counted for, where the configuration limits them.
  private func holders(
    _ head: RequestHead, _ peer: ConnectionPeer, _ principal: Principal
  ) -> [(holder: Overload.Holder, most: Int)] {
    var holders: [(holder: Overload.Holder, most: Int)] = []
    if let most = limits.maxSessionsPerAddress,
      let address = ForwardedAddress.client(
        of: peer.address, forwarded: head.listMembers(of: "x-forwarded-for"), proxies: proxies)
    {
      holders.append((.address(address.subscriber), most))
    }
    if case .key(let name) = principal, let most = table.accessKeys.first(where: { $0.name == name })?.maxSessions {
      holders.append((.key(name: name), most))
    }
    return holders
  }

  private func parameters(for choice: RouteChoice) -> SessionParameters {
    let entry = choice.provider
    var limits = SessionLimits()
    limits.dialGrace = table.limits.dialGrace
    limits.dialLatest = table.limits.dialLatest
    limits.upstreamFirstEvent = table.limits.upstreamFirstEvent
    limits.heldBytes = table.limits.heldBytes
    limits.controlEventsPerSecond = table.limits.controlEventsPerSecond
    limits.badEventsPerMinute = table.limits.badEventsPerMinute
    limits.idle = table.limits.sessionIdle
    limits.length = table.limits.sessionLength
    var generator = SystemRandomNumberGenerator()
    return SessionParameters(
      provider: entry.configuration(engine),
      // A name that another kind of provider serves is a client's fixed default: the provider's own model serves it.
      requestedModel: choice.isForeignModel ? entry.remote?.model : choice.model,
      purpose: choice.purpose, dialect: choice.dialect, deltaFields: choice.deltaFields,
      isStrict: choice.route.isStrict, passesVendorEvents: choice.passesVendorEvents, limits: limits,
      unixTime: Int(Date().timeIntervalSince1970),
      seed: UInt128(generator.next()) << 64 | UInt128(generator.next()))
  }
}
