import Envelope
import OpenAIWire
import Testing
import Translation

@testable import InworldProvider

@Suite struct InworldConnection {
  private func target(_ key: String?, path: String = "") throws -> UpstreamTarget {
    let form = try InworldForm {
      $0.key = key.map { Redacted($0) }
      $0.endpoint.basePath = path
    }
    return form.service.target(form.session, resuming: nil)
  }

  @Test("Connect: the session's key and the protocol stand in the address, and no model does")
  func address() throws {
    #expect(try target(nil).pathAndQuery == "/api/v1/realtime/session?key=sess_1&protocol=realtime")
    #expect(try target(nil, path: "/v1/realtime").pathAndQuery == "/v1/realtime?key=sess_1&protocol=realtime")
  }

  @Test("inworld 1: no two connections of a call have one key")
  func keys() throws {
    let form = try InworldForm()
    let keys = (0..<3).map { form.service.target(form.session, resuming: nil, opened: $0).pathAndQuery }
    #expect(Set(keys).count == 3)
    #expect(keys[2] == "/api/v1/realtime/session?key=sess_1-2&protocol=realtime")
  }

  @Test("Connect: the portal's key goes up as it is, a JWT as a bearer token, and no key as nothing")
  func credentials() throws {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"
    #expect(try target("QUJDOjEyMw==").headers == [.init("Authorization", Redacted("Basic QUJDOjEyMw=="))])
    #expect(try target(jwt).headers == [.init("Authorization", Redacted("Bearer " + jwt))])
    #expect(try target("eyJub3QiOiJhIHRva2VuIn0=").headers.first?.value.reveal().hasPrefix("Basic ") == true)
    #expect(try target(nil).headers.isEmpty)
  }

  @Test("R223 R226 R229: a session begins with the configured model, Dennis and the small voice model")
  func defaults() throws {
    let form = try InworldForm()
    #expect(form.session.model == "google-ai-studio/gemini-2.5-flash")
    #expect(form.session.audio.output.voice == "Dennis")
    #expect(form.session.audio.output.unknown.fields == ["model": "inworld-tts-1.5-mini"])
    #expect(form.missing.isEmpty)
  }

  @Test("R223 R226 R229: the operator's voice and voice model come before Inworld's defaults")
  func operatorsDefaults() throws {
    let form = try InworldForm {
      $0 = InworldService(
        endpoint: $0.endpoint, key: nil, model: "inworld/router", transcriptionModel: "soniox/stt-rt-v4",
        voiceModel: "inworld-tts-2", voice: "Liam")
    }
    #expect(form.session.model == "inworld/router")
    #expect(form.session.audio.output.voice == "Liam")
    #expect(form.session.audio.output.unknown.fields == ["model": "inworld-tts-2"])
  }

  @Test("quirks 1-8: the service's own events are named, and what it leaves out is made")
  func rules() {
    let rules = InworldForm.service().traits.mending
    #expect(rules.completesLifecycle)
    #expect(rules.repeatsTextInAudio)
    #expect(!rules.speaksInTextMode)
    #expect(rules.dropped.contains("ping"))
    #expect(rules.vendorEvents.isDisjoint(with: rules.dropped))
    #expect(rules.vendorEvents.count == 5)
  }

  @Test("T4 R166: audio goes up in frames of 40 to 100 ms")
  func pieces() {
    #expect(InworldForm.service().traits.pieces == .milliseconds(least: 40, most: 100))
  }
}
