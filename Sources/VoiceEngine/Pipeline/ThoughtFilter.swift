/// Takes out of a streamed answer what a model thinks before it speaks: `<think>…</think>` and
/// `<thinking>…</thinking>`, in any case. The tags may be cut anywhere; a possible beginning of one is held back until
/// the next piece decides.
///
/// What follows a tag that is never closed is a thought to the end. A closing tag without an opening one is dropped:
/// some servers put the opening one in the prompt.
public struct ThoughtFilter: Sendable {
  private static let opening = ["<think>", "<thinking>"]
  private static let closing = ["</think>", "</thinking>"]

  private var isThinking = false
  /// The possible beginning of a tag, as it came.
  private var held = ""

  public init() {}

  /// More of the answer; what of it may be shown and spoken.
  public mutating func add(_ piece: String) -> String {
    var output = String.UnicodeScalarView()
    for scalar in piece.unicodeScalars {
      if scalar == "<" {
        release(into: &output)
        held = "<"
      } else if held.isEmpty {
        if !isThinking { output.append(scalar) }
      } else {
        held.unicodeScalars.append(scalar)
        decide(into: &output)
      }
    }
    return String(output)
  }

  /// The answer is over: what was held back. The next answer begins anew.
  public mutating func finish() -> String {
    var output = String.UnicodeScalarView()
    release(into: &output)
    isThinking = false
    return String(output)
  }

  private mutating func decide(into output: inout String.UnicodeScalarView) {
    let candidate = held.lowercased()
    if Self.closing.contains(candidate) {
      isThinking = false
      held = ""
    } else if !isThinking, Self.opening.contains(candidate) {
      isThinking = true
      held = ""
    } else if !(Self.closing + Self.opening).contains(where: { $0.hasPrefix(candidate) }) {
      release(into: &output)
    }
  }

  private mutating func release(into output: inout String.UnicodeScalarView) {
    if !isThinking { output.append(contentsOf: held.unicodeScalars) }
    held = ""
  }
}
