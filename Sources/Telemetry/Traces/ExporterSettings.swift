import Foundation

/// Where traces go, from the environment variables that OpenTelemetry names ("OpenTelemetry Protocol Exporter",
/// "General SDK Configuration"). A variable that is empty is not set.
struct ExporterSettings: Sendable {
  /// With the path.
  let endpoint: String
  /// Names and values that every request carries; values may be secrets.
  var headers: [(name: String, value: String)] = []
  var resource: [(String, String)] = []
  /// The share of traces that are recorded, where Parley is the first of them.
  var ratio = 1.0
  /// How long a request may take.
  var timeout = Duration.seconds(10)
  /// How long spans wait for others.
  var delay = Duration.seconds(1)

  /// nil if there is nowhere to send them to, or if that is not wanted.
  /// - Parameter complain: is told the name of a variable that makes no sense, and why. It is passed over.
  init?(environment: [String: String], complain: (_ variable: String, _ cause: String) -> Void) {
    func value(_ name: String) -> String? {
      environment[name].flatMap { text in
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        return trimmed.isEmpty ? nil : trimmed
      }
    }
    func value(ofTraces name: String) -> (name: String, value: String)? {
      for name in ["OTEL_EXPORTER_OTLP_TRACES_\(name)", "OTEL_EXPORTER_OTLP_\(name)"] {
        if let value = value(name) { return (name, value) }
      }
      return nil
    }
    guard value("OTEL_SDK_DISABLED")?.lowercased() != "true", value("OTEL_TRACES_EXPORTER") != "none",
      let (name, given) = value(ofTraces: "ENDPOINT")
    else { return nil }
    let address = name.contains("TRACES") ? given : given.trimmingSuffix("/") + "/v1/traces"
    guard let url = URL(string: address), ["http", "https"].contains(url.scheme?.lowercased()), url.host != nil else {
      complain(name, "an address with http:// or https:// is expected; no traces are exported")
      return nil
    }
    endpoint = address
    if let (name, protocolName) = value(ofTraces: "PROTOCOL"), protocolName != "http/json" {
      complain(name, "http/json is what is spoken")
    }
    if let (name, text) = value(ofTraces: "HEADERS") {
      headers = Self.pairs(text, of: name, complain).filter { header in
        let isSound = Self.isHeader(header)
        if !isSound { complain(name, "a header of it cannot be sent") }
        return isSound
      }.map { (name: $0.0, value: $0.1) }
    }
    resource = value("OTEL_RESOURCE_ATTRIBUTES").map { Self.pairs($0, of: "OTEL_RESOURCE_ATTRIBUTES", complain) } ?? []
    let service = value("OTEL_SERVICE_NAME") ?? resource.first { $0.0 == "service.name" }?.1 ?? "parley"
    resource = [("service.name", service)] + resource.filter { $0.0 != "service.name" }
    if let text = value("OTEL_TRACES_SAMPLER_ARG") {
      if let number = Double(text), (0...1).contains(number) {
        ratio = number
      } else {
        complain("OTEL_TRACES_SAMPLER_ARG", "a number from 0 to 1 is expected")
      }
    }
    if let (name, text) = value(ofTraces: "TIMEOUT") {
      timeout = Self.milliseconds(text, of: name, complain) ?? timeout
    }
    if let text = value("OTEL_BSP_SCHEDULE_DELAY") {
      delay = Self.milliseconds(text, of: "OTEL_BSP_SCHEDULE_DELAY", complain) ?? delay
    }
  }

  private static func milliseconds(_ text: String, of name: String, _ complain: (String, String) -> Void) -> Duration? {
    guard let number = Int(text), (1...3_600_000).contains(number) else {
      complain(name, "milliseconds from 1 to 3600000 are expected")
      return nil
    }
    return .milliseconds(number)
  }

  /// `name=value,name=value`; values are percent-encoded.
  private static func pairs(
    _ text: String, of variable: String, _ complain: (String, String) -> Void
  ) -> [(String, String)] {
    text.split(separator: ",").compactMap { pair in
      guard let equals = pair.firstIndex(of: "="),
        let value = String(pair[pair.index(after: equals)...]).removingPercentEncoding
      else {
        complain(variable, "name=value is expected")
        return nil
      }
      return (pair[..<equals].trimmingCharacters(in: .whitespaces), value.trimmingCharacters(in: .whitespaces))
    }
  }

  /// RFC 9110 section 5: a token, and a value of one line.
  private static func isHeader(_ header: (String, String)) -> Bool {
    !header.0.isEmpty
      && header.0.utf8.allSatisfy { (0x21...0x7E).contains($0) && !Array("\"(),/:;<=>?@[\\]{}".utf8).contains($0) }
      && header.1.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
  }
}

extension String {
  fileprivate func trimmingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)).trimmingSuffix(suffix) : self
  }
}
