public import Routing
public import VoiceEngine

/// The whole configuration at one moment: sound, and all of it from the same reading of the files.
public struct ConfigurationSnapshot: Sendable {
  /// `routes.json` with what the environment and the runtime configuration's `gateway` section lay over it.
  public var table: RouteTable
  /// Of the voice engine.
  public var runtime: RuntimeConfiguration
  /// 1 at the start, and one more at each change.
  public var revision: Int

  public init(table: RouteTable, runtime: RuntimeConfiguration, revision: Int) {
    self.table = table
    self.runtime = runtime
    self.revision = revision
  }
}

/// Why a configuration, or a change of it, is not taken. What held before still holds.
public struct SettingsFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// One mistake. No text of it holds a value that could be a secret.
  public struct Mistake: Sendable, Hashable {
    /// `llm.provider`, `gateway.limits.maxSessions`; empty for a whole file.
    public var path: String
    /// What is wrong, without place and path.
    public var message: String
    /// The whole line: `runtime.yaml:4: llm.provider: unknown value; did you mean "groq"?`.
    public var line: String

    public init(path: String, message: String, line: String) {
      self.path = path
      self.message = message
      self.line = line
    }
  }

  public enum Kind: Sendable, Hashable {
    /// Something in it is wrong.
    case invalid
    /// It is right and could not be written to the file; `isFull` where the disk is.
    case notSaved(isFull: Bool)
  }

  public var kind: Kind
  /// At least one.
  public var mistakes: [Mistake]

  public init(_ mistakes: [Mistake], kind: Kind = .invalid) {
    self.kind = kind
    self.mistakes = mistakes
  }

  /// One line for each mistake.
  public var description: String { mistakes.map(\.line).joined(separator: "\n") }
}
