/// Questions about the responder and about the conversation, and courtesies.
enum TalkSkills {
  static let help =
    "I can tell the time and the date, repeat what you say, do arithmetic with two numbers, spell a word, count, "
    + "flip a coin and roll dice. I can also call your tools by name. For anything else, connect a language model."

  static let identity =
    "I am Parley's built-in responder. I follow a few rules and have no language model."

  static let greeting = "Hello. I am Parley's built-in responder. Ask me the time, or say help."

  static func help(_ utterance: Utterance) -> String? {
    let asks =
      utterance.hasAny(
        "what can you do", "what do you do", "what you can do", "what are your skills", "what can i ask",
        "what can i say",
        "how can you help", "help me", "i need help", "what else can you do")
      || Array(utterance.core) == ["help"]
    return asks ? help : nil
  }

  static func identity(_ utterance: Utterance) -> String? {
    let asks = utterance.hasAny(
      "which engine", "what engine", "who are you", "who you are", "what are you", "which model", "what model",
      "are you chat gpt",
      "are you chatgpt", "are you an ai", "are you a language model", "are you a robot", "are you a bot",
      "are you human",
      "your name", "who made you", "who am i talking to", "who am i speaking to")
    return asks ? identity : nil
  }

  static func courtesy(_ utterance: Utterance) -> String? {
    let words = utterance.texts
    if utterance.has("how are you") { return "I am ready. What can I do for you?" }
    if utterance.hasAny("thank you", "thanks", "thank you very much"), words.count <= 6 { return "You are welcome." }
    let greetings: Set<String> = ["hello", "hi", "hey", "hallo", "howdy", "greetings"]
    let isGreeting = words.first.map(greetings.contains) == true && words.count <= 3
    let isTimeOfDay = utterance.hasAny("good morning", "good afternoon", "good evening") && words.count <= 4
    return isGreeting || isTimeOfDay ? greeting : nil
  }

  static func farewell(_ utterance: Utterance) -> String? {
    let words = utterance.texts
    if utterance.hasAny("goodbye", "good bye", "bye", "bye bye", "good night", "see you"), words.count <= 5 {
      return "Goodbye."
    }
    let stops = [
      ["stop"], ["stop", "it"], ["be", "quiet"], ["shut", "up"], ["cancel"], ["quiet"], ["never", "mind"], ["enough"],
    ]
    return stops.contains(Array(utterance.core)) ? "Okay." : nil
  }

  /// What was heard: the words of the turn before, how many, how long, how many turns.
  static func heard(_ utterance: Utterance, userTurns: [ChatMessage]) -> String? {
    let earlier = userTurns.dropLast().last
    if utterance.hasAny("how many turns", "how often did i speak", "how often have i spoken") {
      return "This is turn \(userTurns.count)."
    }
    if utterance.hasAny("how many words") {
      guard let earlier else { return first(utterance, userTurns) }
      let words = Utterance(earlier.text).words.count
      return "Your last turn had \(words) \(words == 1 ? "word" : "words"). This is turn \(userTurns.count)."
    }
    let asks = utterance.hasAny(
      "what did i say", "what did i just say", "what have i said", "what did you hear", "what have you heard",
      "what i just said", "what i said")
    guard asks else { return nil }
    guard let earlier, !earlier.text.isEmpty else { return first(utterance, userTurns) }
    return "Before this you said: " + LanguageSkills.ended(String(Utterance.bare(earlier.text[...]).prefix(400)))
  }

  private static func first(_ utterance: Utterance, _ turns: [ChatMessage]) -> String {
    let length = turns.last?.speech.map {
      ", in \(SpokenNumber.spoken((Double($0.count) / 1_600).rounded() / 10).text) seconds"
    }
    return "This is the first thing you said: \(utterance.words.count) words\(length ?? "")."
  }
}
