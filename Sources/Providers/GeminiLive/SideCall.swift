import Envelope
public import NIOCore
public import Translation

import Audio

/// A response outside of the conversation: a short session of its own beside the call's, which is told what the response
/// is about, asked once, and closed.
struct SideCall: Sendable {
  let line: SideLine
  var timeline: ResponseTimeline
  let setUp: JSONValue
  /// What the service is told and asked when it is set up.
  let messages: [ClientMessage]
  /// The set-up asks for text.
  let writes: Bool
  var transcoder: AudioTranscoder?
  var isSetUp = false
  var isGenerated = false
  var usage: Usage?
  /// It fails then; once all is generated, it is complete then.
  var deadline: Instant
}

extension GeminiLiveTranslator {
  /// - Throws: what the response names and nobody has, and too many at once.
  mutating func openSide(_ options: ResponseOptions?, at now: Instant, port: inout Port) throws(EventFault) {
    guard sides.count < Limits.sideResponses else {
      throw .tooMuchHeld(
        "\(Limits.sideResponses) responses outside of the conversation are open already.", param: "response")
    }
    var session = self.session
    let traits = configuration.traits(of: session.model)
    if let tools = options?.tools {
      _ = try Self.tools(tools, traits, path: "response.tools")
      session.tools = tools
    }
    if let choice = options?.toolChoice { session.toolChoice = choice }
    if let instructions = options?.instructions { session.instructions = instructions }
    if let modalities = options?.outputModalities { session.outputModalities = modalities }
    if let tokens = options?.maxOutputTokens { session.maxOutputTokens = tokens }
    if let reasoning = options?.reasoning { session.reasoning = reasoning }
    if let voice = options?.audio?.output?.voice { session.audio.output.voice = voice }
    session.audio.input.turnDetection = nil
    session.audio.input.transcription = nil
    let items = try input(of: options)
    let (messages, announces) = Self.messages(of: items, traits)
    let setUp = SetUp(session, configuration, ownsTurns: true, tools: try Self.tools(of: session, traits))
    sideCount += 1
    let line = SideLine(number: sideCount)
    var timeline = ResponseTimeline(besideConversation: &port)
    timeline.begin(
      form: session.outputModalities == [.text] ? .text : .audio, session: session, options: options,
      conversation: conversation, port: &port)
    port.emitRateLimits()
    sides.append(
      SideCall(
        line: line, timeline: timeline,
        setUp: setUp.message(handle: nil, history: nil, announcesHistory: announces), messages: messages,
        writes: setUp.writes,
        transcoder: Self.transcoder(to: options?.audio?.output?.format ?? session.audio.output.format),
        deadline: now + Limits.answerTimeout))
    port.outbox.actions.append(.dialSide(line, upstream()))
  }

  /// The conversation, or what the client gives in its place.
  private func input(of options: ResponseOptions?) throws(EventFault) -> [Item] {
    guard let input = options?.input else { return conversation.items.filter { $0.id != timeline.openItemID } }
    var items: [Item] = []
    for (index, item) in input.enumerated() {
      guard item.type == .itemReference else {
        items.append(item)
        continue
      }
      guard let id = item.id, let known = conversation.item(id) else {
        throw .invalidValue(
          param: "response.input[\(index)].id", because: "the conversation has no item with this id.")
      }
      items.append(known)
    }
    return items
  }

  /// What tells the model all of it and makes it answer, and whether that begins with announced history.
  private static func messages(of items: [Item], _ traits: ModelTraits) -> ([ClientMessage], Bool) {
    let turns = Uplink.contents(items, instructions: nil, traits: traits)
    switch traits.textInput {
    case .clientContent:
      guard !turns.isEmpty else { return ([Uplink.cue(traits)], false) }
      var all = turns
      // A last turn of the model would be nothing to answer.
      if all.last?.role != "user", case .userTurn(let text) = traits.cue {
        all.append(Content(role: "user", text: text))
      }
      return ([ClientMessage(clientContent: ClientContent(turns: all, turnComplete: true))], false)
    case .realtimeText:
      let words = turns.reversed().prefix { $0.role == "user" }.reversed().flatMap(\.parts).compactMap(\.text)
      let history = turns.dropLast(turns.reversed().prefix { $0.role == "user" }.count)
      let ask =
        words.isEmpty
        ? Uplink.cue(traits) : ClientMessage(realtimeInput: RealtimeInput(text: words.joined(separator: "\n")))
      let images = Uplink.images(of: items)
      guard !history.isEmpty else { return (images + [ask], false) }
      let told = ClientMessage(clientContent: ClientContent(turns: Array(history), turnComplete: true))
      return ([told] + images + [ask], true)
    }
  }

  // MARK: The connection

  public mutating func sideOpened(_ line: SideLine, at now: Instant, port: inout Port) {
    guard let side = sides.first(where: { $0.line == line }) else { return }
    var message = ByteBuffer()
    side.setUp.write(into: &message)
    port.outbox.actions.append(.sendSide(line, message))
  }

  public mutating func sideMessage(_ message: ByteBuffer, on line: SideLine, at now: Instant, port: inout Port) {
    guard let index = sides.firstIndex(where: { $0.line == line }) else { return }
    do {
      try sideSaid(try ServerMessage(decoding: message), index, at: now, port: &port)
    } catch {
      port.note(.error, "the provider broke its protocol", ["fault": "\(error)"])
      endSide(
        line,
        .failed(code: "upstream_protocol_error", message: "The provider sent what is not part of its protocol."),
        port: &port)
    }
  }

  public mutating func sideEnded(_ line: SideLine, _ end: UpstreamEnd, at now: Instant, port: inout Port) {
    let verdict = verdict(on: end)
    endSide(
      line,
      .failed(
        code: verdict?.code ?? "upstream_lost",
        message: verdict?.message ?? "The connection to the provider could not be made, or was lost."),
      port: &port)
  }

  private mutating func sideSaid(
    _ message: ServerMessage, _ index: Int, at now: Instant, port: inout Port
  ) throws(TranslationFault) {
    let line = sides[index].line
    if let error = message.error { throw .refused(GeminiLiveVerdict.onErrorMessage(error)) }
    if message.setupComplete != nil, !sides[index].isSetUp {
      sides[index].isSetUp = true
      for message in sides[index].messages {
        var text = ByteBuffer()
        message.write(into: &text)
        port.outbox.actions.append(.sendSide(line, text))
      }
    }
    if let usage = message.usageMetadata?.value {
      sides[index].usage = Downlink.usage(usage, writes: sides[index].writes)
    }
    if let content = message.serverContent {
      for part in content.modelTurn?.parts ?? [] {
        if let text = part.text, part.thought != true, sides[index].writes {
          sides[index].timeline.words(text, &conversation, port: &port)
        }
        guard let data = part.inlineData?.data, !data.isEmpty, part.inlineData?.mimeType?.hasPrefix("audio/") ?? true
        else { continue }
        do {
          sideSpeak(try AudioPayload.standard(from: data).base64, index, port: &port)
        } catch {
          throw .malformedMessage("inlineData.data: \(error)")
        }
      }
      if let words = content.outputTranscription?.text, !sides[index].writes {
        sides[index].timeline.words(words, &conversation, port: &port)
      }
      sides[index].deadline = now + Limits.answerTimeout
      // A model that thinks on says itself when it has finished.
      if content.generationComplete == true, !traits.endsWhenIdle {
        sides[index].isGenerated = true
        sides[index].deadline = now + Limits.usageTimeout
      }
    }
    for call in message.toolCall?.distinctCalls ?? [] {
      let id = call.id ?? port.ids.next(.call)
      sides[index].timeline.call(
        id, name: call.name ?? "", arguments: (call.args ?? [:]).text, &conversation, port: &port)
    }
    let ending = Downlink.ending(message.serverContent?.turnCompleteReason ?? "")
    let status = message.serverContent?.interactionStatus ?? message.interactionStatus
    let thinksOn = traits.endsWhenIdle && status == "IN_PROGRESS"
    if thinksOn { sides[index].deadline = now + Limits.thinkingTimeout }
    let isOver = message.serverContent?.turnComplete == true && !thinksOn
    if isOver {
      switch ending {
      case nil: endSide(line, .completed, port: &port)
      case (true, _)?: endSide(line, .incomplete(.contentFilter), port: &port)
      case (false, let code)?:
        endSide(line, .failed(code: code, message: "The provider could not complete the answer."), port: &port)
      }
    } else if message.toolCall != nil || (sides[index].isGenerated && sides[index].usage != nil) {
      endSide(line, .completed, port: &port)
    }
  }

  private mutating func sideSpeak(_ base64: ByteBuffer, _ index: Int, port: inout Port) {
    guard sides[index].transcoder != nil else {
      return sides[index].timeline.audio(base64, &conversation, port: &port)
    }
    var converted = ByteBuffer()
    sides[index].transcoder?.convert(base64, into: &converted)
    if converted.readableBytes > 0 { sides[index].timeline.audio(converted, &conversation, port: &port) }
  }

  mutating func sideTimedOut(_ line: SideLine, port: inout Port) {
    let side = sides.first { $0.line == line }
    let isSaid = side?.isGenerated ?? false || (traits.endsWhenIdle && side?.timeline.hasOutput ?? false)
    endSide(
      line,
      isSaid
        ? .completed : .failed(code: "upstream_timeout", message: "The provider did not answer in time."),
      port: &port)
  }

  mutating func endSide(_ line: SideLine, _ ending: ResponseTimeline.Ending, port: inout Port) {
    guard let index = sides.firstIndex(where: { $0.line == line }) else { return }
    var side = sides.remove(at: index)
    if side.transcoder != nil, side.timeline.openItemID != nil {
      var rest = ByteBuffer()
      side.transcoder?.flush(into: &rest)
      if rest.readableBytes > 0 { side.timeline.audio(rest, &conversation, port: &port) }
    }
    side.timeline.finish(ending, usage: side.usage, &conversation, port: &port)
    port.outbox.actions.append(.closeSide(line))
  }
}
