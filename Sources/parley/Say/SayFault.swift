/// Why a question got no answer, in one line.
struct SayFault: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = TerminalText.plain(description)
  }
}
