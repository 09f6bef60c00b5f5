// swift-tools-version: 6.2
import PackageDescription

// The load generator and the echoing upstream of `make bench` (docs/performance.md). A package of its own, without
// dependencies, so that a user's build never pays for it and nothing of Parley's own code measures Parley.

let strict: [SwiftSetting] = Context.environment["PARLEY_STRICT"] == "1" ? [.treatAllWarnings(as: .error)] : []

let package = Package(
  name: "parley-benchmarks",
  targets: [
    .systemLibrary(name: "CLinux"),
    .executableTarget(
      name: "parley-bench",
      dependencies: ["CLinux"],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ] + strict),
  ],
  swiftLanguageModes: [.v6]
)
