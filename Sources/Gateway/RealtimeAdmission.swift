import Access
import Envelope
import HTTPWire
import Logging
import Metering
import NIOCore
import Routing
import SessionCore
import Translation
import VoiceEngine
import WebSocketWire

/// Admits clients to sessions: the credential, then the route and the provider, then the limits of all that the session
/// counts for, all before the 101.
struct RealtimeAdmission: UpgradeAdmission {
  private let table: RouteTable
  private let desk: AccessDesk
  private let seats: SeatDesk
  private let books: Bookkeeping
  private let proxies: [IPNetwork]
  private let limits: EdgeLimits
  private let outgoing: Outgoing
  private let engine: VoiceEngine
  /// By the name of the provider; none where its account's messages are not limited.
  private let quotas: [String: ProviderQuota]
  private let overload: Overload
  private let counters: AdmissionCounters
  private let telemetry: TelemetryDesk
  private let directory: SessionDirectory
  private let logger: Logger

  init(
    table: RouteTable, desk: AccessDesk, seats: SeatDesk, books: Bookkeeping, limits: EdgeLimits, outgoing: Outgoing,
    engine: VoiceEngine, overload: Overload, counters: AdmissionCounters = AdmissionCounters(),
    telemetry: TelemetryDesk = TelemetryDesk(), directory: SessionDirectory = SessionDirectory(),
    replacing previous: RealtimeAdmission? = nil, logger: Logger
  ) {
    self.table = table
    self.desk = desk
    self.seats = seats
    self.books = books
    self.limits = limits
    self.outgoing = outgoing
    self.engine = engine
    self.overload = overload
    self.counters = counters
    self.telemetry = telemetry
    self.directory = directory
    self.logger = logger
    proxies = table.proxies.compactMap { IPNetwork($0) }
    quotas = table.providers.compactMapValues { entry in
      guard let limits = entry.remote?.limits else { return nil }
      // The account knows nothing of our configuration: what was sent in this second was sent.
      if let quota = previous?.quotas[entry.name], quota.perSecond == limits.maxFramesPerSecond { return quota }
      return ProviderQuota(limits, provider: entry.name)
    }
  }

  func gaveUp(_ refusal: Refusal) { counters.refused(refusal.code ?? "none") }

  /// A route's path with or without a slash at its end.
  func owns(path: String) -> Bool { table.route(of: path) != nil }

  func admit(_ head: RequestHead, from peer: ConnectionPeer) -> Admission {
    let client = ForwardedAddress(
      of: peer.address, forwarded: head.listMembers(of: "x-forwarded-for"), proxies: proxies)
    let call = Call(
      head: head, peer: peer, target: RequestTarget(head.query.map { "\(head.path)?\($0)" } ?? head.path),
      address: client?.address)
    let request = AccessPolicy.Request(
      headers: head.fields.map { (name: $0.name, value: $0.value) }, target: call.target, use: .session,
      // Behind a proxy of the operator's every peer is on loopback; who counts is the one it forwards.
      peerIsLoopback: client?.isLoopback ?? false,
      route: table.route(of: head.path), at: desk.clock.unixTime)
    switch desk.judge(request) {
    case .admitted(let admittance): return choose(call, admittance)
    case .refused(let refusal): return refuse(refusal)
    case .ask(let digest):
      let grant = peer.loop.makePromise(of: AdmissionGrant.self)
      grant.completeWithTask { [desk] in .key(await desk.lookUp(digest)) }
      return .later(grant.futureResult) { grant in
        guard case .key(let found) = grant else { return refuse(.storeUnavailable) }
        switch desk.judge(request, found: found, digest: digest) {
        case .success(let admittance): return choose(call, admittance)
        case .failure(let refusal): return refuse(refusal)
        }
      }
    }
  }

  /// A request on its way through the gate.
  private struct Call {
    let head: RequestHead
    let peer: ConnectionPeer
    let target: RequestTarget
    /// Of the client, behind a proxy the one that this forwards.
    let address: IPAddress?
  }

  private func refuse(_ refusal: AccessRefusal) -> Admission {
    counters.refused(refusal.code)
    return .refuse(FaultResponse.refusal(for: refusal, contact: table.contact))
  }

  private func choose(_ call: Call, _ admittance: Admittance) -> Admission {
    if admittance.principal == .anonymous, proxies.isEmpty, !call.head.values(of: "x-forwarded-for").isEmpty {
      desk.admittedUnknownThroughProxy()
    }
    let claims = admittance.claims
    if let pinned = claims?.provider, let asked = (try? call.target.single("provider")).flatMap({ $0 }),
      !asked.isEmpty, table.providerName(alias: asked) != pinned
    {
      return refuse(.tokenIsForOthers(parameter: "provider"))
    }
    let offered = call.head.listMembers(of: "sec-websocket-protocol")
    let choice: RouteChoice
    do {
      choice = try table.choose(
        call.target, openAIBeta: call.head.listMembers(of: "openai-beta"), subprotocols: offered,
        key: admittance.preference,
        pins: RoutePins(
          provider: claims?.provider, model: claims?.model,
          purpose: claims.flatMap { $0.purpose == .transcription ? .transcription : nil },
          bringsKey: admittance.clientKey != nil))
    } catch {
      counters.refused(error.code)
      return .refuse(FaultResponse.refusal(for: error, contact: table.contact))
    }
    // A key that cannot be brought to this provider is nobody's.
    if admittance.clientKey != nil, !choice.provider.takesClientKeys { return refuse(.wrongKey) }
    let parameters = parameters(for: choice, admittance)
    let model = parameters.requestedModel ?? parameters.provider.model
    if let refusal = desk.policy.permits(provider: choice.provider.name, model: model, to: admittance) {
      return refuse(refusal)
    }
    if claims?.session != nil, (try? SessionPreview.effective(parameters)) == nil {
      return refuse(.tokenIsForOthers(parameter: "session"))
    }
    return seat(call, admittance, choice, parameters, Subprotocol.answer(to: offered))
  }

  /// A place in this gateway, then a seat with all whose limits hold.
  private func seat(
    _ call: Call, _ admittance: Admittance, _ choice: RouteChoice, _ parameters: SessionParameters,
    _ subprotocol: String?
  ) -> Admission {
    let now = Instant(call.peer.loop.now)
    let place: OccupiedPlace
    do {
      place = try overload.place(for: addressHolders(call), at: now)
    } catch {
      let refusal = FaultResponse.isFull(error, contact: table.contact)
      counters.refused(refusal.code ?? "none")
      return .refuse(refusal)
    }
    var parameters = parameters
    let quota = quotas[choice.provider.name]
    if let quota { parameters.sharedRates.append(quota) }
    let holders = desk.policy.limits(for: admittance, provider: choice.provider)
    for (holder, limits) in holders {
      if let most = limits.maxEventsPerSecond { parameters.sharedRates.append(seats.rate(of: holder, most: most)) }
    }
    let order = SeatOrder(
      sessionID: parameters.sessionID, holders: holders,
      tokenUse: admittance.claims.flatMap { claims in
        claims.maxSessions.map { SeatOrder.TokenUse(id: claims.id, most: $0, until: claims.expiresAt) }
      }, at: desk.clock.now())
    guard !order.holders.isEmpty || order.tokenUse != nil else {
      return accept(call, admittance, choice, parameters, quota, place, nil, subprotocol)
    }
    let seat: Seat
    do {
      seat = try seats.take(order, at: now)
    } catch {
      return refuse(error)
    }
    guard seats.isShared(order) else {
      return accept(call, admittance, choice, parameters, quota, place, seat, subprotocol)
    }
    let grant = call.peer.loop.makePromise(of: AdmissionGrant.self)
    grant.completeWithTask { [seats] in .seat(await seats.share(seat)) }
    return .later(grant.futureResult) { grant in
      guard case .seat(let refusal) = grant else { return refuse(.storeUnavailable) }
      if let refusal { return refuse(refusal) }
      return accept(call, admittance, choice, parameters, quota, place, seat, subprotocol)
    }
  }

  private func refuse(_ refusal: LimitRefusal) -> Admission {
    let answer = FaultResponse.isFull(refusal, contact: table.contact)
    counters.refused(answer.code ?? "none")
    return .refuse(answer)
  }

  private func accept(
    _ call: Call, _ admittance: Admittance, _ choice: RouteChoice, _ parameters: SessionParameters,
    _ quota: ProviderQuota?, _ place: OccupiedPlace, _ seat: Seat?, _ subprotocol: String?
  ) -> Admission {
    let identity = identity(parameters, choice, admittance)
    let usage = books.usage.map { sink in
      SessionUsage(
        identity, sink: sink, clock: desk.clock, loop: call.peer.loop, within: table.limits.usageUpdate)
    }
    let listing = directory.listing(identity, address: call.address?.description)
    let telemetry = telemetry.session(
      id: parameters.sessionID, provider: choice.provider.name, kind: choice.provider.kind.name, head: call.head,
      bringsKey: admittance.clientKey != nil)
    return .accept(subprotocol: subprotocol) { [limits, outgoing, engine, counters, logger] leg in
      let driver = SessionDriver(
        parameters: parameters, downstream: leg, loop: call.peer.loop, limits: limits, outgoing: outgoing,
        engine: engine, quota: quota, seat: seat, usage: usage, listing: listing, telemetry: telemetry,
        client: call.address?.description, logger: logger)
      // Its memory is the connection's, which may outlive the session by a close handshake.
      call.peer.closed.whenComplete { _ in place.giveBack() }
      leg.connection.lastWords = FaultResponse.lastWords
      leg.setOwner(driver)
      counters.began(provider: choice.provider.name)
      driver.begin()
    }
  }

  /// The address that one more session is counted for, where the configuration limits it.
  private func addressHolders(_ call: Call) -> [(holder: Overload.Holder, most: Int)] {
    guard let most = limits.maxSessionsPerAddress, let address = call.address else { return [] }
    return [(.address(address.subscriber), most)]
  }

  private func identity(
    _ parameters: SessionParameters, _ choice: RouteChoice, _ admittance: Admittance
  ) -> UsageIdentity {
    let claims = admittance.claims
    return UsageIdentity(
      sessionID: parameters.sessionID, provider: choice.provider.name, kind: choice.provider.kind.name,
      mode: choice.provider.remote == nil ? .local : admittance.clientKey != nil ? .ownKey : .managedInference,
      key: admittance.principal.usageKey, keyID: admittance.key?.id ?? claims?.keyID,
      app: admittance.principal.usageApp, tokenID: claims?.id, startedAt: desk.clock.now(), instance: books.instance,
      metadata: admittance.key?.metadata ?? [:])
  }

  private func parameters(for choice: RouteChoice, _ admittance: Admittance) -> SessionParameters {
    SessionParameters(
      choice, engine: engine, limits: table.limits, admittance: admittance, policy: desk.policy,
      unixTime: desk.clock.unixTime)
  }
}

extension SessionParameters {
  /// How a session begins that a client was admitted to.
  init(
    _ choice: RouteChoice, engine: VoiceEngine, limits configured: GatewayLimits, admittance: Admittance,
    policy: AccessPolicy, unixTime: Int
  ) {
    let entry = choice.provider
    var limits = SessionLimits()
    limits.dialGrace = configured.dialGrace
    limits.dialLatest = configured.dialLatest
    limits.upstreamFirstEvent = configured.upstreamFirstEvent
    limits.heldBytes = configured.heldBytes
    limits.controlEventsPerSecond = configured.controlEventsPerSecond
    limits.badEventsPerMinute = configured.badEventsPerMinute
    limits.idle = configured.sessionIdle
    if let seconds = admittance.claims?.idleSeconds {
      limits.idle = min(limits.idle ?? .seconds(seconds), .seconds(seconds))
    }
    limits.length = configured.sessionLength
    for (holder, given) in policy.limits(for: admittance, provider: entry) {
      guard let minutes = given.maxMinutesPerSession else { continue }
      let length = Duration.seconds(minutes * 60)
      guard limits.length.map({ length < $0 }) ?? true else { continue }
      limits.length = length
      limits.lengthHolder = holder.kind
    }
    limits.warning = configured.limitWarning
    var generator = SystemRandomNumberGenerator()
    self.init(
      provider: entry.configuration(engine, clientKey: admittance.clientKey),
      // A name that another kind of provider serves is a client's fixed default: the provider's own model serves it.
      requestedModel: choice.isForeignModel ? entry.remote?.model : choice.model,
      purpose: choice.purpose, dialect: choice.dialect, deltaFields: choice.deltaFields,
      isStrict: choice.route.isStrict, passesVendorEvents: choice.passesVendorEvents, limits: limits,
      unixTime: unixTime, seed: UInt128(generator.next()) << 64 | UInt128(generator.next()))
    self.configured = admittance.claims?.session.map { SessionPatch($0) }
    modelRule = ModelRule(
      pinned: admittance.claims?.model,
      allowed: policy.models(of: admittance))
  }
}
