// swift-tools-version: 6.2
import PackageDescription

// The way of an audio frame through the pure core, optimised, for scripts/bench-allocations.sh (docs/performance.md). Only
// an optimised build tells what a frame allocates, and a whole one takes too long for every run of the tests; this one
// compiles the core (by symbolic links) and NIOCore, nothing else.

let strict: [SwiftSetting] = Context.environment["PARLEY_STRICT"] == "1" ? [.treatAllWarnings(as: .error)] : []
let settings: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ] + strict
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")

func house(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .target(name: name, dependencies: dependencies + [nioCore], path: path, exclude: exclude, swiftSettings: settings)
}

func provider(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  house("\(name)Provider", path: "Sources/Providers/\(name)", dependencies, exclude: ["NOTES.md"])
}

let core: [Target.Dependency] = ["Translation", "Metering", "Envelope", "Audio"]
let wireProviders = ["OpenAI", "Azure", "XAI", "Inworld", "Vowel"]
let otherProviders = ["GeminiLive", "LocalVoice"]

let package = Package(
  name: "parley-audio-path",
  platforms: [.macOS(.v15)],
  dependencies: [.package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2")],
  targets: [
    house("WebSocketWire", []),
    house("Audio", []),
    house("Envelope", ["Audio"]),
    house("Metering", ["Envelope", "Audio"]),
    house("Translation", ["Metering", "Envelope", "Audio"]),
    house("OpenAIWire", core),
    house(
      "SessionCore",
      core + ["OpenAIWire"] + (wireProviders + otherProviders).map { .byName(name: "\($0)Provider") }),
    .executableTarget(
      name: "audio-path", dependencies: core + ["SessionCore", "WebSocketWire", nioCore], swiftSettings: settings),
  ] + wireProviders.map { provider($0, core + ["OpenAIWire"]) } + otherProviders.map { provider($0, core) },
  swiftLanguageModes: [.v6]
)
