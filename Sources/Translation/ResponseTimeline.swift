public import Envelope
import Metering
public import NIOCore

/// Emits the full, legal event sequence of a response from the few things a provider says about it: begin, audio,
/// transcript, text, call, close the item, finish.
///
/// Order and fields follow recorded sessions of the OpenAI service. At most one response of a timeline is live; nothing
/// follows its `response.done`. A session has one timeline for its conversation, and one for each response beside it.
public struct ResponseTimeline: Sendable {
  /// What the answer's text is to the client.
  public enum Form: Sendable, Hashable {
    /// Spoken: audio deltas and the transcript of them.
    case audio
    /// Written: text deltas only; audio that the provider speaks all the same is dropped.
    case text
  }

  /// How an answer ends.
  public enum Ending: Sendable, Hashable {
    case completed
    /// The user spoke into it.
    case interrupted
    case cancelledByClient
    case incomplete(StatusDetails.Reason)
    case failed(code: String, message: String)
  }

  /// The response in progress.
  public struct Live: Sendable {
    public let id: String
    public let form: Form
    /// Of its speech; a response may have one of its own.
    let audioFormat: AudioFormat
    var response: Response
    var message: OpenMessage?
    var nextOutputIndex = 0
  }

  /// The message item that deltas go to.
  struct OpenMessage: Sendable {
    let position: PartPosition
    let previousItemID: String?
    var text = ""
  }

  public private(set) var live: Live?
  /// Writes the audio of a response outside of the conversation; the conversation's own is the port's.
  private var deltas: AudioDeltaWriter?

  /// The timeline of the conversation's responses.
  public init() {}

  /// The timeline of one response outside of the conversation: its items are announced to nobody else.
  public init(besideConversation port: inout Port) {
    deltas = AudioDeltaWriter(ids: port.ids.fork())
  }

  public var isLive: Bool { live != nil }
  private var isInConversation: Bool { deltas == nil }
  /// The message item that words and speech go to, while one is open.
  public var openItemID: String? { live?.message?.position.itemID }
  /// Whether the live response has said, written or called anything.
  public var hasOutput: Bool { (live?.nextOutputIndex ?? 0) > 0 }

  // MARK: Beginning

  /// Emits `response.created`. Does nothing while a response is live.
  public mutating func begin(
    form: Form, session: RealtimeSession, options: ResponseOptions?, conversation: Conversation, port: inout Port
  ) {
    guard live == nil else { return }
    let id = port.ids.next(.response)
    let response = Response.opened(
      id: id, form: form, session: session, options: options,
      conversationID: isInConversation ? conversation.id : nil)
    live = Live(
      id: id, form: form, audioFormat: options?.audio?.output?.format ?? session.audio.output.format, response: response
    )
    port.emit(.responseCreated(response))
  }

  /// Opens the message item that the answer goes to, if none is open.
  private mutating func openMessage(_ conversation: inout Conversation, port: inout Port) {
    guard let current = live, current.message == nil else { return }
    let itemID = port.ids.next(.item)
    let item = Item.message(id: itemID, role: .assistant, status: .inProgress, content: [])
    let position = PartPosition(
      responseID: current.id, itemID: itemID, outputIndex: current.nextOutputIndex, contentIndex: 0)
    port.emit(.responseOutputItemAdded(responseID: current.id, outputIndex: position.outputIndex, item: item))
    let previous = announce(item, &conversation, port: &port)
    port.emit(
      .responseContentPartAdded(position, part: current.form == .audio ? .audio(transcript: "") : .text("")))
    if isInConversation {
      port.audioDeltas.begin(
        responseID: current.id, itemID: itemID, outputIndex: position.outputIndex, contentIndex: 0)
    } else {
      deltas?.begin(responseID: current.id, itemID: itemID, outputIndex: position.outputIndex, contentIndex: 0)
    }
    live?.nextOutputIndex += 1
    live?.message = OpenMessage(position: position, previousItemID: previous)
  }

  /// A new item becomes known to the conversation, if it is of it. Gives the id of the item before.
  private func announce(_ item: Item, _ conversation: inout Conversation, port: inout Port) -> String? {
    guard isInConversation else { return nil }
    let previous = conversation.append(item)
    port.emit(.conversationItemAdded(item: item, previousItemID: previous))
    return previous
  }

  /// An item has its final form.
  private mutating func complete(
    _ item: Item, outputIndex: Int, previousItemID: String?, _ conversation: inout Conversation, port: inout Port
  ) {
    guard let id = live?.id else { return }
    if isInConversation {
      conversation.replace(item)
      port.emit(.conversationItemDone(item: item, previousItemID: previousItemID))
    }
    port.emit(.responseOutputItemDone(responseID: id, outputIndex: outputIndex, item: item))
    live?.response.output.append(item)
  }

  // MARK: Content

  /// A chunk of speech as standard base64 text; re-framed, not decoded. Dropped in a written answer.
  public mutating func audio(_ base64: ByteBuffer, _ conversation: inout Conversation, port: inout Port) {
    guard live?.form == .audio, let format = live?.audioFormat else { return }
    if live?.message == nil { openMessage(&conversation, port: &port) }
    if isInConversation {
      port.emitAudioDelta(base64, format)
    } else {
      port.spoke(base64, format)
      port.outbox.downstream.append(.audio) { deltas?.write(base64.readableBytesView, into: &$0) }
    }
  }

  /// A call of one of the client's functions, whole; it is an item of its own.
  public mutating func call(
    _ callID: String, name: String, arguments: String, _ conversation: inout Conversation, port: inout Port
  ) {
    guard live != nil else { return }
    closeItem(.completed, &conversation, port: &port)
    guard let current = live else { return }
    let itemID = port.ids.next(.item)
    let index = current.nextOutputIndex
    live?.nextOutputIndex += 1
    let opened = Item.functionCall(id: itemID, status: .inProgress, callID: callID, name: name, arguments: "")
    port.emit(.responseOutputItemAdded(responseID: current.id, outputIndex: index, item: opened))
    let previous = announce(opened, &conversation, port: &port)
    port.emit(
      .responseFunctionCallArgumentsDelta(
        responseID: current.id, itemID: itemID, outputIndex: index, callID: callID, delta: arguments))
    port.emit(
      .responseFunctionCallArgumentsDone(
        responseID: current.id, itemID: itemID, outputIndex: index, callID: callID, name: name, arguments: arguments))
    let item = Item.functionCall(id: itemID, callID: callID, name: name, arguments: arguments)
    complete(item, outputIndex: index, previousItemID: previous, &conversation, port: &port)
  }

  /// A piece of the answer's words, to be concatenated as it is.
  public mutating func words(_ text: String, _ conversation: inout Conversation, port: inout Port) {
    guard let form = live?.form, !text.isEmpty else { return }
    if live?.message == nil { openMessage(&conversation, port: &port) }
    guard let position = live?.message?.position else { return }
    live?.message?.text += text
    switch form {
    case .audio: port.emit(.responseOutputAudioTranscriptDelta(position, delta: text))
    case .text: port.emit(.responseOutputTextDelta(position, delta: text))
    }
  }

  /// Adds to what `response.done` has as metadata, as far as the envelope has room: 16 keys, 512 characters each. What the
  /// client gave stays.
  public mutating func annotate(_ key: String, _ value: String) {
    guard var response = live?.response, value.unicodeScalars.count <= 512 else { return }
    var metadata = response.metadata?.object ?? JSONObject()
    guard metadata[key] == nil, metadata.count < 16 else { return }
    metadata[key] = .string(value)
    response.metadata = .object(metadata)
    live?.response = response
  }

  // MARK: Ending

  /// Closes the open message item: nothing more belongs to it.
  public mutating func closeItem(_ status: ItemStatus, _ conversation: inout Conversation, port: inout Port) {
    guard let current = live, let message = current.message else { return }
    let position = message.position
    let content: ContentPart
    switch current.form {
    case .audio:
      port.emit(.responseOutputAudioDone(position))
      port.emit(.responseOutputAudioTranscriptDone(position, transcript: message.text))
      port.emit(.responseContentPartDone(position, part: .audio(transcript: message.text)))
      content = .outputAudio(audio: nil, transcript: message.text)
    case .text:
      port.emit(.responseOutputTextDone(position, text: message.text))
      port.emit(.responseContentPartDone(position, part: .text(message.text)))
      content = .outputText(message.text)
    }
    let item = Item.message(id: position.itemID, role: .assistant, status: status, content: [content])
    complete(
      item, outputIndex: position.outputIndex, previousItemID: message.previousItemID, &conversation, port: &port)
    live?.message = nil
  }

  /// Closes what is open, counts the tokens and emits `response.done`.
  ///
  /// - Parameter isEstimated: the usage is our own guess.
  public mutating func finish(
    _ ending: Ending, usage: Usage?, isEstimated: Bool = false, _ conversation: inout Conversation, port: inout Port
  ) {
    closeItem(ending == .completed ? .completed : .incomplete, &conversation, port: &port)
    guard var response = live?.response else { return }
    response.status = ending.status
    response.statusDetails = ending.details
    response.usage = usage
    if let usage { port.meter.count(usage, isEstimated: isEstimated) }
    live = nil
    port.emit(.responseDone(response))
  }
}

extension ResponseTimeline.Ending {
  var status: ResponseStatus {
    switch self {
    case .completed: .completed
    case .interrupted, .cancelledByClient: .cancelled
    case .incomplete: .incomplete
    case .failed: .failed
    }
  }

  var details: StatusDetails? {
    switch self {
    case .completed: nil
    case .interrupted: StatusDetails(status: .cancelled, reason: .turnDetected)
    case .cancelledByClient: StatusDetails(status: .cancelled, reason: .clientCancelled)
    case .incomplete(let reason): StatusDetails(status: .incomplete, reason: reason)
    case .failed(let code, let message):
      StatusDetails(status: .failed, error: ResponseError(type: "server_error", code: code, message: message))
    }
  }
}

extension Response {
  /// A response as `response.created` shows it.
  static func opened(
    id: String, form: ResponseTimeline.Form, session: RealtimeSession, options: ResponseOptions?,
    conversationID: String?
  ) -> Response {
    Response(
      id: id, conversationID: conversationID,
      outputModalities: form == .audio ? [.audio] : [.text],
      maxOutputTokens: options?.maxOutputTokens ?? session.maxOutputTokens,
      audio: ResponseAudio(
        format: options?.audio?.output?.format ?? session.audio.output.format,
        voice: options?.audio?.output?.voice ?? session.audio.output.voice),
      metadata: options?.metadata)
  }
}
