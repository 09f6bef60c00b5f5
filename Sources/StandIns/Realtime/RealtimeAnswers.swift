import Envelope

/// What the service says to what.
extension RealtimeStandIn {
  /// The steps of the answer to a conversation, and the time between them if it is not the usual one.
  mutating func answer(
    to context: [JSONObject], settings: JSONObject, isSpoken: Bool, format: SoundFormat
  ) -> (steps: [RunningResponse.Step], interval: Duration) {
    let sounds = isSpoken ? StandInSound.parts(format) : []
    let say = { (text: String) in
      RunningResponse.message(text, sounds) + [.end(status: "completed", reason: nil)]
    }
    if let results = results(at: context) { return (say(results), .zero) }
    let choice = settings["tool_choice"] ?? session["tool_choice"]
    let tools = choice?.string == "none" ? [] : declaredFunctions(settings)
    if choice?["type"]?.string == "function", let name = choice?["name"]?.string,
      tools.contains(name)
    {
      return (calls([.init(name: name, arguments: [:])], sounds), .zero)
    }
    let words = latestUserWords(in: context)
    let trigger = StandInTrigger(words, declared: Set(tools))
    if case .story = trigger { return (story(sounds), options.storyInterval) }
    if case .call(let functions) = trigger { return (calls(functions, sounds), .zero) }
    let steps =
      special(trigger, words, context, say) ?? limited(words, settings, sounds)
      ?? say(
        StandInWords.answer(to: words))
    return (steps, .zero)
  }

  private func declaredFunctions(_ settings: JSONObject) -> [String] {
    let tools = (settings["tools"] ?? session["tools"])?.array ?? []
    return tools.filter { $0["type"]?.string == "function" }.compactMap { $0["name"]?.string }
  }

  /// `The result of NAME is …` for the results that the context ends with; nil if it ends with something else.
  private func results(at context: [JSONObject]) -> String? {
    let outputs = context.reversed().prefix { $0["type"]?.string == "function_call_output" }
      .reversed()
    guard !outputs.isEmpty else { return nil }
    return outputs.map { output in
      let call = context.last {
        $0["type"]?.string == "function_call" && $0["call_id"] == output["call_id"]
      }
      return
        "The result of \(call?["name"]?.string ?? "the call") is \(output["output"]?.string ?? "")."
    }.joined(separator: " ")
  }

  private func calls(_ calls: [StandInTrigger.Call], _ sounds: [Sound]) -> [RunningResponse.Step] {
    let words =
      manners.speaksBeforeCalls ? RunningResponse.message("One moment please.", sounds) : []
    return words + calls.flatMap(RunningResponse.call) + [.end(status: "completed", reason: nil)]
  }

  /// An answer that the session's limit of tokens cuts; a word is a token.
  private func limited(
    _ words: String, _ settings: JSONObject, _ sounds: [Sound]
  ) -> [RunningResponse.Step]? {
    let answer = StandInWords.answer(to: words).split(separator: " ")
    guard let limit = (settings["max_output_tokens"] ?? session["max_output_tokens"])?.int,
      limit < answer.count
    else { return nil }
    let part = answer.prefix(limit).joined(separator: " ")
    return RunningResponse.message(part, sounds).dropLast() + [
      .end(status: "incomplete", reason: "max_output_tokens")
    ]
  }

  /// `Once upon a time: 1, 2, …`: a number for each 100 ms of sound, so that a listener knows where it was cut.
  private func story(_ sounds: [Sound]) -> [RunningResponse.Step] {
    var steps = [RunningResponse.Step.message]
    for number in 1...max(options.storyFrames, 1) {
      steps.append(.words((number == 1 ? "Once upon a time: " : ", ") + String(number)))
      if !sounds.isEmpty { steps.append(.sound(sounds[number % sounds.count])) }
    }
    return steps + [.messageEnd, .end(status: "completed", reason: nil)]
  }

  private mutating func special(
    _ trigger: StandInTrigger?, _ words: String, _ context: [JSONObject],
    _ say: (String) -> [RunningResponse.Step]
  ) -> [RunningResponse.Step]? {
    switch trigger {
    case .nothing: [.end(status: "completed", reason: nil)]
    case .stall: []
    case .end(let reason): [.end(status: "incomplete", reason: reason.lowercased())]
    case .speakAndEnd(let reason):
      say("I begin to say").dropLast(2) + [.end(status: "incomplete", reason: reason.lowercased())]
    case .fail(let code): [.end(status: "failed", reason: code)]
    case .phantom:
      Array(say("I begin to say").prefix(3)) + [.end(status: "cancelled", reason: "turn_detected")]
    case .recall: say(recall(context))
    case .recallAll: say(recallAll(context))
    case .instructions, .tools, .voice, .images: say(description(trigger))
    case .close(let code, let reason): [.close(code, reason)]
    case .closeMidway(let code):
      Array(say("This is the last that you hear.").prefix(3)) + [.close(code, StandInTrigger.reason(for: code))]
    case .abort: [.drop]
    case .abortMidway: Array(say("This is the last that you hear.").prefix(3)) + [.drop]
    case .goAway: say("Goodbye.") + [.expire]
    case .abortTimes(let count): drops(count)
    case .extras: [.events(accent.extras(ids: &ids))] + say("Those were all.")
    case .exhaust: [.events([accent.exhaustion(ids: &ids)])] + say("There is no room left.")
    case .hear(let phrase): hear(phrase, say(StandInWords.answer(to: words)))
    case .forgetHandles: forget(say("Forgotten."))
    case nil, .call, .callNothing, .story, .thinkHard, .failResumption: nil
    }
  }

  private func drops(_ count: Int) -> [RunningResponse.Step] {
    memory.dropNext(count - 1)
    return [.drop]
  }

  private mutating func hear(_ words: String, _ steps: [RunningResponse.Step]) -> [RunningResponse
    .Step]
  {
    phrase = words
    return steps
  }

  private func forget(_ steps: [RunningResponse.Step]) -> [RunningResponse.Step] {
    memory.forgetConversations()
    return steps
  }

  // MARK: Memories

  private func recall(_ context: [JSONObject]) -> String {
    let users = context.filter { $0["type"]?.string == "message" && $0["role"]?.string == "user" }
    let texts = users.dropLast().map(words)
    return texts.isEmpty ? "I heard nothing." : "I heard: \(texts.joined(separator: "; "))."
  }

  private func recallAll(_ context: [JSONObject]) -> String {
    let texts = context.dropLast().compactMap { item -> String? in
      switch item["type"]?.string {
      case "message":
        "\(item["role"]?.string == "assistant" ? "model" : item["role"]?.string ?? "user"): \(words(of: item))"
      case "function_call": "call: \(item["name"]?.string ?? "")"
      case "function_call_output": "result: \(item["output"]?.string ?? "")"
      default: nil
      }
    }
    return texts.isEmpty ? "Nothing was said." : "So far: \(texts.joined(separator: "; "))"
  }

  private func description(_ trigger: StandInTrigger?) -> String {
    switch trigger {
    case .instructions:
      let text = session["instructions"]?.string ?? ""
      return text.isEmpty ? "I have no instructions." : "My instructions are: \(text)"
    case .tools:
      let names = declaredFunctions([:]).sorted()
      return names.isEmpty ? "I have no tools." : "My tools are: \(names.joined(separator: ", "))."
    case .images:
      let count = items.flatMap { $0["content"]?.array ?? [] }.count {
        $0["type"]?.string == "input_image"
      }
      return "I have seen \(count) image\(count == 1 ? "" : "s")."
    default:
      let voice = session["audio"]?["output"]?["voice"]
      return
        "My voice is \(voice?.string ?? voice?["name"]?.string ?? voice?["id"]?.string ?? "the usual one")."
    }
  }
}
