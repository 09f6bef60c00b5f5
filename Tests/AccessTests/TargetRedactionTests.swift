import Testing

@testable import Access

private let secret = "hyb_7e57ab1e"

private let targets: [(target: String, logged: String)] = [
  ("/v1/realtime", "/v1/realtime"),
  ("/v1/realtime?", "/v1/realtime?<redacted>"),
  ("/v1/realtime?model=gpt-realtime&provider=openai", "/v1/realtime?model=gpt-realtime&provider=openai"),
  (
    "/v1/realtime?modelId=m&dialect=beta&delta_field=both&vendor_events=true",
    "/v1/realtime?modelId=m&dialect=beta&delta_field=both&vendor_events=true"
  ),
  ("/v1/realtime?token=\(secret)&model=m", "/v1/realtime?token=<redacted>&model=m"),
  ("/v1/realtime?access_token=\(secret)", "/v1/realtime?access_token=<redacted>"),
  (
    "/v1/realtime?api_key=\(secret)&api-key=\(secret)&key=\(secret)",
    "/v1/realtime?api_key=<redacted>&api-key=<redacted>&key=<redacted>"
  ),
  ("/v1/realtime?tokn=\(secret)", "/v1/realtime?<redacted>"),
  ("/v1/realtime?TOKEN=\(secret)", "/v1/realtime?<redacted>"),
  ("/v1/realtime?%74oken=\(secret)", "/v1/realtime?<redacted>"),
  ("/v1/realtime?\(secret)", "/v1/realtime?<redacted>"),
  ("/v1/realtime?\(secret)=1", "/v1/realtime?<redacted>"),
  ("/v1/realtime?token=a?b=\(secret)", "/v1/realtime?token=<redacted>"),
  ("/v1/realtime?token=a;\(secret)", "/v1/realtime?token=<redacted>"),
  ("/v1/realtime?model=m#token=\(secret)", "/v1/realtime?<redacted>"),
  ("/v1/realtime#token=\(secret)", "/v1/realtime"),
  ("http://user:\(secret)@h/v1", "<not a path>"),
  ("", "<not a path>"),
  ("/a\r\nb\"c\\d\u{1b}[0mé", "/a??b?c?d?[0m?"),
  ("/v1?model=a\nb", "/v1?model=a?b"),
]

@Suite("Request targets in logs")
struct TargetRedactionTests {
  @Test("fault rows 17 and 62, R179: no key of a query is logged, and nothing forges a line", arguments: targets)
  func logged(target: String, logged: String) {
    let text = TargetRedaction.redacted(target)
    #expect(text == logged)
    #expect(!text.contains(secret))
  }

  @Test("A long target is cut")
  func long() {
    let text = TargetRedaction.redacted("/" + String(repeating: "a", count: 5_000))
    #expect(text.hasSuffix("a..."))
    #expect(text.count == TargetRedaction.longestPiece + 3)
    let many = TargetRedaction.redacted("/v1?" + String(repeating: "a=b&", count: 5_000))
    #expect(many.count < 400)
  }
}
