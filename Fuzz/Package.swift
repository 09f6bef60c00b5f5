// swift-tools-version: 6.2
import PackageDescription

// The libFuzzer executable of `make fuzz` (docs/fuzzing.md). A package of its own, so that a user's build never pays for
// it; the targets themselves are in the main package, where the tests replay what was found.

let package = Package(
  name: "parley-fuzz",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "parley", path: "..")],
  targets: [
    .executableTarget(
      name: "fuzz",
      dependencies: [.product(name: "FuzzTargets", package: "parley")],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
