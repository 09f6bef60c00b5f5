import Envelope
import Translation

// What a session with Azure makes of everything that a client can say. `NOTES.md` says how.

/// A table in which most things cross: only the others have to be named.
enum Rows {
  /// One row for every subject: the given one, or that it crosses as it is.
  static func of(_ given: [CoverageRow], otherwise note: String) -> [CoverageRow] {
    let named = Set(given.filter { $0.condition == nil }.map(\.subject))
    return given
      + Coverage.subjects.filter { !named.contains($0) }.map { subject in
        CoverageRow(subject, .mapped, from: moment(of: subject), note)
      }
  }

  /// Only what is certain of here: the rest is the service's.
  private static func moment(of subject: String) -> CoverageRow.Moment? {
    // It goes out before the next chunk of audio does.
    subject.hasPrefix("session.audio.input.turn_detection") ? .nextChunk : nil
  }

  /// Put in the place of by what really happens; a strict session refuses it (Q23).
  static func missing(
    _ subject: String, when condition: JSONObject? = nil, _ note: String, shown: String? = nil
  ) -> CoverageRow {
    CoverageRow(subject, when: condition, .ignored, note + (shown.map { " The session shows \($0)." } ?? ""))
  }

  static let input = "session.audio.input"
  static let transcription = input + ".transcription"

  /// Where models are called by their deployments.
  static let deployments: [CoverageRow] = [
    CoverageRow(
      "session.model", .mapped, from: .atSetUp,
      "The deployment, part of the address; a model's own name (`gpt-`...) stands for the configured deployment."),
    CoverageRow("session.modelId", .mapped, from: .atSetUp, "Another name of `session.model`."),
    CoverageRow(
      transcription + ".model", .mapped, from: .nextChunk,
      "A deployment too; names of other services' transcribers become `whisper-1`."),
    CoverageRow("session.voice", .mapped, "Another place of `session.audio.output.voice`."),
    missing("session.audio.output.model", "The service has one.", shown: "none"),
    missing("session.providerData", "It is another service's.", shown: "none"),
  ]

  /// Where Parley keeps the session itself.
  static let kept: [CoverageRow] = [
    CoverageRow(
      "session.turn_detection", .mapped, from: .nextChunk, "Another place of `session.audio.input.turn_detection`."),
    CoverageRow(
      input + ".turn_detection.idle_timeout_ms", .emulated, from: .nextResponse,
      "Counted here, from the end of what the user hears."),
    missing("session.parallel_tool_calls", "The service decides how many it calls at once.", shown: "none"),
    missing("session.tracing", "The service has no such traces.", shown: "null"),
    missing("session.truncation", "The service decides what it forgets.", shown: "`auto`"),
    CoverageRow("session.prompt", .refused, "The service stores no prompts."),
    missing("session.*", "A field that this server does not know.", shown: "none"),
    CoverageRow("response.reasoning.effort", .ignored, "A response has the session's."),
    CoverageRow("response.parallel_tool_calls", .ignored, "The service decides how many it calls at once."),
  ]
}

extension RealtimeForm {
  var coverage: [CoverageRow] {
    Rows.of(
      Rows.deployments + [
        CoverageRow(
          "session.audio.output.voice", .mapped,
          "OpenAI's names, and those of other services' voices that stand for them."),
        CoverageRow(
          "session.type", .mapped, "Forwarded; `realtime` where it is missing, because the service requires it."),
        CoverageRow(
          "session.output_modalities", .mapped,
          "Forwarded; both at once are `[\"audio\"]`, because the service allows one."),
        Rows.missing("session.temperature", "The service has none.", shown: "none"),
        CoverageRow(
          "session.turn_detection", .mapped, from: .nextChunk,
          "Another place of `session.audio.input.turn_detection`."),
        CoverageRow("session.*", .mapped, "Forwarded as it is; the service refuses what it does not know."),
        CoverageRow("response.*", .mapped, "Forwarded as it is; the service refuses what it does not know."),
        CoverageRow(
          "output_audio_buffer.clear", .mapped, "Forwarded as it is; the service takes it in WebRTC and SIP calls."),
      ], otherwise: "Forwarded as it is.")
  }
}

extension PreviewForm {
  var coverage: [CoverageRow] {
    Rows.of(
      Rows.deployments + Rows.kept + Coverage.serverFields + [
        CoverageRow("session.output_modalities", .mapped, "Speech with its text, or text alone."),
        CoverageRow(
          "session.audio.output.voice", .mapped,
          "OpenAI's names, but for the two newest, and those of other services' voices that stand for them."),
        CoverageRow("session.temperature", .mapped, "Within 0.6 and 1.2."),
        CoverageRow("session.tools", .mapped, "Functions; other types are refused."),
        CoverageRow(
          "session.tools", when: ["session.tools[].type": "mcp"], .refused, "This API has functions only."),
        Rows.missing(
          "session.tool_choice", when: ["session.tool_choice.type": "mcp"], "This API has functions only.",
          shown: "`auto`"),
        Rows.missing("session.reasoning.effort", "This API takes no such setting.", shown: "none"),
        Rows.missing("session.include", "This API takes no such setting.", shown: "null"),
        Rows.missing("session.audio.output.speed", "This API has one speed.", shown: "1"),
        Rows.missing(Rows.transcription + ".languages", "This API takes one language.", shown: "none"),
        Rows.missing(Rows.transcription + ".keywords", "This API takes a prompt.", shown: "none"),
        Rows.missing(Rows.transcription + ".delay", "This API takes no such setting.", shown: "none"),
        Rows.missing(Rows.input + ".noise_reduction.strength", "This API has one strength.", shown: "none"),
        CoverageRow("response.prompt", .ignored, "This API stores no prompts."),
        CoverageRow("response.*", .mapped, "Forwarded as it is; the service refuses what it does not know."),
      ], otherwise: "In the beta vocabulary.")
  }
}

extension VoiceLiveForm {
  var coverage: [CoverageRow] {
    Rows.of(
      Rows.kept + Coverage.serverFields + [
        CoverageRow("session.model", .mapped, from: .atSetUp, "Part of the address."),
        CoverageRow("session.modelId", .mapped, from: .atSetUp, "Another name of `session.model`."),
        CoverageRow("session.output_modalities", .mapped, "Speech with its text, or text alone."),
        CoverageRow("session.temperature", .mapped, "At most 1."),
        CoverageRow("session.reasoning.effort", .mapped, "The service's own levels."),
        CoverageRow(
          "session.audio.output.voice", .mapped,
          "OpenAI's names, Azure's own (`en-US-AvaNeural`), and other services' names; any other is the standard voice."
        ),
        CoverageRow("session.voice", .mapped, "Another place of `session.audio.output.voice`."),
        CoverageRow(
          "session.audio.output.speed", .mapped, "Of Azure's own voices; OpenAI's have one, and the session shows 1."),
        Rows.missing("session.audio.output.model", "The voice decides.", shown: "none"),
        Rows.missing("session.providerData", "It is another service's.", shown: "none"),
        CoverageRow(
          Rows.transcription + ".model", .mapped, from: .nextChunk,
          "The service's own names; those of other services' transcribers become `azure-speech`."),
        CoverageRow(
          Rows.transcription + ".prompt", .mapped, from: .nextChunk,
          "For transcribers that take one, which `azure-speech` does not."),
        Rows.missing(
          Rows.transcription + ".prompt", when: [Rows.transcription + ".model": "azure-speech"],
          "It takes a list of phrases.", shown: "null"),
        Rows.missing(Rows.transcription + ".keywords", "Only `azure-speech` takes phrases.", shown: "none"),
        CoverageRow(
          Rows.transcription + ".keywords", when: [Rows.transcription + ".model": "azure-speech"], .mapped,
          from: .nextChunk, "A list of phrases."),
        Rows.missing(Rows.transcription + ".delay", "The service takes no such setting.", shown: "none"),
        Rows.missing(Rows.input + ".noise_reduction.strength", "The service has one strength.", shown: "none"),
        CoverageRow(
          Rows.input + ".turn_detection.type", .mapped, from: .nextChunk,
          "`semantic_vad` is the service's own, `azure_semantic_vad_multilingual`."),
        CoverageRow(
          Rows.input + ".turn_detection.eagerness", .mapped, from: .nextChunk,
          "A silence of 1200 ms for low, 700 for medium and auto, 350 for high."),
        CoverageRow("response.*", .mapped, "Forwarded as it is; the service refuses what it does not know."),
      ], otherwise: "In the beta vocabulary.")
  }
}
