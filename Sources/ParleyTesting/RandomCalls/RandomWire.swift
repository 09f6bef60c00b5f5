public import Envelope
import NIOCore
import Translation

/// A service of the OpenAI wire: it answers what it is sent with the legal sequences of events, late; and otherwise says
/// anything of what it has ever said again.
public struct RandomWire: RandomProvider {
  public typealias Law = AnyFrameLaw
  public static let acceptance: JSONValue = ["type": "session.created", "event_id": "event_hello", "session": session]

  private static let session = JSONCoding.encode(
    RealtimeSession.defaults(id: "sess_service", model: "m", voice: "alloy", expiresAt: 0))

  private var port = Port(ids: IDSource(seed: 99))
  private var timeline = ResponseTimeline()
  private var conversation = Conversation(id: "conv_service")
  private var turn: SpeechTurn?
  /// What is to be said, in order.
  private var replies: [JSONValue] = []
  /// What was said last, to be said again.
  private var said: [JSONValue] = []

  public init() {}

  public mutating func reset() {
    timeline = ResponseTimeline()
    turn = nil
    replies = []
  }

  public func sideFrame(_ random: inout some RandomNumberGenerator) -> JSONValue { Self.acceptance }

  public mutating func play(to call: inout WatchedCall<Law>, _ random: inout some RandomNumberGenerator) {
    // What it was about to say on another connection is not said on this one.
    guard call.isReady else { return }
    for frame in call.takeSent() { answer(frame) }
    if replies.isEmpty { goOn(&random) }
    guard !replies.isEmpty else { return }
    let reply = replies.removeFirst()
    said = said.suffix(30) + [reply]
    call.serves(reply)
  }

  public mutating func speak(to call: inout WatchedCall<Law>, _ random: inout some RandomNumberGenerator) {
    for frame in call.takeSent() { answer(frame) }
    if replies.count < 4 { goOn(&random) }
    guard var event = (replies + said).randomElement(using: &random)?.object else { return }
    let key = event.keys.filter { $0 != "type" }.randomElement(using: &random) ?? "type"
    let other = (replies + said).randomElement(using: &random)?[key]
    switch Int.random(in: 0..<6, using: &random) {
    case 0: event[key] = nil
    case 1: event[key] = .null
    case 2: event[key] = other
    default: break
    }
    event["event_id"] = .string(port.ids.next(.event))
    call.serves(.object(event))
  }

  // MARK: By itself

  private mutating func goOn(_ random: inout some RandomNumberGenerator) {
    switch Int.random(in: 0..<16, using: &random) {
    case 0..<3: timeline.words("word ", &conversation, port: &port)
    case 3..<6: timeline.audio(ByteBuffer(string: "AAABAAIA"), &conversation, port: &port)
    case 6: timeline.call("call_\(conversation.items.count)", name: "f", arguments: "{}", &conversation, port: &port)
    case 7..<9: timeline.finish(.completed, usage: nil, &conversation, port: &port)
    case 9: timeline.finish(.incomplete(.maxOutputTokens), usage: nil, &conversation, port: &port)
    case 10: if turn == nil { turn = SpeechTurn(startedAtMs: 100, port: &port) }
    case 11:
      if timeline.isLive { timeline.finish(.interrupted, usage: nil, &conversation, port: &port) }
      turn?.stop(atMs: 900, port: &port)
      turn?.commit(&conversation, port: &port)
      begin(nil)
    case 12..<14:
      guard let heard = turn, heard.isCommitted else { break }
      turn?.finish(transcript: "heard", isReported: true, &conversation, port: &port)
      turn = nil
    case 14: begin(nil)
    default: port.emit(.rateLimitsUpdated([]))
    }
    collect()
  }

  private mutating func collect() {
    replies += port.outbox.downstream.texts.compactMap { try? JSONValue(parsing: $0) }
    port.outbox.downstream.removeAll()
  }

  private mutating func begin(_ options: ResponseOptions?) {
    let session = RealtimeSession.defaults(id: "sess_service", model: "m", voice: "alloy", expiresAt: 0)
    timeline.begin(
      form: options?.outputModalities == [.text] ? .text : .audio, session: session, options: options,
      conversation: conversation, port: &port)
  }

  // MARK: Upon what it is sent

  private mutating func answer(_ frame: JSONValue) {
    defer { collect() }
    // A service of the beta's names, or of its own, is answered with nothing more than life.
    guard let event = try? ClientEvent.decode(frame) else { return }
    let id = event.eventID
    switch event.body {
    case .sessionUpdate:
      replies.append(
        ["type": "session.updated", "event_id": .string(port.ids.next(.event)), "session": Self.session])
    case .inputAudioBufferAppend: break
    case .inputAudioBufferCommit:
      var committed = turn ?? SpeechTurn(committedByClient: 100, port: &port)
      committed.commit(&conversation, port: &port)
      turn = committed
    case .inputAudioBufferClear: port.emit(.inputAudioBufferCleared)
    case .outputAudioBufferClear: break
    case .conversationItemCreate(var item, let previous):
      if item.id == nil { item.id = port.ids.next(.item) }
      do {
        let place = try conversation.insert(item, after: previous)
        port.emit(.conversationItemAdded(item: item, previousItemID: place))
        port.emit(.conversationItemDone(item: item, previousItemID: place))
      } catch {
        port.emit(error, eventID: id)
      }
    case .conversationItemRetrieve(let itemID):
      guard let item = conversation.item(itemID) else { return port.emit(.retrieveOfUnknownItem(itemID), eventID: id) }
      port.emit(.conversationItemRetrieved(item: item))
    case .conversationItemTruncate(let itemID, let index, let end):
      guard conversation.item(itemID) != nil else { return port.emit(.truncateOfUnknownItem(itemID), eventID: id) }
      port.emit(.conversationItemTruncated(itemID: itemID, contentIndex: index, audioEndMs: end))
    case .conversationItemDelete(let itemID):
      guard conversation.remove(itemID) else { return port.emit(.deleteOfUnknownItem(itemID), eventID: id) }
      port.emit(.conversationItemDeleted(itemID: itemID))
    case .responseCreate(let options):
      if let live = timeline.live { return port.emit(.activeResponse(live.id), eventID: id) }
      begin(options)
    case .responseCancel:
      guard timeline.isLive else { return port.emit(.noActiveResponse(), eventID: id) }
      timeline.finish(.cancelledByClient, usage: nil, &conversation, port: &port)
    }
  }
}
