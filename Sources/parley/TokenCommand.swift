import Access
import ArgumentParser
import Envelope
import Foundation
import Metering
import Routing
import Translation

struct TokenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Make an ephemeral token, or look into one.",
    subcommands: [Mint.self, Inspect.self])

  struct Mint: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a token with the secret of the configuration and print it, alone on standard output.",
      discussion: "Every server with the same secret takes it, until it ends; nothing is kept of it anywhere.")

    @Option(help: "The configuration.")
    var config = "routes.json"

    @Option(help: "The only provider that it opens.")
    var provider: String?

    @Option(help: "The only model, whatever its holder asks for.")
    var model: String?

    @Option(help: "The voice that its sessions begin with.")
    var voice: String?

    @Option(help: "A file with the session that it begins with, as in a session.update; - for standard input.")
    var session: String?

    @Option(help: "The app that it counts for.")
    var app = App.usual.name

    @Option(help: "How long it lives: 300, 5m, 1h. The usual time of the configuration without it.")
    var expires: String?

    @Option(help: "How many sessions it may start.")
    var maxSessions: Int?

    @Option(help: "How many minutes each session may last.")
    var maxMinutesPerSession: Double?

    @Option(name: .customLong("origin"), help: "The only web pages that may use it: https://app.example. Repeatable.")
    var origins: [String] = []

    @Option(help: "The vocabulary of its clients where they do not say: ga or beta.")
    var dialect: Dialect?

    @Flag(help: "Print the token with its claims as JSON.")
    var json = false

    enum Dialect: String, ExpressibleByArgument, CaseIterable { case ga, beta }

    func run() throws {
      let table = try Configuration.load(config)
      let settings = table.access.tokens
      guard settings.isConfigured else {
        printError("error: no secret is configured: set JWT_SECRET, or tokens.secrets of the configuration")
        throw ExitCode.failure
      }
      var random = SystemRandomNumberGenerator()
      let ring = TokenKeyRing(settings, random: &random)
      var claims = try claims(table)
      claims.date(at: UnixTime.now, lasting: try lifetime(settings), settings: settings, random: &random)
      let token: Redacted<String>
      do throws(TokenFault) {
        // What no server would take is not given out.
        token = try ring.mint(claims)
        _ = try ring.verify(token, at: claims.issuedAt)
      } catch {
        throw ValidationError(Self.text(of: error))
      }
      guard json else {
        printLive(token.reveal())
        return
      }
      printLive(
        JSONValue.object([
          "value": .string(token.reveal()), "expires_at": .number(JSONNumber(claims.expiresAt)),
          "claims": .object(claims.json),
        ]).text)
    }

    private func lifetime(_ settings: TokenSettings) throws -> Int? {
      guard let expires else { return nil }
      guard let seconds = Ending.seconds(expires), seconds <= settings.longestSeconds else {
        throw ValidationError("--expires: expected 1 to \(settings.longestSeconds) seconds.")
      }
      return seconds
    }

    private func claims(_ table: RouteTable) throws -> TokenClaims {
      var claims = TokenClaims()
      claims.subject = "command"
      claims.app = app
      if let provider {
        guard table.providers[provider] != nil else {
          throw ValidationError(
            "There is no provider \(TerminalText.plain(provider)). Known: \(table.providerNames.joined(separator: ", "))."
          )
        }
        claims.provider = provider
      }
      claims.model = model
      claims.maxSessions = maxSessions
      claims.maxMinutesPerSession = maxMinutesPerSession
      claims.origins = origins.isEmpty ? nil : try origins.map(Pages.pattern)
      claims.dialect = dialect.flatMap { DialectName(rawValue: $0.rawValue) }
      var begin = try session.map(Self.object) ?? [:]
      if let type = begin["type"] {
        guard let purpose = type.string.flatMap(SessionType.init(rawValue:)) else {
          throw ValidationError("--session: its type is realtime or transcription.")
        }
        claims.purpose = purpose
        begin["type"] = nil
      }
      if let voice {
        var audio = begin["audio"]?.object ?? [:]
        var output = audio["output"]?.object ?? [:]
        output["voice"] = .string(voice)
        audio["output"] = .object(output)
        begin["audio"] = .object(audio)
      }
      claims.session = begin.isEmpty ? nil : begin
      return claims
    }

    private static func object(_ path: String) throws -> JSONObject {
      let bytes =
        path == "-" ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: path)
      guard let bytes else { throw ValidationError("--session: the file cannot be read.") }
      do throws(JSONFault) {
        let value = try JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
        // Also as it is sent: {"type": "session.update", "session": {…}}.
        if let object = value["type"] == "session.update" ? value["session"]?.object : value.object { return object }
      } catch {
        throw ValidationError("--session: \(error.message)")
      }
      throw ValidationError("--session: expected a JSON object.")
    }

    private static func text(of fault: TokenFault) -> String {
      switch fault {
      case .tooLong(let bytes):
        "The token would have \(bytes) bytes, more than travel in a request. Shorten the session."
      case .noSigningKey: "The configuration has public keys alone: tokens are made elsewhere."
      case .malformed: "One of the values is not one that a token can carry."
      case .livesTooLong, .wrongSignature, .expired, .notYetValid, .wrongAudience, .wrongIssuer:
        "The configuration does not take the token that it makes."
      }
    }
  }

  struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print what a token says, which key has signed it, and whether it would be taken now.",
      discussion: "Exits with 1 if it would be refused. Prefer standard input: others can see arguments.")

    @Argument(help: "The token; - for standard input.")
    var token = "-"

    @Option(help: "The configuration.")
    var config = "routes.json"

    func run() throws {
      let table = try Configuration.load(config)
      let text = token == "-" ? readLine(strippingNewline: true) ?? "" : token
      var random = SystemRandomNumberGenerator()
      let ring = TokenKeyRing(table.access.tokens, random: &random)
      let time = UnixTime.now
      let shown = Redacted(text)
      let reading = ring.read(shown)
      if let reading {
        printLive("signed by  \(reading.signer.map { "key \($0)" } ?? "no key of this configuration")")
        printLive("claims     \(TerminalText.plain(JSONValue.object(reading.claims).text))")
      }
      do throws(TokenFault) {
        let claims = try ring.verify(shown, at: time)
        let left = claims.expiresAt - time
        printLive("valid      until \(Timestamp(unixTime: claims.expiresAt).text), \(left) s")
      } catch {
        printLive("refused    \(Self.reason(error, ring))")
        throw ExitCode.failure
      }
    }

    private static func reason(_ fault: TokenFault, _ ring: TokenKeyRing) -> String {
      switch fault {
      case .malformed: "it has not the form of a token, or a claim is missing or of the wrong kind"
      case .wrongSignature:
        ring.isOfThisProcess
          ? "no secret is configured: set JWT_SECRET, or tokens.secrets of the configuration"
          : "it is not signed by a key of this configuration"
      case .expired: "it has expired"
      case .notYetValid: "it is not valid yet"
      case .wrongAudience: "it is for another audience than \(ring.settings.audience)"
      case .wrongIssuer: "it is of another issuer than \(ring.settings.issuer)"
      case .livesTooLong: "it lives longer than the \(ring.settings.longestSeconds) s that tokens may have"
      case .tooLong, .noSigningKey: "it cannot be checked"
      }
    }
  }
}
