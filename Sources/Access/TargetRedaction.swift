/// Makes request targets fit for logs (fault rows 17 and 62, R179).
public enum TargetRedaction {
  /// Parameters whose values say something about a session and nothing about who asks.
  static let shownParameters: Set<String> = [
    "provider", "model", "modelId", "intent", "api-version", "deployment", "dialect", "delta_field", "vendor_events",
  ]
  /// Parameters of which at least the name may be shown; the names that carry keys here or at other services.
  static let namedParameters: Set<String> = ["token", "access_token", "api_key", "api-key", "key", "call_id"]
  /// The longest piece that is shown, in characters.
  static let longestPiece = 200

  /// The path and the query, with every value replaced that is not known to be harmless. A list of secret names would miss
  /// those that nobody thought of: `?tokn=…`, `?%74oken=…`, `?sk-…`.
  public static func redacted(_ target: String) -> String {
    guard target.hasPrefix("/") else { return "<not a path>" }
    let path = target.prefix { $0 != "?" && $0 != "#" }
    var text = visible(path)
    guard target[path.endIndex...].hasPrefix("?") else { return text }
    let query = target[path.endIndex...].dropFirst()
    let pairs = query.split(separator: "&", omittingEmptySubsequences: false).prefix(20).map { pair -> String in
      guard let sign = pair.firstIndex(of: "="), !pair.contains("#") else { return "<redacted>" }
      let name = String(pair[..<sign])
      if shownParameters.contains(name) { return "\(name)=\(visible(pair[pair.index(after: sign)...]))" }
      return namedParameters.contains(name) ? "\(name)=<redacted>" : "<redacted>"
    }
    text += "?" + pairs.joined(separator: "&")
    return text
  }

  /// Visible ASCII but quotes and backslashes; the rest as "?", and what is too long is cut.
  private static func visible(_ text: Substring) -> String {
    var result = ""
    for (index, scalar) in text.unicodeScalars.enumerated() {
      if index == longestPiece { return result + "..." }
      let isPlain = (0x21...0x7E).contains(scalar.value) && scalar != "\"" && scalar != "\\"
      result.unicodeScalars.append(isPlain ? scalar : "?")
    }
    return result
  }
}
