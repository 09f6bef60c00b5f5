import Envelope
import Translation

/// What Deepgram's ways of failing mean.
struct DeepgramFaults {
  /// Messages that end a transcription.
  enum Sent: Error {
    case noJSON
    case error(JSONValue)
  }

  private let discretion: Discretion

  init(_ key: Redacted<String>) {
    discretion = Discretion([key])
  }

  func fault(of error: any Error) -> StageFault {
    switch error {
    case let fault as StageFault: fault
    case let refusal as SocketRefusal: fault(of: refusal)
    case let closed as SocketClosed: fault(of: closed)
    case Sent.noJSON: make("protocol_error", "sent something that is not JSON", "")
    case Sent.error(let value):
      make("refused", "reported an error", (value["description"] ?? value["message"])?.string ?? "")
    default: StageFault(.stt, code: "stt_unreachable", message: "Deepgram cannot be reached.")
    }
  }

  private func fault(of refusal: SocketRefusal) -> StageFault {
    let body = (try? JSONValue(parsing: refusal.body)).flatMap(RemoteRefusal.init)
    let detail = [refusal.headers["dg-error"] ?? "", body?.message ?? ""].first { !$0.isEmpty } ?? ""
    let what = "answered with status \(refusal.status)"
    return switch refusal.status {
    case 429: make("rate_limit_exceeded", what, detail)
    case 408, 504: make("timeout", what, detail)
    default: make("refused", what, detail)
    }
  }

  private func fault(of closed: SocketClosed) -> StageFault {
    let what = "closed the connection with code \(closed.code)"
    if closed.reason.hasPrefix("DATA-") || closed.code == 1008 { return make("refused", what, closed.reason) }
    if closed.reason.hasPrefix("NET-") { return make("timeout", what, closed.reason) }
    return make("protocol_error", what, closed.reason)
  }

  private func make(_ word: String, _ what: String, _ detail: String) -> StageFault {
    let detail = discretion.clean(detail)
    return StageFault(
      .stt, code: word == "rate_limit_exceeded" ? word : "stt_" + word,
      message: "Deepgram \(what)" + (detail.isEmpty ? "." : ": \(detail)"))
  }
}
