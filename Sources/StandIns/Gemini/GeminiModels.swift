/// The models of the service and where they run.
///
/// Source: the list of Live models, autumn 2026. An id that is on neither list, or is retired, does not exist.
enum GeminiModels {
  static let aiStudio: Set<String> = [
    "gemini-3.8-live", "gemini-3.8-live-extended-thinking", "gemini-3.1-flash-live-preview",
    "gemini-2.5-flash-native-audio-preview-12-2025", "gemini-2.5-flash-native-audio-latest",
    "gemini-3.5-live-translate-preview", "gemini-3.5-transcribe-live", "gemini-robotics-er-2-streaming-preview",
  ]
  static let vertex: Set<String> = [
    "gemini-3.8-live", "gemini-live-2.5-flash-native-audio", "gemini-live-2.5-flash",
    "gemini-3.5-live-translate-preview", "gemini-3.5-transcribe-live", "gemini-3.5-transcribe-live-preview",
  ]

  /// - Parameters:
  ///   - name: as in the set-up, with its prefix.
  ///   - only: ids that exist instead of the real ones; nil for the real ones, `["*"]` for any.
  static func exist(_ name: String, on platform: GeminiFields.Platform, only: [String]?) -> Bool {
    let id = name.split(separator: "/").last.map(String.init) ?? name
    if let only { return only == ["*"] || only.contains(id) }
    switch platform {
    case .aiStudio:
      return name.hasPrefix("tunedModels/") || aiStudio.contains(id)
    case .vertex:
      // The native-audio model runs in regions only.
      return vertex.contains(id) && !(id.hasSuffix("native-audio") && name.contains("/locations/global/"))
    }
  }

  static func notFound(_ name: String, on platform: GeminiFields.Platform, version: String) -> String {
    switch platform {
    case .aiStudio:
      "\(name) is not found for API version \(version), or is not supported for bidiGenerateContent."
    case .vertex: "Publisher model was not found."
    }
  }
}
