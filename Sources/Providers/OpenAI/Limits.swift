/// Limits of the service, with their source.
enum OpenAILimits {
  /// The service ends a session after 60 minutes (its documentation, 2026): the connection is replaced between two turns
  /// before that.
  static let connectionLifetime = Duration.seconds(55 * 60)
}
