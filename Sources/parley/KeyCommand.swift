import Access
import ArgumentParser
import Envelope
import Foundation
import Ledger
import Logging
import Metering
import Routing
import Translation
import VoiceEngine

struct KeyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key",
    abstract: "Make, list and revoke the keys of clients.",
    discussion: """
      Keys are kept in the store that the configuration names in "ledger", beside a running server too: what is made \
      or revoked here holds there at the next connection. Of a key only its SHA-256 is kept.
      """,
    subcommands: [Create.self, List.self, Revoke.self, Hash.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a key and print it, alone on standard output. It cannot be shown again.")

    @Argument(help: "What the key goes by in logs and usage: 1 to 64 letters, digits, \".\", \"_\" or \"-\".")
    var name: String

    @Option(help: "The configuration.")
    var config = "routes.json"

    @Option(help: "What the key begins with; keys that begin with vkey_ only make ephemeral tokens.")
    var prefix = "hyb_"

    @Option(help: "The app that it belongs to.")
    var app = App.usual.name

    @Option(help: "When it ends: 30d, 12h, 90m, 600s from now, or a day or time such as 2027-01-31.")
    var expires: String?

    @Option(
      name: .customLong("provider"),
      help: "A provider that it may use, or the beginning of names and \"*\". Repeatable.")
    var providers: [String] = []

    @Option(
      name: .customLong("model"), help: "A model that it may use, or the beginning of names and \"*\". Repeatable.")
    var models: [String] = []

    @Option(name: .customLong("origin"), help: "A web page that may use it: https://app.example. Repeatable.")
    var origins: [String] = []

    @Flag(help: "It may stand in a web page: it makes ephemeral tokens and opens nothing itself.")
    var publishable = false

    @OptionGroup var limits: LimitOptions

    @Flag(help: "Print the record with the key as JSON.")
    var json = false

    func run() async throws {
      let table = try Configuration.load(config)
      let store = try await Keys.open(for: table)
      let time = UnixTime.now
      var order = KeyOrder(name: name)
      order.prefix = prefix
      order.app = app
      order.expiresAt = try expires.map { try Ending.time($0, from: time) }
      order.isPublishable = publishable
      order.providers = providers.isEmpty ? nil : providers
      order.models = models.isEmpty ? nil : models
      order.origins = try origins.map(Pages.pattern)
      order.limits = try limits.limits
      let known = try await Keys.all(of: table, store)
      if known.contains(where: { $0.name == name && $0.revokedAt == nil }) {
        throw ValidationError("There is a key of the name \(name). Revoke it first, or choose another name.")
      }
      guard try await Keys.apps(of: table, store).contains(app) else {
        throw ValidationError("There is no app of the name \(app).")
      }
      var random = SystemRandomNumberGenerator()
      let (record, key): (KeyRecord, Redacted<String>)
      do throws(KeyFault) {
        (record, key) = try KeyRecord.make(order, unixTime: time, random: &random)
      } catch {
        throw ValidationError("\(error.parameter): \(error.message).")
      }
      try await Keys.asked { () async throws(StorageFault) in try await store.insert(record) }
      if json {
        var object = record.json
        object["key"] = .string(key.reveal())
        printLive(JSONValue.object(object).text)
      } else {
        printLive(key.reveal())
        printError("\(record.id), app \(record.app), \(Keys.state(of: record, at: time)). Keep it: it is shown once.")
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the keys of the configuration and of the store; never what they are recognised by.")

    @Option(help: "The configuration.")
    var config = "routes.json"

    @Flag(help: "Print one record per line as JSON.")
    var json = false

    func run() async throws {
      let table = try Configuration.load(config)
      let store = try await Keys.openIfAny(for: table)
      let keys = try await Keys.all(of: table, store)
      guard !json else {
        for key in keys { printLive(JSONValue.object(key.json).text) }
        return
      }
      let time = UnixTime.now
      var lines = TextTable(["id", "name", "prefix", "app", "made", "state", "kept in"])
      for key in keys {
        let made = key.createdAt.map { Timestamp(unixTime: $0).text } ?? ""
        lines.add([
          key.id, key.name, key.shownPrefix, key.app, made, Keys.state(of: key, at: time),
          key.source == .configuration ? config : "the store",
        ])
      }
      for line in lines.lines { printLive(line) }
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Revoke a key: from the next connection on it opens nothing, nor do tokens that were made with it.",
      discussion: "Sessions that are open go on. A key of the configuration is taken out of the file instead.")

    @Argument(help: "The id of the key, or its name.")
    var key: String

    @Option(help: "The configuration.")
    var config = "routes.json"

    func run() async throws {
      let table = try Configuration.load(config)
      let store = try await Keys.open(for: table)
      let all = try await Keys.all(of: table, store)
      // A name that was given again after a revocation means the key that has it now.
      let named =
        all.first { $0.id == key } ?? all.first { $0.name == key && $0.revokedAt == nil }
        ?? all.first { $0.name == key }
      guard let named else { throw ValidationError("There is no key of the id or name \(key).") }
      guard named.source == .store else {
        throw ValidationError("The key \(named.name) is in the configuration; take it out of the file.")
      }
      let time = UnixTime.now
      let revoked = try await Keys.asked { () async throws(StorageFault) in
        try await store.revoke(id: named.id, at: time)
      }
      guard let revoked else { throw ValidationError("There is no key of the id \(named.id) any more.") }
      printLive("\(revoked.id) \(revoked.name): \(Keys.state(of: revoked, at: time))")
    }
  }

  struct Hash: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read a key from standard input and print its \"keyHash\" for the configuration.")

    func run() throws {
      guard let line = readLine(strippingNewline: true), (1...AccessKey.longestKeyBytes).contains(line.utf8.count),
        line.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
      else {
        throw ValidationError(
          "Give the key on standard input: 1 to \(AccessKey.longestKeyBytes) visible ASCII characters.")
      }
      printLive("sha256:\(KeyDigest(of: Redacted(line)).hex)")
    }
  }
}

/// The limits of a key, by the names that they have everywhere.
struct LimitOptions: ParsableArguments {
  @Option(help: "Sessions at a time.")
  var maxSessions: Int?

  @Option(help: "Sessions begun in a second.")
  var maxConnectsPerSecond: Int?

  @Option(help: "Events of all its sessions in a second, audio aside.")
  var maxEventsPerSecond: Int?

  @Option(help: "Minutes of one session.")
  var maxMinutesPerSession: Double?

  @Option(help: "Minutes of all its sessions in a day of UTC.")
  var maxMinutesPerDay: Double?

  var limits: HolderLimits {
    get throws {
      let given = HolderLimits(
        maxSessions: maxSessions, maxConnectsPerSecond: maxConnectsPerSecond, maxEventsPerSecond: maxEventsPerSecond,
        maxMinutesPerSession: maxMinutesPerSession, maxMinutesPerDay: maxMinutesPerDay)
      do throws(KeyFault) {
        return try HolderLimits(json: given.json)
      } catch {
        throw ValidationError("\(error.parameter): \(error.message).")
      }
    }
  }
}

/// The store of keys of a configuration, for commands.
enum Keys {
  /// The store, or the end of the command where the configuration has none.
  static func open(for table: RouteTable) async throws -> any KeyStorage {
    guard let store = try await openIfAny(for: table) else {
      printError("error: the configuration has \"ledger\": \"none\": keys are in access.keys of the file alone")
      throw ExitCode.failure
    }
    return store
  }

  static func openIfAny(for table: RouteTable) async throws -> (any KeyStorage)? {
    let logger = Logger(label: "key") { _ in SwiftLogNoOpLogHandler() }
    do throws(LedgerFault) {
      return try await OpenLedger.keys(table.ledger, folder: Engine.folder.root, logger: logger)
    } catch {
      printError("error: \(error)")
      throw ExitCode.failure
    }
  }

  /// Those of the configuration, then those of the store.
  static func all(of table: RouteTable, _ store: (any KeyStorage)?) async throws -> [KeyRecord] {
    let configured = KeyRing(table.access.keys).all
    guard let store else { return configured }
    return configured + (try await asked { () async throws(StorageFault) in try await store.keys() })
  }

  static func apps(of table: RouteTable, _ store: any KeyStorage) async throws -> [String] {
    let stored = try await asked { () async throws(StorageFault) in try await store.apps() }
    return [App.usual.name] + table.access.apps.map(\.name) + stored.map(\.name)
  }

  /// The answer of a store, or its fault on standard error and the end of the command.
  static func asked<Answer>(_ ask: () async throws(StorageFault) -> Answer) async throws -> Answer {
    do throws(StorageFault) {
      return try await ask()
    } catch {
      switch error {
      case .unavailable(let cause), .damaged(let cause), .conflict(let cause), .unsuitable(let cause):
        printError("error: the store of keys: \(cause)")
      }
      throw ExitCode.failure
    }
  }

  static func state(of key: KeyRecord, at time: Int) -> String {
    if let revokedAt = key.revokedAt { return "revoked \(Timestamp(unixTime: revokedAt).text)" }
    guard let expiresAt = key.expiresAt else { return "never expires" }
    return (expiresAt <= time ? "expired " : "expires ") + Timestamp(unixTime: expiresAt).text
  }
}

enum UnixTime {
  static var now: Int { Int(Date().timeIntervalSince1970) }
}

/// Web pages as they are given on a command line.
enum Pages {
  static func pattern(_ text: String) throws -> OriginPattern {
    guard let pattern = OriginPattern(text) else {
      throw ValidationError(
        "\(TerminalText.plain(text)) is no origin; one is https://app.example, https://*.example.com or \"*\".")
    }
    return pattern
  }
}

/// Times as they are given on a command line.
enum Ending {
  /// Unix time: `30d`, `12h`, `90m`, `600s` or `600` from now, or a day or a time (RFC 3339).
  static func time(_ text: String, from now: Int) throws -> Int {
    if let seconds = seconds(text) { return now + seconds }
    if let time = Timestamp(timeOrDay: text) { return time.unixTime }
    throw ValidationError("\(TerminalText.plain(text)) is no time; one is 30d, 12h, 90m, 600s or 2027-01-31.")
  }

  /// At least one, at most some hundred years.
  static func seconds(_ text: String) -> Int? {
    let units = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    let unit = text.last.flatMap { units[String($0)] }
    let digits = unit == nil ? text[...] : text.dropLast()
    guard (1...10).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let count = Int(digits), count > 0
    else { return nil }
    let (seconds, overflow) = count.multipliedReportingOverflow(by: unit ?? 1)
    return overflow || seconds > 10_000_000_000 ? nil : seconds
  }
}
