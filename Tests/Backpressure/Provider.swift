import NIOCore

/// A provider of OpenAI's wire: streams numbered audio at the pace of speech, or as fast as it is taken, until it is told
/// to stop. All of it is on one event loop.
final class Provider {
  static let interval = TimeAmount.milliseconds(20)

  private let loop: any EventLoop
  private let ledger: Ledger
  private(set) var lines: [Int: ProviderLine] = [:]

  init(loop: any EventLoop, ledger: Ledger) {
    self.loop = loop
    self.ledger = ledger
  }

  func accept(_ end: SocketEnd) {
    let line = ProviderLine(end, loop: loop, ledger: ledger)
    line.named = { [weak self] in self?.lines[$0] = line }
    line.begin()
  }
}

final class ProviderLine {
  private let end: SocketEnd
  private let loop: any EventLoop
  private let ledger: Ledger
  private var pacing: Metronome?
  private var isFlooding = false
  /// The number of the call has become known.
  var named: (Int) -> Void = { _ in }
  var heardCancel: () -> Void = {}
  private(set) var sent = 0
  private(set) var taken = 0
  private(set) var close: UInt16?

  init(_ end: SocketEnd, loop: any EventLoop, ledger: Ledger) {
    self.end = end
    self.loop = loop
    self.ledger = ledger
  }

  func begin() {
    end.heard = { [weak self] in self?.heard($0) }
    end.becameWritable = { [weak self] in self?.flood() }
    end.ended = { [self] code in
      close = code
      pacing?.stop()
      end.drop()
    }
  }

  /// Ends an answer that was spoken to its end.
  func finish() {
    stop("completed")
  }

  private func stop(_ status: String) {
    pacing?.stop()
    pacing = nil
    isFlooding = false
    end.say(Words.ending(status))
  }

  private func heard(_ message: ByteBuffer) {
    if let text = message.text(after: Words.append) {
      ledger.took(text, expecting: taken)
      taken += 1
      return
    }
    let event = String(buffer: message)
    if event.contains(#""session.update""#) {
      end.say([Words.updated])
    } else if event.contains(#""response.create""#) {
      answer(event)
    } else if event.contains(#""response.cancel""#) {
      heardCancel()
      stop("cancelled")
    }
  }

  private func answer(_ event: String) {
    func number(after wish: String) -> Int? {
      event.firstRange(of: wish).flatMap { Int(event[$0.upperBound...].prefix { $0.isNumber }) }
    }
    end.say(Words.beginning)
    if let number = number(after: "paced ") {
      named(number)
      let delay = TimeAmount.microseconds(Int64(number) * 7_919 % 20_000)
      pacing = Metronome(on: loop, every: Provider.interval, after: delay) { [weak self] in self?.speak() }
    } else if let number = number(after: "flood ") {
      named(number)
      isFlooding = true
      flood()
    }
  }

  private func speak() {
    var event = ByteBuffer()
    event.writeString(Words.delta)
    Chunk.write(sent, sentAt: NIODeadline.now().uptimeNanoseconds, into: &event)
    event.writeString(Words.end)
    sent += 1
    end.say(event)
  }

  /// In bursts: a gateway that takes everything must not keep this loop from what else comes.
  private func flood() {
    var rest = Self.burst
    while isFlooding, end.isWritable, rest > 0 {
      speak()
      rest -= 1
    }
    if isFlooding, end.isWritable { loop.assumeIsolated().execute { [weak self] in self?.flood() } }
  }

  private static let burst = 32
}
