import Envelope
import NIOCore
import Translation

/// What the client says, in the service's words.
enum Uplink {
  // MARK: Content

  /// The messages that make the model answer `items`, the oldest first: text and images.
  ///
  /// - Parameter isBesideAudio: the client's audio goes up at the same time. A written turn that is completed then ends
  ///   the connection; what came before it may still be told.
  static func turn(
    _ items: [Item], instructions: String?, isBesideAudio: Bool = false, traits: ModelTraits
  ) -> [ClientMessage] {
    let turns = contents(items, instructions: instructions, traits: traits)
    let words = turns.reversed().prefix { $0.role == "user" }.reversed().flatMap(\.parts).compactMap(\.text)
    switch traits.textInput {
    case .clientContent where isBesideAudio && !words.isEmpty:
      let told = turns.dropLast(turns.reversed().prefix { $0.role == "user" }.count)
      let history = ClientMessage(clientContent: ClientContent(turns: Array(told), turnComplete: false))
      return (told.isEmpty ? [] : [history]) + images(of: items) + [
        ClientMessage(realtimeInput: RealtimeInput(text: words.joined(separator: "\n")))
      ]
    case .clientContent:
      var messages = traits.takesImagesInTurns ? [] : images(of: items)
      messages.append(
        turns.isEmpty ? cue(traits) : ClientMessage(clientContent: ClientContent(turns: turns, turnComplete: true)))
      return messages
    case .realtimeText:
      let text = turns.flatMap(\.parts).compactMap(\.text).joined(separator: "\n")
      return images(of: items) + [
        text.isEmpty ? cue(traits) : ClientMessage(realtimeInput: RealtimeInput(text: text))
      ]
    }
  }

  /// The message that gives `items` as context without asking for an answer; nil where there is nothing to give.
  static func context(_ items: [Item], instructions: String?, traits: ModelTraits) -> ClientMessage? {
    let turns = contents(items, instructions: instructions, traits: traits)
    return turns.isEmpty ? nil : ClientMessage(clientContent: ClientContent(turns: turns, turnComplete: false))
  }

  /// Images as frames of video, for families that see them nowhere else.
  static func images(of items: [Item]) -> [ClientMessage] {
    items.flatMap { $0.content ?? [] }.compactMap { part in
      guard case .inputImage(let url, _, _) = part, let image = DataURL(url) else { return nil }
      return ClientMessage(realtimeInput: RealtimeInput(video: Blob(mimeType: image.mimeType, data: image.base64)))
    }
  }

  static func contents(_ items: [Item], instructions: String?, traits: ModelTraits) -> [Content] {
    var turns: [Content] = []
    // As a turn of its own a message of the role `system` is not obeyed, in the user's next words it is.
    var notes: [Content.Part] = []
    for item in items {
      guard var content = content(item, traits: traits) else { continue }
      guard item.role != .system else {
        notes += content.parts
        continue
      }
      if content.role == "user" {
        content.parts = notes + content.parts
        notes = []
      }
      turns.append(content)
    }
    if !notes.isEmpty { turns.append(Content(role: "user", parts: notes)) }
    guard let instructions, !instructions.isEmpty else { return turns }
    let note = "[For this reply only: \(instructions)]\n"
    if let last = turns.indices.last(where: { turns[$0].role == "user" }) {
      turns[last].parts.insert(.init(text: note), at: 0)
    } else {
      turns.append(Content(role: "user", text: note))
    }
    return turns
  }

  /// An item as a turn. The service knows the roles `user` and `model`, and no calls or results among the turns: old ones
  /// are told as text.
  static func content(_ item: Item, traits: ModelTraits) -> Content? {
    switch item.type {
    case .message:
      return message(item, traits: traits)
    case .functionCall:
      return Content(role: "model", text: "[called \(item.name ?? "") with \(item.arguments ?? "{}")]")
    case .functionCallOutput:
      let name = item.name.map { " of \($0)" } ?? ""
      return Content(role: "user", text: "[The result\(name): \(item.output ?? "")]")
    default:
      return nil
    }
  }

  private static func message(_ item: Item, traits: ModelTraits) -> Content? {
    var parts: [Content.Part] = []
    for part in item.content ?? [] {
      if case .inputImage(let url, _, _) = part {
        guard traits.takesImagesInTurns, let image = DataURL(url) else { continue }
        parts.append(.init(inlineData: Blob(mimeType: image.mimeType, data: image.base64)))
      } else if let text = part.text, !text.isEmpty {
        parts.append(.init(text: item.role == .system ? "[System: \(text)]" : text))
      } else if case .inputAudio(_, nil, _) = part {
        parts.append(.init(text: "[The user said something that was not transcribed.]"))
      }
    }
    guard !parts.isEmpty else { return nil }
    return Content(role: item.role == .assistant ? "model" : "user", parts: parts)
  }

  /// What was said, as one text, for families that are told in the system instruction.
  static func story(_ items: [Item], traits: ModelTraits) -> String? {
    let lines = contents(items, instructions: nil, traits: traits).map { turn in
      (turn.role == "model" ? "You: " : "User: ") + turn.parts.compactMap(\.text).joined(separator: " ")
    }
    return lines.isEmpty ? nil : "The conversation so far:\n" + lines.joined(separator: "\n")
  }

  /// What makes the model speak with nothing new to answer.
  static func cue(_ traits: ModelTraits) -> ClientMessage {
    switch traits.cue {
    case .emptyTurn:
      ClientMessage(clientContent: ClientContent(turns: [], turnComplete: true))
    case .userTurn(let text):
      ClientMessage(clientContent: ClientContent(turns: [Content(role: "user", text: text)], turnComplete: true))
    case .realtimeText(let text):
      ClientMessage(realtimeInput: RealtimeInput(text: text))
    }
  }

  static let activityStart = ClientMessage(realtimeInput: RealtimeInput(activityStart: EmptyObject()))
  static let activityEnd = ClientMessage(realtimeInput: RealtimeInput(activityEnd: EmptyObject()))
  static let audioStreamEnd = ClientMessage(realtimeInput: RealtimeInput(audioStreamEnd: true))
  static let stopGenerating = ClientMessage(clientContent: ClientContent(turnComplete: false))

  // MARK: Audio

  private static let audioHead = ByteBuffer(
    string: #"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=24000","data":""#)
  /// For G.711, decoded.
  private static let narrowHead = ByteBuffer(
    string: #"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=8000","data":""#)
  private static let audioTail = ByteBuffer(string: #""}}}"#)

  /// Writes one `realtimeInput.audio` around base64 text, which is copied as it is.
  @inline(__always)
  static func writeAudio(_ base64: ByteBuffer, rate: Int, into buffer: inout ByteBuffer) {
    switch rate {
    case 24_000: buffer.writeImmutableBuffer(audioHead)
    case 8_000: buffer.writeImmutableBuffer(narrowHead)
    default: buffer.writeString(#"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=\#(rate)","data":""#)
    }
    buffer.writeImmutableBuffer(base64)
    buffer.writeImmutableBuffer(audioTail)
  }
}

extension ClientMessage {
  /// Appends the message as compact JSON.
  func write(into buffer: inout ByteBuffer) {
    JSONCoding.encode(self).write(into: &buffer)
  }
}

/// `data:image/png;base64,…`.
struct DataURL {
  let mimeType: String
  let base64: String

  init?(_ url: String) {
    guard url.hasPrefix("data:"), let comma = url.firstIndex(of: ",") else { return nil }
    let head = url[url.index(url.startIndex, offsetBy: 5)..<comma]
    guard head.hasSuffix(";base64") else { return nil }
    mimeType = head.dropLast(7).split(separator: ";").first.map(String.init) ?? ""
    base64 = String(url[url.index(after: comma)...])
  }
}
