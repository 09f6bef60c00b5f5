import Testing

@testable import GeminiLiveProvider

@Suite struct VoicesTests {
  @Test("gemini 5.4: the service's names pass in any case, in canonical case")
  func own() {
    #expect(Voices.names.count == 30 && Set(Voices.names).count == 30)
    for name in Voices.names {
      for spelling in [name, name.lowercased(), name.uppercased()] { #expect(Voices.name(for: spelling) == name) }
    }
  }

  @Test(
    "R197, R101, R159: every name of the vendors' guides is a voice of Gemini",
    arguments: [
      "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse",
      "aura-2-thalia-en", "aura-asteria-en", "Ashley", "Dennis", "Clive", "Olivia", "Liam", "Sarah",
    ])
  func guides(_ name: String) throws {
    let voice = try #require(Voices.name(for: name))
    #expect(Voices.names.contains(voice))
    #expect(Voices.name(for: name.uppercased()) == voice)
  }

  @Test("gemini 5.4: OpenAI's names become what the field is used to")
  func openAI() {
    #expect(ForeignVoices.openAI.count == 13)
    #expect(Set(ForeignVoices.openAI.values).count == 13)
    for (name, voice) in [
      "alloy": "Kore", "echo": "Charon", "shimmer": "Achernar", "marin": "Despina", "verse": "Puck",
    ] {
      #expect(Voices.name(for: name) == voice)
    }
    #expect(Voices.name(for: Voices.standard) != nil)
  }

  @Test("the tables are in lower case and lead to voices that exist")
  func tables() {
    for table in [ForeignVoices.openAI, ForeignVoices.inworld, ForeignVoices.xAI, ForeignVoices.aura] {
      for (name, voice) in table {
        #expect(name == name.lowercased())
        #expect(Voices.names.contains(voice), "\(name)")
      }
    }
    // No foreign name hides one of the service's own.
    #expect(Voices.names.allSatisfy { ForeignVoices.names[$0.lowercased()] == nil })
  }

  @Test(
    "what is no voice is none",
    arguments: [
      "", " ", "kore ", "aura", "aura-2-thalia", "aura-2-nobody-en", "aura-2-thalia-eng", "aura--thalia-en", "Nobody",
    ])
  func unknown(_ name: String) {
    #expect(Voices.name(for: name) == nil)
  }
}
