public import Envelope

/// A session before it is begun: as it would be shown in `session.created`.
public enum SessionPreview {
  /// - Throws: why the provider cannot have what the parameters configure; `param` begins with `session.`.
  public static func effective(_ parameters: SessionParameters) throws(EventFault) -> RealtimeSession {
    let beginning = SessionBeginning(parameters)
    if let fault = beginning.fault { throw fault }
    return beginning.session
  }
}
