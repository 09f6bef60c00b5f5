import Testing

@testable import Telemetry

@Suite("What looks like a key is masked")
struct SecretMaskTests {
  @Test(
    "R119: keys and tokens of every kind that comes by",
    arguments: [
      ("hyb_0123456789abcdef", "hyb_<redacted>"),
      ("the key hyb_0123456789abcdef, and more", "the key hyb_<redacted>, and more"),
      ("vkey_0123456789", "vkey_<redacted>"),
      ("ek_abcdef0123", "ek_<redacted>"),
      ("sk-proj-abc_DEF-123", "sk-<redacted>"),
      ("key=AIzaSyA-0123456789_abcdefghijklmnopqrstuv&alt=sse", "key=AIza<redacted>&alt=sse"),
      ("gsk_0123456789abcdef", "gsk_<redacted>"),
      ("xai-0123456789abcdef", "xai-<redacted>"),
      ("Authorization: Bearer abc.DEF-123_~+/=", "Authorization: Bearer <redacted>"),
      ("authorization: bearer 0123456789", "authorization: bearer <redacted>"),
      ("Basic dXNlcjpwYXNzd29yZA==", "Basic <redacted>"),
      ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl", "eyJ<redacted>"),
      ("realtime, openai-insecure-api-key.abc", "realtime, openai-insecure-api-key.<redacted>"),
      ("postgres://parley:s3cr:et@db.internal:5432/x", "postgres://parley:<redacted>@db.internal:5432/x"),
      ("?token%3Dek_abcdef0123", "?token%3Dek_<redacted>"),
      ("\\nsk-abcdef0123", "\\nsk-<redacted>"),
      ("sk-abcdef0123 sk-ghijkl4567", "sk-<redacted> sk-<redacted>"),
    ])
  func masked(text: String, expected: String) {
    #expect(SecretMask.masked(text) == expected)
  }

  @Test(
    "R119: what only resembles one stays readable",
    arguments: [
      "", "a", "task-scheduler is full", "disk-full-of-records", "week_0123456789", "sess_0123456789abcdef", "ek_",
      "sk-",
      "hyb_ab12", "the Bearer of news", "http://127.0.0.1:8080/v1/realtime?x=a@b:c", "gpt-realtime",
      "client_closed_1001",
      "key_0123456789abcdef", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Grüße, 世界",
    ])
  func untouched(text: String) {
    #expect(SecretMask.masked(text) == text)
  }
}
