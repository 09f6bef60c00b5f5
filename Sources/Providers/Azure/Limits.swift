import Envelope

/// What the services take.
enum Limits {
  /// A session ends after an hour, as OpenAI's does: the connection is replaced between two turns before that.
  static let lifetime = Duration.seconds(55 * 60)

  /// Of `temperature` in the preview API.
  static let previewTemperature = 0.6...1.2

  /// Of `temperature` in Voice Live.
  static let voiceLiveTemperature = 0.0...1.0
}

extension UnknownFields {
  /// The temperature that is in force: the vocabulary has none, clients of the beta and of other services send it.
  mutating func clampTemperature(to range: ClosedRange<Double>) {
    guard let given = fields["temperature"] else { return }
    fields["temperature"] = given.double.map {
      .number(JSONNumber(min(max($0, range.lowerBound), range.upperBound)))
    }
  }
}
