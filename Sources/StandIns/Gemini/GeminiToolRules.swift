import Envelope

/// What the families of models refuse in their tools.
extension GeminiModelRules {
  func acceptsTools(_ tools: JSONValue?) -> Bool {
    let tools = tools?.array ?? []
    let functions = tools.flatMap { $0["functionDeclarations"]?.array ?? [] }
    guard functions.count <= 512, functions.allSatisfy(acceptsFunction) else { return false }
    let names = functions.compactMap { $0["name"]?.string }
    guard Set(names).count == names.count else { return false }
    return family != .v25 || functions.isEmpty || !tools.contains { $0["googleSearch"] != nil }
  }

  private func acceptsFunction(_ function: JSONValue) -> Bool {
    guard let name = function["name"]?.string, Self.isFunctionName(name) else { return false }
    guard function["parameters"] == nil || function["parametersJsonSchema"] == nil else { return false }
    if let parameters = function["parameters"], !Self.isParameters(parameters) { return false }
    switch (family, function["behavior"]?.string) {
    // 3.1 has one behaviour and is not asked for it.
    case (.v31, .some), (.v38ExtendedThinking, "BLOCKING"?): return false
    default: return true
    }
  }

  /// Parameters are an object with properties; a function without any leaves them out.
  private static func isParameters(_ schema: JSONValue) -> Bool {
    schema["type"]?.string == "OBJECT" && schema["properties"]?.object?.isEmpty == false
  }

  /// A letter or underscore, then letters, digits and `_.:-`; at most 128 characters.
  static func isFunctionName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 128 else { return false }
    let isLetter = { (byte: UInt8) in (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F }
    guard isLetter(first) else { return false }
    return name.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || "_.:-".utf8.contains($0) }
  }
}
