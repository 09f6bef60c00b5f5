public import Envelope
public import Translation

/// How a session begins.
public struct SessionParameters: Sendable {
  public var provider: ProviderConfiguration
  /// The model that the client named in the address, if it did.
  public var requestedModel: String?
  /// What the session is for, unless its client says otherwise: `?intent=transcription`.
  public var purpose: SessionType
  /// The vocabulary of the client.
  public var dialect: DialectChoice
  /// The fields of an audio delta that carry its audio (Q1).
  public var deltaFields: AudioDeltaWriter.Fields
  /// A field without a counterpart at the provider is refused, rather than told by its effective value (Q23).
  public var isStrict: Bool
  /// Events of the provider that the vocabulary has not are passed on (Q19).
  public var passesVendorEvents: Bool
  public var limits: SessionLimits
  /// What the session begins with, over the defaults of its provider, in the GA vocabulary: what its token says. A model
  /// in it counts where `requestedModel` names none.
  public var configured: SessionPatch?
  /// The models that the session may have.
  public var modelRule = ModelRule()
  /// What its control events share with other sessions' ones.
  public var sharedRates: [any SharedRate] = []
  /// Seconds since 1970, for `expires_at`; everything else uses the monotonic clock.
  public var unixTime: Int
  /// What the session's ids are drawn from: 128 random bits.
  public var seed: UInt128

  public init(
    provider: ProviderConfiguration, requestedModel: String?, purpose: SessionType = .realtime,
    dialect: DialectChoice = .auto, deltaFields: AudioDeltaWriter.Fields = .delta, isStrict: Bool = false,
    passesVendorEvents: Bool = false, limits: SessionLimits = SessionLimits(), unixTime: Int, seed: UInt128
  ) {
    self.provider = provider
    self.requestedModel = requestedModel
    self.purpose = purpose
    self.dialect = dialect
    self.deltaFields = deltaFields
    self.isStrict = isStrict
    self.passesVendorEvents = passesVendorEvents
    self.limits = limits
    self.unixTime = unixTime
    self.seed = seed
  }

  /// The id that the session will have.
  public var sessionID: String {
    var ids = IDSource(seed: seed)
    return ids.next(.session)
  }
}
