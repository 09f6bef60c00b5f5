import Testing

@testable import Access

private let answers: [(lines: [String], answer: String?)] = [
  ([], nil),
  ([""], nil),
  ([" , "], nil),
  (["realtime"], "realtime"),
  (["realtime, openai-insecure-api-key.sk-1, openai-beta.realtime-v1"], "realtime"),
  (["openai-insecure-api-key.sk-1,realtime"], "realtime"),
  (["openai-insecure-api-key.sk-1", "realtime"], "realtime"),
  (["openai-insecure-api-key.sk-1, openai-beta.realtime-v1"], "openai-beta.realtime-v1"),
  (["Openai-Insecure-Api-Key.sk-1, x"], "x"),
  (["xai-client-secret.t, grok"], "grok"),
  (["chat, superchat"], "chat"),
  (["Realtime"], "Realtime"),
  (["xai-client-secret.t"], nil),
  (["no token, next"], "next"),
  (["\u{FFFD}"], nil),
]

@Suite("Subprotocols")
struct SubprotocolTests {
  @Test(
    "fault row 18: at most one offered value is answered, and never one with a key", arguments: answers)
  func answer(lines: [String], answer: String?) {
    #expect(Subprotocol.answer(to: Subprotocol.offered(lines)) == answer)
  }

  @Test("The offer is read across lines, without space around the values")
  func offered() {
    #expect(Subprotocol.offered(["a,b ,\tc", " d,,"]) == ["a", "b", "c", "d"])
  }

  @Test("fault row 17: keys among the offered values are redacted for logs")
  func redacted() {
    #expect(Subprotocol.redacted("openai-insecure-api-key.sk-1") == "openai-insecure-api-key.<redacted>")
    #expect(Subprotocol.redacted("XAI-Client-Secret.sk-1") == "xai-client-secret.<redacted>")
    #expect(Subprotocol.redacted("realtime") == "realtime")
    #expect(Subprotocol.isSecret("openai-insecure-api-key.ek_1"))
    #expect(!Subprotocol.isSecret("openai-organization.org-1"))
  }
}
