/// A voice of a service, as `GET /v1/voices` tells of it.
public struct ServiceVoice: Sendable, Hashable {
  public enum Gender: String, Sendable, Hashable, Codable, CaseIterable {
    case female, male, neutral
  }

  /// What a session names it by.
  public var id: String
  /// For people; nil where that is the id.
  public var name: String?
  /// BCP 47; nil where the voice speaks whatever language it is given.
  public var language: String?
  public var gender: Gender?

  public init(_ id: String, name: String? = nil, language: String? = nil, gender: Gender? = nil) {
    self.id = id
    self.name = name
    self.language = language
    self.gender = gender
  }
}

/// The voices that services are known to have, and which of them stand for each other (R197).
public enum VoiceNames {
  /// A service that has names of its own for voices.
  public enum Service: Sendable, Hashable, CaseIterable {
    case openAI, xAI, inworld
    /// Deepgram's, which vowel speaks with.
    case aura
  }

  /// The first is the standard one, which a session begins with.
  public static func voices(of service: Service) -> [ServiceVoice] {
    switch service {
    case .openAI: openAI
    case .xAI: xAI
    case .inworld: inworld
    case .aura: aura
    }
  }

  /// The service's voice for a name.
  ///
  /// - Parameter name: in any case: one of the service's own, or one that another service has an equivalent of.
  /// - Returns: in the service's spelling; nil where it has none of the kind.
  public static func name(for name: String, at service: Service) -> String? {
    let name = name.lowercased()
    if let own = voices(of: service).first(where: { $0.id.lowercased() == name }) { return own.id }
    return equivalents.first { $0.isCalled(name) }?.name(at: service)
  }

  /// Whether the OpenAI service has, or had, a voice of this name: clients take these for granted.
  public static func isOpenAI(_ name: String) -> Bool {
    equivalents.contains { $0.openAI == name.lowercased() }
  }

  // MARK: Tables

  private static let openAI: [ServiceVoice] = [
    ServiceVoice("marin", gender: .female), ServiceVoice("cedar", gender: .male),
    ServiceVoice("alloy", gender: .neutral), ServiceVoice("ash", gender: .male),
    ServiceVoice("ballad", gender: .male), ServiceVoice("coral", gender: .female),
    ServiceVoice("echo", gender: .male), ServiceVoice("sage", gender: .female),
    ServiceVoice("shimmer", gender: .female), ServiceVoice("verse", gender: .male),
  ]

  private static let xAI: [ServiceVoice] =
    [
      ServiceVoice("eve", gender: .female), ServiceVoice("ara", gender: .female), ServiceVoice("rex", gender: .male),
      ServiceVoice("sal", gender: .neutral), ServiceVoice("leo", gender: .male),
    ]
    + [
      "altair", "atlas", "aurora", "carina", "castor", "celeste", "cosmo", "helios", "helix", "iris", "kepler", "liora",
      "lumen", "luna", "lux", "naksh", "orion", "perseus", "rigel", "sirius", "ursa", "zagan", "zenith",
    ].map { ServiceVoice($0) }

  /// The ones that its pages and clients name; an account has more.
  private static let inworld: [ServiceVoice] = [
    ServiceVoice("Dennis", language: "en", gender: .male), ServiceVoice("Olivia", language: "en", gender: .female),
    ServiceVoice("Clive", language: "en", gender: .male), ServiceVoice("Liam", language: "en", gender: .male),
    ServiceVoice("Sarah", language: "en", gender: .female), ServiceVoice("Alex", language: "en", gender: .male),
    ServiceVoice("Ashley", language: "en", gender: .female), ServiceVoice("Craig", language: "en", gender: .male),
    ServiceVoice("Deborah", language: "en", gender: .female), ServiceVoice("Edward", language: "en", gender: .male),
    ServiceVoice("Elizabeth", language: "en", gender: .female), ServiceVoice("Hades", language: "en", gender: .male),
    ServiceVoice("Julia", language: "en", gender: .female), ServiceVoice("Mark", language: "en", gender: .male),
    ServiceVoice("Pixie", language: "en", gender: .female), ServiceVoice("Priya", language: "en", gender: .female),
    ServiceVoice("Ronald", language: "en", gender: .male), ServiceVoice("Shaun", language: "en", gender: .male),
    ServiceVoice("Theodore", language: "en", gender: .male), ServiceVoice("Timothy", language: "en", gender: .male),
    ServiceVoice("Wendy", language: "en", gender: .female),
  ]

  private static let aura: [ServiceVoice] = [
    ServiceVoice("aura-2-thalia-en", language: "en", gender: .female),
    ServiceVoice("aura-2-andromeda-en", language: "en", gender: .female),
    ServiceVoice("aura-2-helena-en", language: "en", gender: .female),
    ServiceVoice("aura-2-luna-en", language: "en", gender: .female),
    ServiceVoice("aura-2-apollo-en", language: "en", gender: .male),
    ServiceVoice("aura-2-arcas-en", language: "en", gender: .male),
    ServiceVoice("aura-2-orion-en", language: "en", gender: .male),
    ServiceVoice("aura-2-orpheus-en", language: "en", gender: .male),
    ServiceVoice("aura-2-zeus-en", language: "en", gender: .male),
  ]

  /// One voice, as each service has it: by pitch first and character second. `alloy` is what clients name when they do
  /// not care: everywhere it is the service's standard voice.
  private struct Equivalent: Sendable {
    var openAI: String
    var xAI: String
    var inworld: String
    var aura: String

    init(_ openAI: String, _ xAI: String, _ inworld: String, _ aura: String) {
      self.openAI = openAI
      self.xAI = xAI
      self.inworld = inworld
      self.aura = "aura-2-\(aura)-en"
    }

    func name(at service: Service) -> String {
      switch service {
      // Two voices of an older API, which the realtime service refuses.
      case .openAI: ["nova": "coral", "onyx": "ash", "fable": "ballad"][openAI] ?? openAI
      case .xAI: xAI
      case .inworld: inworld
      case .aura: aura
      }
    }

    func isCalled(_ name: String) -> Bool {
      [openAI, xAI, inworld, aura].contains { $0.lowercased() == name }
    }
  }

  /// A name that stands in several rows is found in the first.
  private static let equivalents: [Equivalent] = [
    Equivalent("alloy", "eve", "Dennis", "thalia"),
    Equivalent("marin", "ara", "Olivia", "andromeda"),
    Equivalent("cedar", "leo", "Clive", "arcas"),
    Equivalent("ash", "rex", "Liam", "apollo"),
    Equivalent("ballad", "sal", "Edward", "orion"),
    Equivalent("coral", "ara", "Sarah", "helena"),
    Equivalent("echo", "rex", "Mark", "orion"),
    Equivalent("fable", "leo", "Timothy", "orpheus"),
    Equivalent("nova", "eve", "Ashley", "andromeda"),
    Equivalent("onyx", "leo", "Ronald", "zeus"),
    Equivalent("sage", "ara", "Deborah", "luna"),
    Equivalent("shimmer", "eve", "Julia", "luna"),
    Equivalent("verse", "rex", "Alex", "apollo"),
  ]
}
