/// A stream that `produce` fills. It is cancelled when the consumer goes away; after `finish` of the continuation it
/// may go on, to read a response to its end so that the connection can be used again.
func producedStream<Element: Sendable>(
  _ produce: @escaping @Sendable (AsyncThrowingStream<Element, any Error>.Continuation) async throws -> Void
) -> AsyncThrowingStream<Element, any Error> {
  AsyncThrowingStream { continuation in
    let task = Task {
      do {
        try await produce(continuation)
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    continuation.onTermination = { reason in
      if case .cancelled = reason { task.cancel() }
    }
  }
}
