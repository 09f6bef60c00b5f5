import Envelope
import HTTPTypes
import Metering
import Testing

@testable import Operator

@Suite("The routes of usage")
struct UsageRoutesTests {
  private let surface = TestSurface()

  private func post(_ body: String) async throws -> TestSurface.Answer {
    try await surface.ask(.post, "/api/v1/usage/events", body)
  }

  @Test("R004, R042: text of other services stands beside voice, in one sum")
  func together() async throws {
    let text = try await post(
      """
      {"id":"req_1","modality":"text","provider":"openai","model":"gpt-5","key":"shop","app":"web",
       "timestamp":"2026-01-01T00:00:00Z","tokens":{"input":1200,"output":{"text":300,"audio":0},"total":1500},
       "metadata":{"team":"a"}}
      """)
    #expect(text.status == 201, "\(text.text)")
    #expect(text.json == ["object": "list", "accepted": 1, "duplicates": 0, "ids": ["req_1"]])
    let identity = UsageIdentity(
      sessionID: "sess_1", provider: "gemini", kind: "gemini-live", mode: .managedInference,
      startedAt: Timestamp(unixTime: TestSurface.now - 90))
    _ = try await surface.books.insert([
      UsageRecord(
        identity, sequence: 3, state: .ended, model: "gemini-3.8-live", updatedAt: Timestamp(unixTime: TestSurface.now),
        seconds: 90, meter: Meter())
    ])
    let summary = try await surface.ask(.get, "/api/v1/usage/summary?group_by=modality")
    #expect(summary.status == 200)
    let groups = try #require(summary.json["groups"]?.array)
    let voice = try #require(groups.first { $0["key"] == "voice_realtime" })
    #expect(voice["minutes"] == 1.5 && voice["sessions"] == 1)
    let words = try #require(groups.first { $0["key"] == "text" })
    #expect(words["tokens"]?["input"]?["text"] == 1200 && words["tokens"]?["total"] == 1500)
    #expect(words["sessions"] == 0 && words["events"] == 1)
    #expect(summary.json["total"]?["events"] == 2)
  }

  @Test("R041: the events are a bare array with the newest last, and its fields lead to the older ones")
  func pages() async throws {
    for index in 0..<5 {
      #expect(
        try await post(#"{"id":"req_\#(index)","modality":"text","timestamp":"2026-01-01T00:00:0\#(index)Z"}"#).status
          == 201)
    }
    var target = "/api/v1/usage/events?limit=2"
    var ids: [[String]] = []
    while true {
      let page = try await surface.ask(.get, target)
      #expect(page.status == 200)
      ids.append(try #require(page.json.array).compactMap { $0["id"]?.string })
      guard let link = page.headers[HTTPField.Name("Link")!] else {
        #expect(page.headers[HTTPField.Name("X-Next-Cursor")!] == nil)
        break
      }
      #expect(link.hasPrefix("</api/v1/usage/events?limit=2&cursor=") && link.hasSuffix(">; rel=\"next\""))
      target = String(link.dropFirst().prefix { $0 != ">" })
      #expect(target.hasSuffix("cursor=" + (page.headers[HTTPField.Name("X-Next-Cursor")!] ?? "?")))
    }
    #expect(ids == [["req_3", "req_4"], ["req_1", "req_2"], ["req_0"]])
  }

  @Test("what is handed in twice counts once; a list is taken whole or not at all")
  func batches() async throws {
    let one = #"{"id":"a","modality":"text"}"#
    #expect(try await post(one).json["accepted"] == 1)
    #expect(try await post("[\(one),{\"modality\":\"text\"}]").json["duplicates"] == 1)
    #expect(surface.books.records.count == 2)
    let made = try #require(surface.books.records.last)
    #expect(made.id.hasPrefix("evt_") && made.id.utf8.count == 36)
    #expect(made.identity.startedAt == Timestamp(unixTime: TestSurface.now))
    let bad = try await post(#"[{"id":"b","modality":"text"},{"id":"c","modality":"text","seconds":-1}]"#)
    #expect(bad.status == 400 && bad.param == "[1].seconds")
    #expect(surface.books.records.count == 2)
  }

  @Test(
    "an event that is none is refused by the name of what is wrong",
    arguments: [
      ("7", "body"), ("[]", nil), ("[7]", "[0]"), ("{}", "modality"), (#"{"modality":""}"#, "modality"),
      (#"{"modality":"voice_realtime"}"#, "modality"), (#"{"modality":"text","mode":"free"}"#, "mode"),
      (#"{"modality":"text","id":7}"#, "id"), (#"{"modality":"text","id":"a\u0000"}"#, "id"),
      (#"{"modality":"text","timestamp":"yesterday"}"#, "timestamp"),
      (#"{"modality":"text","timestamp":"1969-12-31T23:59:59Z"}"#, "timestamp"),
      (#"{"modality":"text","seconds":1e308}"#, "seconds"), (#"{"modality":"text","seconds":"1"}"#, "seconds"),
      (#"{"modality":"text","tokens":7}"#, "tokens"), (#"{"modality":"text","tokens":{"input":-1}}"#, "tokens.input"),
      (#"{"modality":"text","tokens":{"input":1.5}}"#, "tokens.input"),
      (#"{"modality":"text","tokens":{"input":99999999999999999999}}"#, "tokens.input"),
      (#"{"modality":"text","tokens":{"output":{"image":1}}}"#, "tokens.output.image"),
      (#"{"modality":"text","metadata":{"a":["\u0000"]}}"#, "metadata"), (#"{"modality":"text","price":1}"#, "price"),
    ] as [(String, String?)])
  func wrong(body: String, param: String?) async throws {
    let answer = try await post(body)
    #expect(answer.status == 400)
    #expect(answer.param == param, "\(answer.text)")
    #expect(surface.books.records.isEmpty)
  }

  @Test(
    "R043: every grouping is known, and what is no query is 400",
    arguments: [
      ("summary?group_by=modality", 200), ("summary?group_by=provider", 200), ("summary?group_by=model", 200),
      ("summary?group_by=key", 200), ("summary?group_by=app", 200), ("summary?group_by=day", 200), ("summary", 200),
      ("summary?from=2026-01-01&to=2026-01-02T00:00:00%2B01:00", 200), ("summary?group_by=bad", 400),
      ("summary?group_by=day&group_by=app", 400), ("summary?group_by=%zz", 400), ("summary?from=x", 400),
      ("summary?from=2026-01-02&to=2026-01-01", 400), ("summary?limit=1", 400), ("events?limit=0", 400),
      ("events?limit=1001", 400), ("events?limit=1000", 200), ("events?cursor=garbage", 400), ("events?color=red", 400),
      ("events?modality=text&key=a&app=b&provider=c", 200),
    ])
  func queries(query: String, status: Int) async throws {
    let answer = try await surface.ask(.get, "/api/v1/usage/\(query)")
    #expect(answer.status == status, "\(answer.text)")
    if status == 400 { #expect(answer.code == "invalid_value" || answer.code == "unknown_parameter") }
  }

  @Test("a store that is away is 503, one that hangs too, and without one it is 501")
  func away() async throws {
    surface.books.mood = .away
    let away = try await surface.ask(.get, "/api/v1/usage/summary")
    #expect(away.status == 503 && away.code == "ledger_unavailable")
    #expect(away.headers[HTTPField.Name("Retry-After")!] == "5")
    #expect(try await surface.ask(.get, "/api/v1/keys").status == 503)
    await #expect(throws: HTTPFault.ledgerUnavailable) {
      try await Storage.asked(within: .milliseconds(10)) { [books = surface.books] in
        books.mood = .hanging
        return try await books.summary(UsageQuery())
      }
    }
    let without = TestSurface(hasStore: false)
    for path in ["summary", "events"] {
      let answer = try await without.ask(.get, "/api/v1/usage/\(path)")
      #expect(answer.status == 501 && answer.code == "no_ledger")
    }
  }
}
