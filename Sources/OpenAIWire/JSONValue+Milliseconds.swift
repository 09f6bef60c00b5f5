import Envelope

extension JSONValue {
  /// A position in a session's audio: a number from 0 to a day of milliseconds. What a provider says beyond that is none,
  /// and no arithmetic is done with it.
  var milliseconds: Int? {
    guard let value = double, (0...86_400_000).contains(value) else { return nil }
    return Int(value)
  }
}
