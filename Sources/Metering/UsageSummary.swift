public import Envelope

/// Sums over records. Minutes and seconds are not rounded.
public struct UsageTotals: Sendable, Hashable {
  /// Voice sessions.
  public var sessions = 0
  /// Records of any modality, sessions among them.
  public var events = 0
  public var seconds = 0.0
  public var heardSeconds = 0.0
  public var spokenSeconds = 0.0
  public var inputText = 0
  public var inputAudio = 0
  public var inputImage = 0
  public var inputCached = 0
  public var outputText = 0
  public var outputAudio = 0
  public var totalTokens = 0

  public init() {}

  public mutating func add(_ record: UsageRecord) {
    let tokens = record.meter.tokens
    sessions += record.modality == UsageRecord.voice ? 1 : 0
    events += 1
    seconds += record.seconds
    heardSeconds += record.meter.heard.seconds
    spokenSeconds += record.meter.spoken.seconds
    inputText = inputText.adding(tokens.inputText)
    inputAudio = inputAudio.adding(tokens.inputAudio)
    inputImage = inputImage.adding(tokens.inputImage)
    inputCached = inputCached.adding(tokens.inputCached)
    outputText = outputText.adding(tokens.outputText)
    outputAudio = outputAudio.adding(tokens.outputAudio)
    totalTokens = totalTokens.adding(tokens.total)
  }

  public mutating func add(_ other: UsageTotals) {
    sessions = sessions.adding(other.sessions)
    events = events.adding(other.events)
    seconds += other.seconds
    heardSeconds += other.heardSeconds
    spokenSeconds += other.spokenSeconds
    inputText = inputText.adding(other.inputText)
    inputAudio = inputAudio.adding(other.inputAudio)
    inputImage = inputImage.adding(other.inputImage)
    inputCached = inputCached.adding(other.inputCached)
    outputText = outputText.adding(other.outputText)
    outputAudio = outputAudio.adding(other.outputAudio)
    totalTokens = totalTokens.adding(other.totalTokens)
  }

  public var json: JSONObject {
    [
      "sessions": .number(JSONNumber(sessions)), "events": .number(JSONNumber(events)),
      "seconds": .number(JSONNumber(seconds)), "minutes": .number(JSONNumber(seconds / 60)),
      "audio_input_seconds": .number(JSONNumber(heardSeconds)),
      "audio_output_seconds": .number(JSONNumber(spokenSeconds)),
      "tokens": [
        "input": [
          "text": .number(JSONNumber(inputText)), "audio": .number(JSONNumber(inputAudio)),
          "image": .number(JSONNumber(inputImage)), "cached": .number(JSONNumber(inputCached)),
        ],
        "output": ["text": .number(JSONNumber(outputText)), "audio": .number(JSONNumber(outputAudio))],
        "total": .number(JSONNumber(totalTokens)),
      ],
    ]
  }
}

/// The answer to a `UsageQuery`.
public struct UsageSummary: Sendable, Hashable {
  public struct Group: Sendable, Hashable {
    /// Nil for the records that have none, such as those of sessions without a key.
    public var key: String?
    public var totals: UsageTotals

    public init(key: String?, totals: UsageTotals) {
      self.key = key
      self.totals = totals
    }
  }

  public let query: UsageQuery
  /// By key in the order of its bytes, those without one first.
  public let groups: [Group]

  public init(_ query: UsageQuery, groups: [Group]) {
    self.query = query
    self.groups = groups.sorted { left, right in
      guard let key = left.key else { return right.key != nil }
      return right.key.map { key.utf8.lexicographicallyPrecedes($0.utf8) } ?? false
    }
  }

  /// What every store must answer with these records in it.
  public init(_ query: UsageQuery, of records: some Sequence<UsageRecord>) {
    var groups: [String?: UsageTotals] = [:]
    for record in records {
      let begun = record.identity.startedAt
      guard query.from.map({ begun >= $0 }) ?? true, query.to.map({ begun < $0 }) ?? true else { continue }
      groups[query.grouping.key(of: record), default: UsageTotals()].add(record)
    }
    self.init(query, groups: groups.map { Group(key: $0.key, totals: $0.value) })
  }

  public var total: UsageTotals {
    groups.reduce(into: UsageTotals()) { $0.add($1.totals) }
  }

  public var json: JSONObject {
    [
      "object": "usage.summary", "group_by": .string(query.grouping.rawValue), "from": .text(query.from?.text),
      "to": .text(query.to?.text),
      "groups": .array(
        groups.map { group in
          var fields: JSONObject = ["key": .text(group.key)]
          for (name, value) in group.totals.json { fields[name] = value }
          return .object(fields)
        }),
      "total": .object(total.json),
    ]
  }
}

extension UsageGrouping {
  /// What a record is grouped under.
  public func key(of record: UsageRecord) -> String? {
    switch self {
    case .modality: record.modality
    case .provider: record.identity.provider
    case .model: record.model
    case .key: record.identity.key
    case .app: record.identity.app
    case .day: record.identity.startedAt.dayText
    }
  }
}

/// One page of records.
public struct UsagePage: Sendable, Equatable {
  /// In ascending order: the newest last.
  public let records: [UsageRecord]
  /// Leads to the page of older ones; nil where there are none.
  public let older: UsageCursor?

  public init(records: [UsageRecord], older: UsageCursor?) {
    self.records = records
    self.older = older
  }

  /// What every store must answer with these records in it.
  public init(_ query: EventQuery, of records: some Sequence<UsageRecord>) {
    let matching = records.filter(query.matches).sorted { UsageCursor(of: $0) < UsageCursor(of: $1) }
    let page = Array(matching.suffix(query.limit))
    self.init(records: page, older: matching.count > page.count ? page.first.map { UsageCursor(of: $0) } : nil)
  }
}
