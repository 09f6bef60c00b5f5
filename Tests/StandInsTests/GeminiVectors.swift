/// Worked exchanges of the wire reference: what a proxy sends, per exchange, in order.
///
/// Every line was checked against the types of google-genai 3.4.0; the comments give the exchange.
enum GeminiVectors {
  struct Exchange: Sendable {
    var name: String
    /// Sent first where the exchange itself does not begin with a set-up.
    var setUp: String?
    var isVertex = false
    var frames: [String]
  }

  static let setUp38 =
    #"{"setup":{"model":"models/gemini-3.8-live","generationConfig":{"responseModalities":["AUDIO"]}}}"#
  static let setUp31 = #"{"setup":{"model":"models/gemini-3.1-flash-live-preview"}}"#
  static let setUp31History =
    #"{"setup":{"model":"models/gemini-3.1-flash-live-preview","historyConfig":{"initialHistoryInClientContent":true}}}"#
  static let setUp25 = #"{"setup":{"model":"models/gemini-2.5-flash-native-audio-latest"}}"#
  static let setUpVertex =
    #"{"setup":{"model":"publishers/google/models/gemini-live-2.5-flash","generationConfig":{"responseModalities":["AUDIO"]}}}"#

  static let exchanges: [Exchange] = [
    Exchange(
      name: "8.1", setUp: nil,
      frames: [
        #"""
        {"setup":{"model":"models/gemini-3.8-live","generationConfig":{"responseModalities":["AUDIO"],\#
        "speechConfig":{"voiceConfig":{"prebuiltVoiceConfig":{"voiceName":"Despina"}}}},\#
        "systemInstruction":{"parts":[{"text":"You are a brief assistant."}]},\#
        "tools":[{"functionDeclarations":[{"name":"get_weather","description":"Weather for a city",\#
        "parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}},"required":["city"]},\#
        "behavior":"BLOCKING"}]}],\#
        "realtimeInputConfig":{"automaticActivityDetection":{"silenceDurationMs":600},\#
        "turnCoverage":"TURN_INCLUDES_ONLY_ACTIVITY"},"inputAudioTranscription":{},\#
        "outputAudioTranscription":{},"sessionResumption":{},\#
        "contextWindowCompression":{"slidingWindow":{}}}}
        """#
      ]),
    Exchange(
      name: "8.2", setUp: setUp38,
      frames: [
        #"{"clientContent":{"turns":[{"role":"user","parts":[{"text":"Say hello."}]}],"turnComplete":true}}"#
      ]),
    Exchange(
      name: "8.3", setUp: setUp31,
      frames: [
        #"{"realtimeInput":{"text":"Say hello."}}"#
      ]),
    Exchange(
      name: "8.4", setUp: setUp38,
      frames: [
        #"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=24000","data":"AAABAAIA"}}}"#
      ]),
    Exchange(
      name: "8.6", setUp: setUp38,
      frames: [
        #"""
        {"toolResponse":{"functionResponses":[{"id":"fc_58a1","name":"get_weather",\#
        "response":{"temp_c":7}}]}}
        """#
      ]),
    Exchange(
      name: "8.7", setUp: setUpVertex, isVertex: true,
      frames: [
        #"""
        {"toolResponse":{"functionResponses":[{"name":"lamp_on","response":{"output":"ok"}},\#
        {"name":"get_time","response":{"output":"12:00"}}]}}
        """#
      ]),
    Exchange(
      name: "8.8", setUp: nil,
      frames: [
        #"""
        {"setup":{"model":"models/gemini-2.5-flash-native-audio-latest",\#
        "generationConfig":{"responseModalities":["AUDIO"]},\#
        "realtimeInputConfig":{"automaticActivityDetection":{"disabled":true},\#
        "activityHandling":"NO_INTERRUPTION","turnCoverage":"TURN_INCLUDES_ALL_INPUT"},\#
        "inputAudioTranscription":{},"outputAudioTranscription":{},"sessionResumption":{},\#
        "contextWindowCompression":{"slidingWindow":{}}}}
        """#,
        #"{"realtimeInput":{"activityStart":{}}}"#,
        #"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=24000","data":"AAABAAIA"}}}"#,
        #"{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=24000","data":"AwAEAAUA"}}}"#,
        #"{"realtimeInput":{"activityEnd":{}}}"#,
      ]),
    Exchange(
      name: "8.11", setUp: nil,
      frames: [
        #"""
        {"setup":{"model":"models/gemini-3.8-live","generationConfig":{"responseModalities":["AUDIO"],\#
        "speechConfig":{"voiceConfig":{"prebuiltVoiceConfig":{"voiceName":"Despina"}}}},\#
        "systemInstruction":{"parts":[{"text":"You are a brief assistant."}]},\#
        "realtimeInputConfig":{"turnCoverage":"TURN_INCLUDES_ONLY_ACTIVITY"},\#
        "outputAudioTranscription":{},"sessionResumption":{"handle":"5f0c1c5e-0009"},\#
        "contextWindowCompression":{"slidingWindow":{}}}}
        """#
      ]),
    Exchange(
      name: "8.12 (1)", setUp: setUp38,
      frames: [
        #"""
        {"contextUpdate":{"systemInstruction":{"parts":[{"text":"Answer in French."}]},\#
        "tools":{"tools":[]}}}
        """#
      ]),
    Exchange(
      name: "8.12 (2)", setUp: setUpVertex, isVertex: true,
      frames: [
        #"""
        {"clientContent":{"turns":[{"role":"system","parts":[{"text":"Answer in French."}]}],\#
        "turnComplete":false}}
        """#
      ]),
    Exchange(
      name: "8.14", setUp: setUp38,
      frames: [
        #"{"clientContent":{"turnComplete":false}}"#
      ]),
    Exchange(
      name: "8.16 (1)", setUp: setUp38,
      frames: [
        #"""
        {"clientContent":{"turns":[{"role":"user","parts":[{"text":"What is this?"},\#
        {"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}}]}],"turnComplete":true}}
        """#
      ]),
    Exchange(
      name: "8.16 (2)", setUp: setUp31,
      frames: [
        #"{"realtimeInput":{"video":{"mimeType":"image/png","data":"iVBORw0KGgo="}}}"#,
        #"{"realtimeInput":{"text":"What is this?"}}"#,
      ]),
    Exchange(
      name: "8.17 (1)", setUp: setUp31History,
      frames: [
        #"""
        {"clientContent":{"turns":[{"role":"user","parts":[{"text":"My name is Ada."}]},{"role":"model",\#
        "parts":[{"text":"Nice to meet you, Ada."}]}],"turnComplete":true}}
        """#,
        #"{"realtimeInput":{"text":"What is my name?"}}"#,
      ]),
    Exchange(
      name: "8.17 (2)", setUp: setUp25,
      frames: [
        #"""
        {"clientContent":{"turns":[{"role":"user","parts":[{"text":"My name is Ada."}]},{"role":"model",\#
        "parts":[{"text":"Nice to meet you, Ada."}]},{"role":"user",\#
        "parts":[{"text":"What is my name?"}]}],"turnComplete":true}}
        """#
      ]),
    Exchange(
      name: "8.18", setUp: nil,
      frames: [
        #"""
        {"setup":{"model":"models/gemini-3.8-live-extended-thinking",\#
        "generationConfig":{"responseModalities":["AUDIO"],"thinkingConfig":{"thinkingLevel":"LOW"}},\#
        "tools":[{"functionDeclarations":[{"name":"get_weather","behavior":"NON_BLOCKING",\#
        "parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING"}}}}]}],\#
        "outputAudioTranscription":{},"sessionResumption":{},\#
        "contextWindowCompression":{"slidingWindow":{}}}}
        """#,
        #"""
        {"toolResponse":{"functionResponses":[{"id":"call_77","name":"get_weather",\#
        "response":{"output":"7 C"}}]}}
        """#,
      ]),
    Exchange(
      name: "8.19", setUp: setUp38,
      frames: [
        #"""
        {"toolResponse":{"functionResponses":[{"id":"call_9","name":"update_profile",\#
        "response":{"ok":true},"scheduling":"SILENT","willContinue":false}]}}
        """#
      ]),
  ]
}
