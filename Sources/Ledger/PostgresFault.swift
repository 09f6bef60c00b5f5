/// Why PostgreSQL did not answer. No case holds a text of the library or of the server: those quote addresses, users and
/// values (fault row 17).
enum PostgresFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// There is no connection, and none could be made.
  case unreachable(Cause)
  /// A connection that there was is gone; what was asked may or may not have been done.
  case lost
  /// No answer in time. The connection was given up; what was asked may or may not have been done.
  case timedOut
  /// More wait for the connection than it could serve in time.
  case busy
  /// The server's answer is an error of this code (five characters; PostgreSQL's manual, appendix A).
  case refused(sqlState: String)
  /// An answer of another shape than the statement has.
  case malformedAnswer

  /// What a failed connection is put down to, as far as the library's words tell.
  enum Cause: String, Sendable, Hashable {
    case nameNotFound = "its host name is not known"
    case noServer = "no server answers there"
    case notAdmitted = "the server does not admit this user"
    case noDatabase = "the server has no such database"
    case tls = "TLS could not be agreed on"
    case notReady = "the server takes no connections now"
    case unknown = "the connection failed"
    case silent = "it did not answer in time"
    case lost = "the connection was lost"

    /// The words are those of libpq's and the server's own messages, in English: the process sets no locale, and the
    /// server's may be another, which then reads as `unknown`.
    init(message: String) {
      let words: [(String, Cause)] = [
        ("could not translate host name", .nameNotFound), ("authentication failed", .notAdmitted),
        ("no password supplied", .notAdmitted), ("no pg_hba.conf entry", .notAdmitted), ("role \"", .notAdmitted),
        ("database \"", .noDatabase), ("starting up", .notReady), ("shutting down", .notReady),
        ("recovery mode", .notReady), ("too many clients", .notReady), ("remaining connection slots", .notReady),
        ("SSL", .tls), ("certificate", .tls), ("refused", .noServer), ("No such file", .noServer),
        ("unreachable", .noServer), ("No route", .noServer), ("closed the connection", .noServer),
      ]
      self = words.first { message.contains($0.0) }?.1 ?? .unknown
    }
  }

  var description: String {
    switch self {
    case .unreachable(let cause): cause.rawValue
    case .lost: "the connection was lost"
    case .timedOut: "it did not answer in time"
    case .busy: "too much waits for it"
    case .refused(let sqlState): "it answered with error \(sqlState)"
    case .malformedAnswer: "it answered something else than was asked"
    }
  }

  /// The fault lies in the data: the same statement with other values would pass. Classes 22 (data exception) and 23
  /// (integrity constraint) of the standard, and 54000 (too big for a row or an index).
  var liesInTheData: Bool {
    guard case .refused(let sqlState) = self else { return false }
    return sqlState.hasPrefix("22") || sqlState.hasPrefix("23") || sqlState.hasPrefix("54")
  }

  /// The tables or functions are not there (any more): they are made again.
  var liesInTheSchema: Bool {
    guard case .refused(let sqlState) = self else { return false }
    return ["42P01", "42883", "42703", "3F000"].contains(sqlState)
  }

  /// Whether the connection is of no use any more.
  var endsTheConnection: Bool {
    switch self {
    case .unreachable, .lost, .timedOut, .malformedAnswer: true
    case .busy: false
    // 57P: the server is going down, or its administrator ended the session. 08: the connection itself. 25006: it is a
    // standby now; the next connection may lead to the primary.
    case .refused(let sqlState): sqlState.hasPrefix("57P") || sqlState.hasPrefix("08") || sqlState == "25006"
    }
  }
}
