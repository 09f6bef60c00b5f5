/// The fixed text of both wires, split where the audio goes. Gemini's answers are pretty-printed, as the service does it.
/// What a proxy writes is recognised with and without spaces.
enum Wording {
  static let setup = Array("\"setup\"".utf8)
  static let setupComplete = Array("{\n  \"setupComplete\": {}\n}\n".utf8)
  static let geminiMimeType = Array("\"audio/pcm;rate=24000\"".utf8)
  static let geminiData = Array("\"data\"".utf8)
  static let geminiPrefix = Array(
    """
    {
      "serverContent": {
        "modelTurn": {
          "parts": [
            {
              "inlineData": {
                "mimeType": "audio/pcm;rate=24000",
                "data": "
    """.utf8)
  static let geminiSuffix = Array("\"\n          }\n        }\n      ]\n    }\n  }\n}\n".utf8)

  static let appendType = Array("\"input_audio_buffer.append\"".utf8)
  static let appendAudio = Array("\"audio\"".utf8)
  static let appendPrefix = Array("{\"type\":\"input_audio_buffer.append\",\"audio\":\"".utf8)
  static let deltaType = Array("\"response.output_audio.delta\"".utf8)
  static let deltaAudio = Array("\"delta\"".utf8)
  static let deltaPrefix = Array(
    ("{\"type\":\"response.output_audio.delta\",\"event_id\":\"event_0123456789ABCDEFGHIJK\","
      + "\"response_id\":\"resp_0123456789ABCDEFGHIJK\",\"item_id\":\"item_0123456789ABCDEFGHIJK\","
      + "\"output_index\":0,\"content_index\":0,\"delta\":\"").utf8)
  static let suffix = Array("\"}".utf8)
  static let errorTypes = ["\"type\":\"error\"", "\"type\": \"error\""].map { Array($0.utf8) }
}
