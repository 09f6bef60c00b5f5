/// The names of the dialects that a client may speak.
public enum DialectName: String, Sendable, CaseIterable {
  /// The vocabulary that everything inside speaks.
  case ga
  /// The vocabulary before it: flat sessions, `response.audio.delta`, `conversation.item.created`.
  case beta
}

/// One client's side of a vocabulary that is not GA: a value that lives as long as the connection and remembers what GA
/// has no place for.
///
/// A further dialect is a type of this protocol in a folder of its own and a line in `ClientWire`.
public protocol Dialect: Sendable {
  /// A client's event in this dialect as a GA event. `event_id` and unknown fields are kept; what is no event of this
  /// dialect is handed on as it is, to be judged as a GA event.
  ///
  /// - Throws: what cannot be said in GA; `param` is the path as the client wrote it.
  mutating func neutral(_ event: JSONValue) throws(EventFault) -> JSONValue

  /// A GA server event as none, one or several events of this dialect; `error.param` becomes the path that the client
  /// wrote.
  mutating func told(_ event: JSONObject, _ emit: (JSONObject) -> Void)

  /// The name of `response.output_audio.delta`.
  var audioDeltaType: StaticString { get }
}
