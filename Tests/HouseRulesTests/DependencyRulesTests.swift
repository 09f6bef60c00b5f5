import Foundation
import Testing

/// The rules of the house that a compiler does not keep (`docs/architecture.md`, "Targets").
@Suite struct DependencyRules {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

  /// What each pure target may import beside other pure targets below it.
  static let pure: [String: Set<String>] = [
    "WebSocketWire": ["NIOCore"],
    "HTTPWire": ["NIOCore"],
    "Audio": ["NIOCore"],
    "Envelope": ["NIOCore", "Audio"],
    "Metering": ["NIOCore", "Audio", "Envelope"],
    "Translation": ["NIOCore", "Audio", "Envelope", "Metering"],
    "OpenAIWire": ["NIOCore", "Audio", "Envelope", "Metering", "Translation"],
    "Providers/OpenAI": ["NIOCore", "Audio", "Envelope", "Metering", "Translation", "OpenAIWire"],
    "Providers/Azure": ["NIOCore", "Audio", "Envelope", "Metering", "Translation", "OpenAIWire"],
    "Providers/XAI": ["NIOCore", "Audio", "Envelope", "Metering", "Translation", "OpenAIWire"],
    "Providers/Inworld": ["NIOCore", "Audio", "Envelope", "Metering", "Translation", "OpenAIWire"],
    "Providers/Vowel": ["NIOCore", "Audio", "Envelope", "Metering", "Translation", "OpenAIWire"],
    "Providers/GeminiLive": ["NIOCore", "Audio", "Envelope", "Metering", "Translation"],
    "Providers/LocalVoice": ["NIOCore", "Audio", "Envelope", "Metering", "Translation"],
    "SessionCore": [
      "NIOCore", "Audio", "Envelope", "Metering", "Translation", "OpenAIWire", "OpenAIProvider", "GeminiLiveProvider",
      "LocalVoiceProvider", "AzureProvider", "XAIProvider", "InworldProvider", "VowelProvider",
    ],
  ]

  struct Source {
    var path: String
    var lines: [Substring]
  }

  static func sources(_ folder: String) -> [Source] {
    let base = root.appending(path: folder)
    let files = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
    return files.filter { $0.hasSuffix(".swift") }.sorted().compactMap { name in
      guard let text = try? String(contentsOf: base.appending(path: name), encoding: .utf8) else { return nil }
      return Source(path: folder + "/" + name, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
    }
  }

  static func imports(_ source: Source) -> [String] {
    source.lines.compactMap { line in
      let words = line.split(separator: " ")
      guard let index = words.firstIndex(of: "import"),
        words[..<index].allSatisfy({ $0.hasPrefix("@") || $0 == "public" })
      else { return nil }
      return words.dropFirst(index + 1).first.map(String.init)
    }
  }

  @Test("the pure core imports nothing that opens a socket, reads a clock or logs", arguments: pure.keys.sorted())
  func pureImports(_ target: String) throws {
    let allowed = try #require(Self.pure[target])
    let sources = Self.sources("Sources/" + target)
    #expect(!sources.isEmpty)
    for source in sources {
      for name in Self.imports(source) { #expect(allowed.contains(name), "\(source.path) imports \(name)") }
    }
  }

  @Test("the pure core reads no clock", arguments: pure.keys.sorted())
  func noClock(_ target: String) {
    for source in Self.sources("Sources/" + target) {
      for (number, line) in source.lines.enumerated() {
        for forbidden in ["NIODeadline.now", "ContinuousClock", "SuspendingClock", "Date()", "Task.sleep"] {
          #expect(!line.contains(forbidden), "\(source.path):\(number + 1)")
        }
      }
    }
  }

  @Test("a provider imports no other provider")
  func providersApart() {
    for source in Self.sources("Sources/Providers") {
      let names = Self.imports(source).filter { $0.hasSuffix("Provider") }
      #expect(names.isEmpty, "\(source.path) imports \(names)")
    }
  }

  @Test("nothing reachable from input traps: no forced unwrap of a try, no cast, no unchecked claim")
  func noTraps() {
    let forbidden = [
      "try" + "!", "as" + "! ", "fatal" + "Error(", "precondition" + "Failure(", "@unchecked " + "Sendable",
    ]
    for source in Self.sources("Sources") {
      for (number, line) in source.lines.enumerated() {
        for word in forbidden where line.contains(word) {
          Issue.record("\(source.path):\(number + 1) has \(word)")
        }
      }
    }
  }

  @Test("files stay under 400 lines")
  func fileLength() {
    for source in Self.sources("Sources") + Self.sources("Tests") where source.lines.count > 400 {
      Issue.record("\(source.path) has \(source.lines.count) lines")
    }
  }

  @Test("the manifest's dependencies between our targets are the ones above")
  func manifest() throws {
    let text = try String(contentsOf: Self.root.appending(path: "Package.swift"), encoding: .utf8)
    for target in Self.pure.keys.sorted() {
      let name = target.hasPrefix("Providers/") ? target.dropFirst("Providers/".count) + "Provider" : target
      #expect(text.contains("\"\(name)\""), "\(name) is not in the manifest")
    }
    #expect(!text.contains("from: \""), "dependencies have exact versions")
  }
}
