import NIOCore

/// A client at the pace of speech that takes everything at once.
final class HealthyCaller {
  private let number: Int
  private let end: SocketEnd
  private let loop: any EventLoop
  private let ledger: Ledger
  private let provider: Provider
  private var pacing: Metronome?
  private var sent = 0
  private var taken = 0
  private var isDone = false
  private var code: UInt16?
  private(set) var isTalking = false

  init(_ number: Int, _ end: SocketEnd, loop: any EventLoop, ledger: Ledger, provider: Provider) {
    self.number = number
    self.end = end
    self.loop = loop
    self.ledger = ledger
    self.provider = provider
    end.heard = { [weak self] in self?.heard($0) }
    end.ended = { [weak self] in self?.ended($0) }
  }

  private func heard(_ message: ByteBuffer) {
    if let text = message.text(after: Words.delta) {
      ledger.took(text, expecting: taken)
      taken += 1
      isTalking = true
      return
    }
    let event = String(buffer: message)
    if event.contains(#""type":"session.created""#) {
      end.say([Words.ask("paced \(number)")])
      let delay = TimeAmount.microseconds(Int64(number) * 104_729 % 20_000)
      pacing = Metronome(on: loop, every: Provider.interval, after: delay) { [weak self] in self?.speak() }
    } else if event.contains(#""type":"response.done""#) {
      isDone = event.contains(#""status":"completed""#)
      pacing?.stop()
      end.close()
    }
  }

  /// Hears the answer to its end, and leaves.
  func finish() {
    provider.lines[number]?.finish()
  }

  private func speak() {
    var event = ByteBuffer()
    event.writeString(Words.append)
    Chunk.write(sent, sentAt: NIODeadline.now().uptimeNanoseconds, into: &event)
    event.writeString(Words.end)
    sent += 1
    end.say(event)
  }

  private func ended(_ code: UInt16) {
    pacing?.stop()
    self.code = code
    end.drop()
  }

  /// Both ends know of the end: the provider may hear of it after the client.
  var hasEnded: Bool { code != nil && provider.lines[number]?.close != nil }

  /// Ended with 1000 at both ends, and all that was sent arrived.
  var isWhole: Bool {
    guard isDone, code == 1000, let line = provider.lines[number] else { return false }
    return line.close == 1000 && line.taken == sent && line.sent == taken
  }
}

/// A client that does not take what it is sent as fast as it is said.
final class SlowCaller {
  enum Manner: Sendable {
    /// Reads nothing at all.
    case stops
    /// Reads so many bytes each second.
    case trickles(bytesPerSecond: Int)
    /// Reads at once what a narrow link lets through.
    case isBehindNarrowLink
  }

  private let number: Int
  private let manner: Manner
  private let end: SocketEnd
  private let loop: any EventLoop
  private let provider: Provider
  private var reading: Metronome?
  private var cancelledAt: NIODeadline?
  private var bytesAtCancel = 0
  private var taken = 0
  private(set) var outcome: SlowOutcome
  private(set) var hasEnded = false

  init(_ name: String, _ number: Int, _ manner: Manner, _ end: SocketEnd, loop: any EventLoop, provider: Provider) {
    outcome = SlowOutcome(name: name)
    self.number = number
    self.manner = manner
    self.end = end
    self.loop = loop
    self.provider = provider
    end.heard = { [weak self] in self?.heard($0) }
    end.ended = { [weak self] in self?.ended($0) }
  }

  /// The user does not want to hear the rest.
  func interrupt() {
    cancelledAt = .now()
    bytesAtCancel = end.receivedBytes
    provider.lines[number]?.heardCancel = { [weak self] in self?.cancelWasHeard() }
    end.say([Words.cancel])
  }

  /// Reads again what comes.
  func goOn() {
    if case .stops = manner { end.setReading(true) }
  }

  private func cancelWasHeard() {
    guard let cancelledAt, outcome.cancelHeardMilliseconds == nil else { return }
    outcome.cancelHeardMilliseconds = Double((NIODeadline.now() - cancelledAt).nanoseconds) / 1_000_000
  }

  private func heard(_ message: ByteBuffer) {
    if let text = message.text(after: Words.delta) {
      if outcome.doneCount > 0 || Chunk.sendingTime(of: text, expecting: taken) == nil { outcome.misplaced += 1 }
      taken += 1
      if taken == 1 { slowDown() }
      return
    }
    let event = String(buffer: message)
    if event.contains(#""type":"session.created""#) {
      end.say([Words.ask("flood \(number)")])
    } else if event.contains(#""type":"response.done""#) {
      outcome.doneCount += 1
      outcome.doneStatus = event.contains(#""status":"cancelled""#) ? "cancelled" : "another"
      outcome.lateBytes = end.receivedBytes - bytesAtCancel
      end.setReading(true)
      reading?.stop()
      end.close()
    }
  }

  private func slowDown() {
    switch manner {
    case .stops:
      end.setReading(false)
    case .trickles:
      end.setReading(false)
      // One read brings no more than the channel's buffer for it.
      reading = Metronome(on: loop, every: .seconds(1), after: .seconds(1)) { [weak self] in self?.end.readOnce() }
    case .isBehindNarrowLink:
      return
    }
  }

  private func ended(_ code: UInt16) {
    reading?.stop()
    outcome.close = code
    hasEnded = true
    end.drop()
  }
}
