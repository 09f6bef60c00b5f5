/// How long after the end of the question each thing happened.
struct LatencyTable {
  let exchange: Exchange
  /// When the question ended, on the clock of the exchange's moments: the last sound of a spoken one; the request for an
  /// answer to a written one.
  let questionEnd: Duration

  var lines: [String] {
    var table = TextTable([exchange.isSpoken ? "after the end of speech" : "after the question", "ms"])
    for moment in Exchange.Moment.allCases {
      if !exchange.isSpoken, moment == .speechStopped || moment == .transcript { continue }
      let time = exchange.moments[moment].map { Milliseconds.text($0 - questionEnd) }
      table.add([moment.rawValue, time ?? "-"])
    }
    return table.lines
  }
}
