import Envelope

// The content of message items: words, speech, and the parts that they belong to.

extension Lifecycle.PartKind {
  /// The type of such a part, and the member that has its words.
  var names: (type: String, words: String) {
    switch self {
    case .audio: ("audio", "transcript")
    case .text: ("text", "text")
    }
  }

  var delta: JSONValue {
    self == .audio ? "response.output_audio_transcript.delta" : "response.output_text.delta"
  }

  var done: JSONValue {
    self == .audio ? "response.output_audio_transcript.done" : "response.output_text.done"
  }

  /// Of a part, or of an item's content.
  init?(type: String?) {
    switch type {
    case "text", "output_text": self = .text
    case "audio", "output_audio": self = .audio
    default: return nil
    }
  }

  func part(_ words: String) -> JSONValue {
    ["type": .string(names.type), names.words: .string(words)]
  }
}

extension Lifecycle {
  // MARK: Parts

  /// What words and speech of this kind are told as.
  private func kind(of source: PartKind, in response: Int) -> PartKind {
    let asked = responses[response].kind
    return rules.repeatsTextInAudio || rules.speaksInTextMode && asked == .text ? asked : source
  }

  /// The content part, added if it is new; nil where it is done.
  ///
  /// - Parameter added: the provider's `response.content_part.added`.
  private mutating func part(
    _ source: Int, _ kind: PartKind, _ place: Place, with added: JSONObject? = nil
  ) -> Int? {
    announce(place)
    guard self[place].item["type"] == "message", !self[place].isSettled else { return nil }
    let source = rules.repeatsTextInAudio ? 0 : source
    if let known = self[place].parts.firstIndex(where: { $0.source == source && $0.kind == kind }) {
      return self[place].parts[known].isDone ? nil : known
    }
    let index = self[place].parts.count
    self[place].parts.append(Part(source: source, index: index, kind: kind))
    var event = added ?? ["type": "response.content_part.added"]
    if PartKind(type: event["part"]?["type"]?.string) != kind { event["part"] = kind.part("") }
    tell(event, place, part: index)
    return index
  }

  mutating func partAdded(_ event: JSONObject, at source: Int, _ place: Place) {
    guard let given = PartKind(type: event["part"]?["type"]?.string) else { return }
    if rules.repeatsTextInAudio, given == .text, responses[place.response].kind == .audio { return announce(place) }
    _ = part(source, kind(of: given, in: place.response), place, with: event)
  }

  mutating func partDone(_ event: JSONObject, at source: Int, _ place: Place) {
    guard let given = PartKind(type: event["part"]?["type"]?.string) else { return }
    let words = event["part"]?[given.names.words]?.string ?? ""
    guard isTold(given, place) else { return repeated(words, place, isWhole: true) }
    let kind = kind(of: given, in: place.response)
    guard let part = part(source, kind, place) else { return }
    if !self[place].parts[part].areWordsDone, !words.isEmpty {
      wordsDone(words, given, at: source, place)
    }
    if self[place].parts[part].hasAudio, !self[place].parts[part].isAudioDone {
      // Some end the part before its speech.
      self[place].parts[part].held = event
    } else {
      close(part, place, with: event)
    }
  }

  /// Ends a part: what is open of it first.
  mutating func close(_ part: Int, _ place: Place, with done: JSONObject? = nil) {
    guard !self[place].parts[part].isDone else { return }
    let kind = self[place].parts[part].kind
    if kind == .audio, self[place].parts[part].words.isEmpty, !self[place].repeatedText.isEmpty {
      add(self[place].repeatedText, to: part, place)
    }
    if kind == .audio, !self[place].parts[part].isAudioDone {
      self[place].parts[part].isAudioDone = true
      tell(["type": "response.output_audio.done"], place, part: part)
    }
    let words = self[place].parts[part].words
    if !self[place].parts[part].areWordsDone {
      self[place].parts[part].areWordsDone = true
      tell(["type": kind.done, kind.names.words: .string(words)], place, part: part)
    }
    var event = done ?? self[place].parts[part].held ?? ["type": "response.content_part.done"]
    if PartKind(type: event["part"]?["type"]?.string) != kind || event["part"]?[kind.names.words] == "" {
      event["part"] = kind.part(words)
    }
    self[place].parts[part].isDone = true
    tell(event, place, part: part)
  }

  // MARK: Words

  /// Whether words of this kind are told: where text and transcript say the same, one of them is.
  private mutating func isTold(_ source: PartKind, _ place: Place) -> Bool {
    guard rules.repeatsTextInAudio else { return true }
    if responses[place.response].kind == .audio { return source == .audio }
    if responses[place.response].wordSource == nil { change(place.response) { $0.wordSource = source } }
    return responses[place.response].wordSource == source
  }

  /// Text that the transcript will say too, in all likelihood.
  private mutating func repeated(_ text: String, _ place: Place, isWhole: Bool) {
    announce(place)
    guard responses[place.response].kind == .audio, !text.isEmpty else { return }
    self[place].repeatedText = isWhole ? text : self[place].repeatedText + text
  }

  private mutating func add(_ words: String, to part: Int, _ place: Place, _ event: JSONObject = [:]) {
    self[place].parts[part].words += words
    var event = event
    event["type"] = self[place].parts[part].kind.delta
    event["delta"] = .string(words)
    tell(event, place, part: part)
  }

  /// A delta of a text or of a transcript.
  mutating func words(_ event: JSONObject, _ source: PartKind, at index: Int, _ place: Place) {
    guard let delta = event["delta"]?.string, !responses[place.response].isCancelled else { return }
    guard isTold(source, place) else { return repeated(delta, place, isWhole: false) }
    guard let part = part(index, kind(of: source, in: place.response), place),
      !self[place].parts[part].areWordsDone
    else { return }
    add(delta, to: part, place, event)
  }

  /// The words of a part are whole.
  mutating func wordsDone(
    _ text: String, _ source: PartKind, at index: Int, _ place: Place, with done: JSONObject = [:]
  ) {
    guard isTold(source, place) else { return repeated(text, place, isWhole: true) }
    let kind = kind(of: source, in: place.response)
    guard let part = part(index, kind, place), !self[place].parts[part].areWordsDone else { return }
    if self[place].parts[part].words.isEmpty, !text.isEmpty { add(text, to: part, place) }
    if !text.isEmpty { self[place].parts[part].words = text }
    self[place].parts[part].areWordsDone = true
    var event = done
    event.removeValue(forKey: source.names.words)
    event["type"] = kind.done
    event[kind.names.words] = .string(self[place].parts[part].words)
    tell(event, place, part: part)
  }

  /// What an item's final content has beyond what was told of it.
  mutating func tellRest(of content: [JSONValue], _ place: Place) {
    guard !responses[place.response].isCancelled else { return }
    for (index, value) in content.enumerated() {
      guard let source = PartKind(type: value["type"]?.string), let words = value[source.names.words]?.string,
        !words.isEmpty
      else { continue }
      wordsDone(words, source, at: index, place)
    }
    if self[place].parts.isEmpty, !self[place].repeatedText.isEmpty { _ = part(0, .audio, place) }
  }

  // MARK: Speech

  mutating func audio(_ event: JSONObject, at source: Int, _ place: Place) {
    guard let delta = event["delta"]?.string, !responses[place.response].isCancelled,
      kind(of: .audio, in: place.response) == .audio, let part = part(source, .audio, place),
      !self[place].parts[part].isAudioDone
    else { return }
    self[place].parts[part].hasAudio = true
    let padding = delta.utf8.suffix(2).count { $0 == UInt8(ascii: "=") }
    change(place.response) { $0.audioBytes += delta.utf8.count / 4 * 3 - padding }
    tell(event, place, part: part)
    lane = Lane(
      place: place, part: part, responseID: Array(responses[place.response].id.utf8),
      itemID: Array(self[place].id.utf8), outputIndex: place.output, contentIndex: part)
  }

  mutating func audioDone(_ event: JSONObject, at source: Int, _ place: Place) {
    guard kind(of: .audio, in: place.response) == .audio, let part = part(source, .audio, place),
      !self[place].parts[part].isAudioDone
    else { return }
    self[place].parts[part].isAudioDone = true
    tell(event, place, part: part)
    if self[place].parts[part].held != nil { close(part, place) }
  }

  // MARK: Content

  /// Whether a provider's content agrees with what was told.
  func isContent(_ given: [JSONValue], of place: Place) -> Bool {
    given.count == self[place].parts.count
      && zip(given, self[place].parts).allSatisfy { value, part in
        PartKind(type: value["type"]?.string) == part.kind
          && (value[part.kind.names.words]?.string == part.words || part.words.isEmpty)
      }
  }

  /// The item's content as it was told.
  func content(of place: Place) -> JSONValue {
    .array(
      self[place].parts.map { part in
        ["type": .string("output_" + part.kind.names.type), part.kind.names.words: .string(part.words)]
      })
  }
}
