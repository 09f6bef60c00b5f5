import Synchronization
import Translation

/// A detector that finds turns where it is told to, by position, and remembers how it was tuned.
struct ScriptedDetector: TurnDetector {
  /// What detectors of one call are told and were asked; shared by their copies.
  final class Record: Sendable {
    private let state = Mutex(State())

    struct State: Sendable {
      var settings: [TurnDetectorSettings] = []
      var assistantWasHeard: [Bool] = []
      var forgotten = 0
    }

    var value: State { state.withLock { $0 } }

    func note(_ body: @Sendable (inout State) -> Void) {
      state.withLock { body(&$0) }
    }
  }

  var settings = TurnDetectorSettings()
  var isAssistantHeard = false
  /// Still to be told, by position.
  private var script: [TurnEvent]
  private let record: Record
  private var samples = 0

  init(_ script: [TurnEvent] = [], _ record: Record = Record()) {
    self.script = script
    self.record = record
  }

  mutating func hear(_ samples: UnsafeBufferPointer<Int16>, rate: Int) -> [TurnEvent] {
    let settings = settings
    let isHeard = isAssistantHeard
    record.note {
      if $0.settings.last != settings { $0.settings.append(settings) }
      if $0.assistantWasHeard.last != isHeard { $0.assistantWasHeard.append(isHeard) }
    }
    self.samples += samples.count
    let heardMs = self.samples * 1000 / max(1, rate)
    let due = script.prefix { $0.atMs <= heardMs }
    script.removeFirst(due.count)
    return Array(due)
  }

  mutating func forgetTurn() {
    record.note { $0.forgotten += 1 }
  }
}

extension TurnEvent {
  var atMs: Int {
    switch self {
    case .started(let atMs), .stopped(let atMs): atMs
    }
  }
}
