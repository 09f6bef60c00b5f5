/// The messages of Gemini Live as a client may send them, and as the service sends them.
///
/// Source: the service's reference (BidiGenerateContent) and the types of google-genai 3.4.0;
/// `Tests/Conformance/check_standin_fields.py` compares the tables with those types.
public enum GeminiFields {
  /// Where the service runs; the two differ in a few fields.
  public enum Platform: Sendable, Hashable {
    case aiStudio
    case vertex
  }

  /// The client's messages.
  ///
  /// - Parameter version: `v1`, `v1beta` or `v1alpha`; on AI Studio only the last knows `proactivity` and
  ///   `enableAffectiveDialog`.
  public static func client(version: String, platform: Platform) -> FieldTable {
    let table = FieldTable(
      dialect: .protobuf, shapes: setUp.merging(live) { first, _ in first }.merging(content) { first, _ in first })
    guard platform == .aiStudio else { return table }
    let aiStudio =
      table
      .removing(["explicitVadSignal"], from: "Setup")
      .removing(["transparent"], from: "SessionResumption")
      .removing(["method"], from: "SafetySetting")
    guard version != "v1alpha" else { return aiStudio }
    return
      aiStudio
      .removing(["proactivity"], from: "Setup")
      .removing(["enableAffectiveDialog"], from: "GenerationConfig")
  }

  private static let live: [String: MessageShape] = [
    "ClientMessage": MessageShape([
      "setup": .message("Setup"),
      "clientContent": .message("ClientContent"),
      "realtimeInput": .message("RealtimeInput"),
      "toolResponse": .message("LiveToolResponse"),
      "contextUpdate": .message("ContextUpdate"),
    ]),
    "ClientContent": MessageShape([
      "turns": .list(.message("Content")),
      "turnComplete": .bool,
    ]),
    "RealtimeInput": MessageShape([
      "mediaChunks": .list(.message("Blob")),
      "audio": .message("Blob"),
      "video": .message("Blob"),
      "text": .string,
      "activityStart": .message("Empty"),
      "activityEnd": .message("Empty"),
      "audioStreamEnd": .bool,
    ]),
    "LiveToolResponse": MessageShape(["functionResponses": .list(.message("FunctionResponse"))]),
    "ContextUpdate": MessageShape([
      "systemInstruction": .message("Content"),
      "tools": .message("ContextUpdateTools"),
    ]),
    "ContextUpdateTools": MessageShape(["tools": .list(.message("Tool"))]),
  ]

  private static let setUp: [String: MessageShape] = [
    "Setup": MessageShape([
      "model": .string,
      "generationConfig": .message("GenerationConfig"),
      "systemInstruction": .message("Content"),
      "tools": .list(.message("Tool")),
      "realtimeInputConfig": .message("RealtimeInputConfig"),
      "sessionResumption": .message("SessionResumption"),
      "contextWindowCompression": .message("ContextWindowCompression"),
      "inputAudioTranscription": .message("AudioTranscriptionConfig"),
      "outputAudioTranscription": .message("AudioTranscriptionConfig"),
      "proactivity": .message("Proactivity"),
      "historyConfig": .message("HistoryConfig"),
      "explicitVadSignal": .bool,
      "avatarConfig": .message("AvatarConfig"),
      "safetySettings": .list(.message("SafetySetting")),
      "labels": .map(.string),
    ]),
    "GenerationConfig": MessageShape([
      "responseModalities": .list(.enumeration(["TEXT", "IMAGE", "AUDIO", "VIDEO"])),
      "speechConfig": .message("SpeechConfig"),
      "temperature": .number(0...2),
      "topP": .number(0...1),
      "topK": .int32,
      "maxOutputTokens": .integer(1...65_536),
      "seed": .int32,
      "presencePenalty": .number(-2...2),
      "frequencyPenalty": .number(-2...2),
      "candidateCount": .int32,
      "mediaResolution": .enumeration(["MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_HIGH"]),
      "thinkingConfig": .message("ThinkingConfig"),
      "enableAffectiveDialog": .bool,
      "translationConfig": .message("TranslationConfig"),
    ]),
    "SpeechConfig": MessageShape([
      "voiceConfig": .message("VoiceConfig"),
      "languageCode": .string,
    ]),
    "VoiceConfig": MessageShape([
      "prebuiltVoiceConfig": .message("PrebuiltVoiceConfig"),
      "replicatedVoiceConfig": .message("ReplicatedVoiceConfig"),
      "voice": .string,
    ]),
    "PrebuiltVoiceConfig": MessageShape(["voiceName": .string]),
    "ReplicatedVoiceConfig": MessageShape([
      "mimeType": .string,
      "voiceSampleAudio": .bytes,
      "consentAudio": .bytes,
      "voiceConsentSignature": .message("VoiceConsentSignature"),
    ]),
    "VoiceConsentSignature": MessageShape(["signature": .string]),
    "ThinkingConfig": MessageShape([
      "thinkingBudget": .int32,
      "thinkingLevel": .enumeration(["MINIMAL", "LOW", "MEDIUM", "HIGH"]),
      "includeThoughts": .bool,
    ]),
    "TranslationConfig": MessageShape(["targetLanguageCode": .string, "echoTargetLanguage": .bool]),
    "RealtimeInputConfig": MessageShape([
      "automaticActivityDetection": .message("AutomaticActivityDetection"),
      "activityHandling": .enumeration(["START_OF_ACTIVITY_INTERRUPTS", "NO_INTERRUPTION"]),
      "turnCoverage": .enumeration([
        "TURN_INCLUDES_ONLY_ACTIVITY", "TURN_INCLUDES_ALL_INPUT", "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO",
      ]),
      "interimTranscriptTimestampEnabled": .bool,
    ]),
    "AutomaticActivityDetection": MessageShape([
      "disabled": .bool,
      "startOfSpeechSensitivity": .enumeration(["START_SENSITIVITY_HIGH", "START_SENSITIVITY_LOW"]),
      "endOfSpeechSensitivity": .enumeration(["END_SENSITIVITY_HIGH", "END_SENSITIVITY_LOW"]),
      "prefixPaddingMs": .integer(0...Int(Int32.max)),
      "silenceDurationMs": .integer(0...Int(Int32.max)),
    ]),
    "SessionResumption": MessageShape(["handle": .string, "transparent": .bool]),
    "ContextWindowCompression": MessageShape([
      "triggerTokens": .integer,
      "slidingWindow": .message("SlidingWindow"),
    ]),
    "SlidingWindow": MessageShape(["targetTokens": .integer]),
    "AudioTranscriptionConfig": MessageShape([
      "languageCodes": .list(.string),
      "customVocabulary": .list(.string),
      "wordTimestamp": .bool,
      "diarization": .bool,
      "mode": .enumeration(["VERBATIM", "SMART"]),
      "sourceText": .string,
    ]),
    "Proactivity": MessageShape(["proactiveAudio": .bool, "proactiveVideo": .bool]),
    "HistoryConfig": MessageShape(["initialHistoryInClientContent": .bool]),
    "AvatarConfig": MessageShape([
      "avatarName": .string,
      "customizedAvatar": .message("CustomizedAvatar"),
      "audioBitrateBps": .int32,
      "videoBitrateBps": .int32,
    ]),
    "CustomizedAvatar": MessageShape(["imageMimeType": .string, "imageData": .bytes]),
    "SafetySetting": MessageShape([
      "category": .string,
      "threshold": .enumeration([
        "BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF",
      ]),
      "method": .enumeration(["SEVERITY", "PROBABILITY"]),
    ]),
  ]
}
