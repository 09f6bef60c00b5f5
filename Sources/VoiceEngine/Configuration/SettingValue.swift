import Translation

/// A value that has passed the rules of its setting.
enum SettingValue: Sendable {
  case text(String)
  case integer(Int)
  case number(Double)
  case flag(Bool)
  case secret(ConfiguredSecret)
}

/// A value as it was found, before its setting's rules.
enum RawValue: Sendable {
  /// `isPlain` text has no type of its own: a variable's, or an unquoted scalar of YAML. Quoted text is a string.
  case text(String, isPlain: Bool)
  case number(Double)
  case flag(Bool)
  case null
  case list
  case mapping

  var phrase: String {
    switch self {
    case .text: "a text"
    case .number: "a number"
    case .flag: "true or false"
    case .null: "null"
    case .list: "a list"
    case .mapping: "a mapping"
    }
  }
}

extension Setting.Kind {
  /// What the rule expects, for people.
  var phrase: String {
    switch self {
    case .word(let words, _): "one of \(words.joined(separator: ", "))"
    case .text: "a text"
    case .integer: "a whole number"
    case .number: "a number"
    case .flag: "true or false"
    case .url: "an http or https address"
    case .path: "a path"
    case .secret: "a key, env:NAME or file:PATH"
    }
  }

  /// The value if it keeps the rule; nil for null, which leaves the setting to the layer below.
  func value(
    of raw: RawValue, secrets: SecretReader
  ) throws(RuntimeConfigurationFault.Cause) -> SettingValue? {
    if case .null = raw { return nil }
    switch self {
    case .flag: return .flag(try flag(raw))
    case .integer(let range): return .integer(try integer(raw, range))
    case .number(let range): return .number(try number(raw, range))
    case .word(let words, let aliases): return .text(try Self.word(try text(raw), words, aliases))
    case .text: return .text(try Self.checked(try text(raw), longest: 512))
    case .path: return .text(try Self.checked(try text(raw), longest: 4_096))
    case .url: return .text(try Self.address(try text(raw)))
    case .secret: return .secret(try secrets.secret(try text(raw)))
    }
  }

  private func wrong(_ raw: RawValue) -> RuntimeConfigurationFault.Cause {
    .wrongKind(expected: phrase, found: raw.phrase)
  }

  private func text(_ raw: RawValue) throws(RuntimeConfigurationFault.Cause) -> String {
    guard case .text(let text, _) = raw else { throw wrong(raw) }
    return text
  }

  func flag(_ raw: RawValue) throws(RuntimeConfigurationFault.Cause) -> Bool {
    switch raw {
    case .flag(let flag): return flag
    case .text(let text, isPlain: true):
      switch text.lowercased() {
      case "true", "yes", "on", "1": return true
      case "false", "no", "off", "0": return false
      default: throw wrong(raw)
      }
    default: throw wrong(raw)
    }
  }

  private func double(_ raw: RawValue) throws(RuntimeConfigurationFault.Cause) -> Double {
    switch raw {
    case .number(let number): return number
    case .text(let text, isPlain: true):
      guard let number = Double(text) else { throw wrong(raw) }
      return number
    default: throw wrong(raw)
    }
  }

  private func integer(_ raw: RawValue, _ range: ClosedRange<Int>) throws(RuntimeConfigurationFault.Cause) -> Int {
    let number = try double(raw)
    guard number.rounded() == number || !number.isFinite else { throw wrong(raw) }
    guard let integer = Int(exactly: number), range.contains(integer) else {
      throw .outOfRange("\(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  private func number(
    _ raw: RawValue, _ range: ClosedRange<Double>
  ) throws(RuntimeConfigurationFault.Cause) -> Double {
    let number = try double(raw)
    guard range.contains(number) else {
      throw .outOfRange("\(Self.short(range.lowerBound)) to \(Self.short(range.upperBound))")
    }
    return number
  }

  private static func short(_ number: Double) -> String {
    Int(exactly: number).map(String.init) ?? "\(number)"
  }

  private static func word(
    _ text: String, _ words: [String], _ aliases: [String: String]
  ) throws(RuntimeConfigurationFault.Cause) -> String {
    let word = text.lowercased()
    if words.contains(word) { return word }
    if let meant = aliases[word] { return meant }
    // What stands here by mistake may be a key, so only a near miss is repeated, as the word that was meant.
    throw .unknownWord(nearest: NearestKey.of(word, among: words + aliases.keys.sorted()), known: words)
  }

  private static func checked(_ text: String, longest: Int) throws(RuntimeConfigurationFault.Cause) -> String {
    guard !text.isEmpty else { throw .badText("must not be empty") }
    guard text.utf8.count <= longest else { throw .badText("is longer than \(longest) bytes") }
    guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
      throw .badText("holds a control character")
    }
    return text
  }

  /// An address without a slash at its end, a user, a query or a fragment: those may hold secrets, and an address
  /// is shown.
  private static func address(_ text: String) throws(RuntimeConfigurationFault.Cause) -> String {
    guard text.utf8.count <= 2_048, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw .badText("is not an http or https address")
    }
    let lowered = text.lowercased()
    guard let scheme = ["http://", "https://"].first(where: lowered.hasPrefix) else {
      throw .badText("must begin with http:// or https://")
    }
    var rest = text.dropFirst(scheme.count)
    guard !rest.contains(where: { "?#@\\".contains($0) }) else {
      throw .badText("must have no user, query or fragment; a key belongs in apiKey")
    }
    while rest.last == "/" { rest.removeLast() }
    let authority = rest.prefix { $0 != "/" }
    guard isAuthority(authority) else { throw .badText("has no usable host and port") }
    return scheme + rest
  }

  /// `host`, `host:port`, `[::1]:port`.
  private static func isAuthority(_ authority: Substring) -> Bool {
    var host = authority
    var port: Substring?
    if authority.first == "[" {
      guard let end = authority.firstIndex(of: "]") else { return false }
      host = authority[authority.index(after: authority.startIndex)..<end]
      guard !host.isEmpty, host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return false }
      let rest = authority[authority.index(after: end)...]
      guard rest.isEmpty || rest.first == ":" else { return false }
      port = rest.isEmpty ? nil : rest.dropFirst()
    } else {
      if let colon = authority.firstIndex(of: ":") {
        host = authority[..<colon]
        port = authority[authority.index(after: colon)...]
      }
      guard !host.isEmpty, host.allSatisfy({ $0.isLetter || $0.isNumber || "-._".contains($0) }) else { return false }
    }
    guard let port else { return true }
    return port.allSatisfy { ("0"..."9").contains($0) } && UInt16(port).map { $0 > 0 } == true
  }
}
