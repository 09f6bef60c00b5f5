import Envelope
import Testing
import Translation

/// Who transcribes, by the names that clients have for it.
@Suite struct TranscriptionModelNames {
  static let inworld = [
    "assemblyai/u3-rt-pro", "assemblyai/universal-streaming-multilingual", "assemblyai/universal-streaming-english",
    "inworld/inworld-stt-1", "soniox/stt-rt-v4",
  ]

  @Test("R232: the five models of Inworld are known everywhere", arguments: inworld)
  func five(_ name: String) {
    #expect(TranscriptionModels.isKnown(name))
  }

  @Test(
    "R232: the names of all services are known",
    arguments: [
      "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-mini-transcribe-2025-12-15",
      "gpt-4o-transcribe-diarize", "gpt-transcribe", "gpt-live-transcribe", "gpt-realtime-whisper", "soniox/stt-rt-v5",
      "deepgram/flux-general-en", "deepgram/nova-3", "nova-3", "nova-2-general", "grok-transcribe", "azure-speech",
      "mai-transcribe-1", "whisper-large-v3-turbo", "tiny.en", "large-v3", "gemini-3.8-live",
    ])
  func known(_ name: String) {
    #expect(TranscriptionModels.isKnown(name))
  }

  @Test(
    "R235: a name that no service has is not known",
    arguments: ["", "nonsense", "whisper", "assemblyai/universal", "gpt-realtime", "nova", "tiny.enn", "*"])
  func unknown(_ name: String) {
    #expect(!TranscriptionModels.isKnown(name))
  }

  @Test("R232 R276: another service's name becomes the provider's own; none keeps it; its own names pass")
  func effective() throws {
    func effective(_ asked: String?) throws -> String? {
      try TranscriptionModels.effective(asked, standard: "inworld/inworld-stt-1") { Self.inworld.contains($0) }
    }
    #expect(try effective("whisper-1") == "inworld/inworld-stt-1")
    #expect(try effective(nil) == "inworld/inworld-stt-1")
    #expect(try effective("soniox/stt-rt-v4") == "soniox/stt-rt-v4")
    #expect(try TranscriptionModels.effective("whisper-1", standard: nil) { _ in false } == nil)
  }

  @Test("R235: an unknown name is refused with the three fields that Inworld's service answers with")
  func refused() {
    let fault = #expect(throws: EventFault.self) {
      try TranscriptionModels.effective("nonsense", standard: "whisper-1") { _ in false }
    }
    #expect(fault?.type == "invalid_request_error" && fault?.code == "invalid_value")
    #expect(fault?.param == "session.audio.input.transcription.model")
  }

  @Test("R233: the languages of AssemblyAI's models are in the table")
  func languages() {
    let languages = Dictionary(
      TranscriptionModels.known.map { ($0.name, $0.languages) }, uniquingKeysWith: { first, _ in first })
    let six = ["en", "es", "fr", "de", "it", "pt"]
    #expect(languages["assemblyai/u3-rt-pro"] == six)
    #expect(languages["assemblyai/universal-streaming-multilingual"] == six)
    #expect(languages["assemblyai/universal-streaming-english"] == ["en"])
  }
}

/// Voices by the names that clients have for them.
@Suite struct VoiceNameTables {
  @Test("R197: alloy, echo, nova and shimmer have a voice at every service", arguments: VoiceNames.Service.allCases)
  func four(_ service: VoiceNames.Service) throws {
    let ids = VoiceNames.voices(of: service).map(\.id)
    for name in ["alloy", "echo", "nova", "shimmer"] {
      let voice = try #require(VoiceNames.name(for: name, at: service))
      #expect(ids.contains(voice), "\(name)")
      #expect(VoiceNames.isOpenAI(name))
    }
  }

  @Test("R197: every equivalent of OpenAI's voices is a voice of the service", arguments: VoiceNames.Service.allCases)
  func equivalents(_ service: VoiceNames.Service) throws {
    let ids = VoiceNames.voices(of: service).map(\.id)
    #expect(Set(ids).count == ids.count)
    for voice in VoiceNames.voices(of: .openAI) {
      #expect(ids.contains(try #require(VoiceNames.name(for: voice.id, at: service))), "\(voice.id)")
    }
  }

  @Test("a service's own names pass in its spelling; other services' have equivalents; a name of nobody has none")
  func names() {
    #expect(VoiceNames.name(for: "OLIVIA", at: .inworld) == "Olivia")
    #expect(VoiceNames.name(for: "Olivia", at: .openAI) == "marin")
    #expect(VoiceNames.name(for: "ash", at: .inworld) == "Liam")
    #expect(VoiceNames.name(for: "Eve", at: .xAI) == "eve")
    #expect(VoiceNames.name(for: "marin", at: .aura) == "aura-2-andromeda-en")
    #expect(VoiceNames.name(for: "nobody", at: .inworld) == nil && !VoiceNames.isOpenAI("Olivia"))
  }
}
