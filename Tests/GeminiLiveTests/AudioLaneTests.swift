import Envelope
import NIOCore
import ParleyTesting
import SessionCore
import Testing

@testable import GeminiLiveProvider

@Suite struct GeminiLiveAudioLane {
  static let plain = [
    #"{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":"audio/pcm;rate=24000","data":"AAABAAIA"}}]}}}"#,
    #"{"serverContent":{"modelTurn":{"role":"model","parts":[{"inlineData":{"data":"AAABAAIA"}}]}}}"#,
    """
    {
      "serverContent": {
        "modelTurn": {
          "parts": [
            {
              "inlineData": {
                "data": "AAABAAIA",
                "mimeType": "audio/pcm;rate=24000"
              }
            }
          ],
          "role": "model"
        }
      }
    }

    """,
  ]

  @Test("R030: a message of one audio part is recognised on its bytes, in any key order and layout", arguments: plain)
  func recognised(_ text: String) throws {
    let slice = try #require(Downlink.audioOnly(ByteBuffer(string: text)))
    #expect(String(buffer: slice) == "AAABAAIA")
  }

  @Test(
    "in any doubt the control lane reads the message",
    arguments: [
      "", "{}", "[]", plain[0].dropLast().description, plain[0] + "x",
      plain[0].replacing("data", with: "d\\u0061ta"),
      plain[0].replacing("AAABAAIA", with: "AAABAAI"),
      plain[0].replacing("AAABAAIA", with: "AAAB-AIA"),
      plain[0].replacing("AAABAAIA", with: "AAAA"),
      plain[0].replacing("AAABAAIA", with: ""),
      plain[0].replacing("audio/pcm", with: "image/png"),
      plain[0].replacing(#""parts""#, with: #""thought":true,"parts""#),
      plain[0].replacing(#""modelTurn""#, with: #""turnComplete":true,"modelTurn""#),
      plain[0].replacing(#"{"serverContent""#, with: #"{"usageMetadata":{},"serverContent""#),
      plain[0].replacing(#""data":"AAABAAIA""#, with: #""data":"AAABAAIA","data":"AAABAAIA""#),
      plain[0].replacing(#"}}]}"#, with: #"}},{"text":"x"}]}"#),
    ])
  func doubtful(_ text: String) {
    #expect(Downlink.audioOnly(ByteBuffer(string: text)) == nil)
  }

  @Test("the two lanes agree on what the client hears")
  func lanesAgree() throws {
    let unusual = Self.plain[0].replacing(#""data""#, with: #""d\u0061ta""#)
    let deltas = try [Self.plain[0], unusual].map { message in
      var call = SessionDialogue(.geminiLive(), model: "gemini-3.8-live", requestedModel: "gemini-3.8-live")
      _ = call.begin()
      _ = call.upstreamOpens()
      _ = call.wait(.seconds(5))
      _ = call.upstream(#"{"setupComplete":{}}"#)
      return try #require(call.upstream(message).event("response.output_audio.delta")?["delta"]?.string)
    }
    #expect(deltas == ["AAABAAIA", "AAABAAIA"])
  }

  @Test(
    "fault row 45: broken base64 or odd bytes from the provider end the session as its fault, not the client's",
    arguments: ["!!!!", "AAAA"])
  func brokenAudio(_ data: String) {
    var call = SessionDialogue(.geminiLive(), model: "gemini-3.8-live", requestedModel: "gemini-3.8-live")
    _ = call.begin()
    _ = call.upstreamOpens()
    _ = call.wait(.seconds(5))
    _ = call.upstream(#"{"setupComplete":{}}"#)
    let step = call.upstream(Self.plain[0].replacing("AAABAAIA", with: data))
    #expect(step.event("error")?["error"]?["code"]?.string == "upstream_protocol_error")
    #expect(step.clientCloseCode == 1014)
  }
}
