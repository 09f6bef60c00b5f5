// swift-tools-version: 6.2
import PackageDescription

/// Warnings are errors wherever the Makefile builds (`PARLEY_STRICT=1`); a plain `swift build` with a newer compiler must
/// not fail on a warning that did not exist when this was written.
let strict: [SwiftSetting] = Context.environment["PARLEY_STRICT"] == "1" ? [.treatAllWarnings(as: .error)] : []
let settings: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ] + strict

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

/// Arithmetic over samples costs a hundred times as much without optimisation, and `make run` and the tests use debug
/// builds: a detector that takes 0.2 % of a processor would take a tenth of it.
let arithmetic: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// A library target of ours.
func house(
  _ name: String, path: String? = nil, _ dependencies: [Target.Dependency], exclude: [String] = [],
  extra: [SwiftSetting] = []
) -> Target {
  .target(name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: settings + extra)
}

/// The tests of a target.
func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

let package = Package(
  name: "parley",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "parley", targets: ["parley"]),
    .executable(name: "EchoTestee", targets: ["EchoTestee"]),
    .library(name: "FuzzTargets", targets: ["FuzzTargets"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
    .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio-extras.git", exact: "1.35.2"),
    .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics.git", exact: "2.13.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing.git", exact: "1.7.3"),
    .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
    .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
    .package(url: "https://github.com/swift-server/async-http-client.git", exact: "1.37.0"),
    .package(url: "https://github.com/jpsim/Yams.git", exact: "6.2.2"),
    .package(url: "https://github.com/vapor/jwt-kit.git", exact: "5.7.1"),
    .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
    .package(url: "https://github.com/groue/GRDB.swift.git", exact: "7.10.0"),
  ],
  targets: [
    // The pure core: no sockets, no clocks, no logs.
    house("WebSocketWire", [nioCore]),
    house("HTTPWire", [nioCore]),
    house("Audio", [nioCore], extra: arithmetic),
    house("Envelope", ["Audio", nioCore]),
    house("Metering", ["Envelope", "Audio", nioCore]),
    house("Translation", ["Metering", "Envelope", "Audio", nioCore]),
    house("OpenAIWire", ["Translation", "Metering", "Envelope", "Audio", nioCore]),
    house(
      "OpenAIProvider", path: "Sources/Providers/OpenAI",
      ["OpenAIWire", "Translation", "Metering", "Envelope", "Audio", nioCore], exclude: ["NOTES.md"]),
    house(
      "AzureProvider", path: "Sources/Providers/Azure",
      ["OpenAIWire", "Translation", "Metering", "Envelope", "Audio", nioCore], exclude: ["NOTES.md"]),
    house(
      "XAIProvider", path: "Sources/Providers/XAI",
      ["OpenAIWire", "Translation", "Metering", "Envelope", "Audio", nioCore], exclude: ["NOTES.md"]),
    house(
      "InworldProvider", path: "Sources/Providers/Inworld",
      ["OpenAIWire", "Translation", "Metering", "Envelope", "Audio", nioCore], exclude: ["NOTES.md"]),
    house(
      "VowelProvider", path: "Sources/Providers/Vowel",
      ["OpenAIWire", "Translation", "Metering", "Envelope", "Audio", nioCore], exclude: ["NOTES.md"]),
    house(
      "GeminiLiveProvider", path: "Sources/Providers/GeminiLive",
      ["Translation", "Metering", "Envelope", "Audio", nioCore], exclude: ["NOTES.md"]),
    house(
      "LocalVoiceProvider", path: "Sources/Providers/LocalVoice",
      ["Translation", "Metering", "Envelope", "Audio", nioCore], exclude: ["NOTES.md"]),
    house(
      "SessionCore",
      [
        "OpenAIProvider", "AzureProvider", "XAIProvider", "InworldProvider", "VowelProvider", "GeminiLiveProvider",
        "LocalVoiceProvider", "OpenAIWire", "Translation", "Metering", "Envelope", "Audio", nioCore,
      ]),

    // Shared libraries that are opened when they are needed.
    house("NativeCode", []),

    // The voice engine of the process.
    .target(name: "CSpeech"),
    house(
      "VoiceEngine",
      [
        "CSpeech", "NativeCode", "LocalVoiceProvider", "Translation", "Envelope", "Audio", nioCore, logging,
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Yams", package: "Yams"),
      ], extra: arithmetic),

    // The edge.
    house("Routing", ["SessionCore", "Metering", "Translation", "Envelope"]),
    house(
      "Access",
      [
        "Routing", "SessionCore", "Metering", "Translation", "Envelope",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    house(
      "Ledger",
      [
        "Access", "Routing", "Metering", "Translation", "Envelope", "NativeCode", nioCore, logging,
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    house(
      "Telemetry",
      [
        "Envelope", "Translation", "NativeCode", nioCore, nioPosix, logging,
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    house(
      "Settings",
      [
        "VoiceEngine", "Routing", "Access", "Translation", "Envelope", "NativeCode", logging,
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Yams", package: "Yams"),
      ]),
    house(
      "Operator",
      [
        "Access", "Routing", "Metering", "Translation", "NativeCode", "VoiceEngine", "LocalVoiceProvider", "Envelope",
        "Audio",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        logging, nioCore,
      ]),
    house(
      "Gateway",
      [
        "WebSocketWire", "HTTPWire", "Envelope", "Translation", "SessionCore", "Routing", "Access", "Metering",
        "Operator",
        "VoiceEngine", "LocalVoiceProvider",
        nioCore, nioPosix, logging,
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOTLS", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "JWTKit", package: "jwt-kit"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
      ]),
    house(
      "StandIns",
      [
        "WebSocketWire", "Envelope", "Audio", nioCore, nioPosix, logging,
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ], extra: arithmetic),
    house(
      "ParleyTesting",
      [
        "WebSocketWire", "Envelope", "Metering", "Translation", "SessionCore", "LocalVoiceProvider", nioCore, nioPosix,
        .product(name: "Yams", package: "Yams"),
      ]),

    // What libFuzzer and the tests that replay its findings have in common; `Fuzz/Package.swift` makes the executable.
    house(
      "FuzzTargets", path: "Fuzz/Targets",
      [
        "ParleyTesting", "Access", "Routing", "SessionCore", "OpenAIWire", "Translation", "Envelope", "Audio",
        "HTTPWire",
        "WebSocketWire", nioCore,
      ]),

    // The executables.
    .executableTarget(
      name: "parley",
      dependencies: [
        "Gateway", "Ledger", "Telemetry", "Settings", "Metering", "Operator", "Routing", "Access", "StandIns",
        "SessionCore", "Translation", "Envelope", "Audio", "VoiceEngine", "WebSocketWire", logging,
        nioCore, nioPosix,
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "EchoTestee",
      dependencies: [
        "Gateway", "WebSocketWire", "Translation", logging, nioCore, nioPosix,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "soak",
      dependencies: [
        "StandIns", "ParleyTesting", "WebSocketWire", "Envelope", nioCore, nioPosix,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/Soak", swiftSettings: settings),
    .executableTarget(
      name: "Backpressure",
      dependencies: [
        "ParleyTesting", "WebSocketWire", nioCore, nioPosix,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/Backpressure", swiftSettings: settings + arithmetic),

    // The tests.
    tests("WebSocketWireTests", ["WebSocketWire", nioCore]),
    tests("HTTPWireTests", ["HTTPWire", nioCore]),
    tests("AudioTests", ["Audio", nioCore]),
    tests("EnvelopeTests", ["Envelope", "Audio", nioCore], resources: [.copy("Fixtures")]),
    tests("MeteringTests", ["Metering", "Envelope", "ParleyTesting", nioCore]),
    tests("TranslationTests", ["Translation", "Envelope", nioCore]),
    tests(
      "OpenAIWireTests",
      ["OpenAIWire", "SessionCore", "Translation", "Envelope", "Audio", "ParleyTesting", nioCore]),
    tests(
      "OpenAITests",
      ["OpenAIProvider", "OpenAIWire", "SessionCore", "Translation", "Envelope", "ParleyTesting", nioCore]),
    tests(
      "AzureTests", ["AzureProvider", "OpenAIWire", "SessionCore", "Translation", "Envelope", "ParleyTesting", nioCore]),
    tests(
      "XAITests", ["XAIProvider", "OpenAIWire", "SessionCore", "Translation", "Envelope", "ParleyTesting", nioCore]),
    tests(
      "InworldTests",
      ["InworldProvider", "OpenAIWire", "SessionCore", "Translation", "Envelope", "ParleyTesting", nioCore]),
    tests(
      "VowelTests", ["VowelProvider", "OpenAIWire", "SessionCore", "Translation", "Envelope", "ParleyTesting", nioCore]),
    tests(
      "GeminiLiveTests",
      ["GeminiLiveProvider", "SessionCore", "Translation", "Envelope", "Audio", "ParleyTesting", nioCore]),
    tests(
      "SessionCoreTests",
      [
        "SessionCore", "Metering", "OpenAIProvider", "AzureProvider", "XAIProvider", "InworldProvider", "VowelProvider",
        "GeminiLiveProvider", "OpenAIWire", "Translation", "Envelope", "ParleyTesting", nioCore,
      ]),
    tests(
      "LocalVoiceTests",
      ["LocalVoiceProvider", "SessionCore", "Translation", "Envelope", "ParleyTesting", nioCore]),
    tests(
      "VoiceEngineTests",
      [
        "VoiceEngine", "NativeCode", "LocalVoiceProvider", "CSpeech", "Translation", "Envelope", "Audio", nioCore,
        nioPosix, logging,
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "Yams", package: "Yams"),
      ], resources: [.copy("Fixtures")]),
    tests("RoutingTests", ["Routing", "SessionCore", "Translation", "Envelope"]),
    tests(
      "AccessTests",
      [
        "Access", "Metering", "ParleyTesting", "Routing", "SessionCore", "Translation", "Envelope",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "JWTKit", package: "jwt-kit"),
      ]),
    tests(
      "LedgerTests",
      [
        "Ledger", "Access", "Metering", "ParleyTesting", "Routing", "Translation", "Envelope", "NativeCode", nioCore,
        nioPosix, logging,
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    tests(
      "TelemetryTests",
      [
        "Telemetry", "Envelope", "ParleyTesting", nioCore, nioPosix, logging,
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    tests(
      "SettingsTests",
      [
        "Settings", "VoiceEngine", "Routing", "Access", "Translation", "Envelope", "ParleyTesting", logging,
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Yams", package: "Yams"),
      ]),
    tests(
      "OperatorTests",
      [
        "Operator", "Access", "Metering", "Routing", "Translation", "Envelope", nioCore, logging,
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
      ]),
    tests(
      "GatewayTests",
      [
        "Gateway", "Access", "Envelope", "HTTPWire", "Metering", "ParleyTesting", "Routing", "SessionCore",
        "Translation", "VoiceEngine", "WebSocketWire", nioCore, nioPosix, logging,
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Tracing", package: "swift-distributed-tracing"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "JWTKit", package: "jwt-kit"),
      ], resources: [.copy("Certificates")]),
    tests("StandInsTests", ["StandIns", "ParleyTesting", "WebSocketWire", "Envelope", nioCore, nioPosix]),
    tests(
      "ParleyTestingTests",
      ["ParleyTesting", nioCore, nioPosix, .product(name: "NIOEmbedded", package: "swift-nio")]),
    tests("FuzzReplayTests", ["FuzzTargets"]),
    tests("SoakTests", ["soak", "Envelope", "StandIns"]),
    tests("HouseRulesTests", []),
  ],
  swiftLanguageModes: [.v6]
)
