/// Every way in which a peer can break RFC 6455 framing.
public enum WireFault: Error, Sendable, Hashable {
  /// RSV1, RSV2 or RSV3 is set; no extension is ever negotiated (section 5.2).
  case reservedBits
  /// An opcode of 3–7 or 11–15 (section 5.2).
  case reservedOpcode(UInt8)
  /// A control frame without FIN (section 5.5).
  case fragmentedControl
  /// A control frame of more than 125 bytes (section 5.5).
  case oversizedControl
  /// A client sent a frame without a mask (section 5.1).
  case unmaskedFrame
  /// A server sent a frame with a mask (section 5.1).
  case maskedFrame
  /// A payload length in more bytes than it needs (section 5.2).
  case overlongLength
  /// A 64-bit payload length with its highest bit set (section 5.2).
  case negativeLength
  /// A continuation frame with no message to continue (section 5.4).
  case unexpectedContinuation
  /// A text or binary frame inside an unfinished message (section 5.4).
  case interruptedMessage
  /// A frame longer than ``WireLimits/maxFrameBytes``.
  case oversizedFrame
  /// Fragments that add up to more than ``WireLimits/maxMessageBytes``.
  case oversizedMessage
  /// More frames in a message than ``WireLimits/maxFragments``.
  case tooManyFragments
  /// More empty or one-byte frames in a message than ``WireLimits/maxTinyFragments``.
  case tooManyTinyFragments
  /// Text that is not UTF-8 (section 8.1).
  case invalidText
  /// A close frame whose payload is a single byte (section 5.5.1).
  case truncatedCloseCode
  /// A close code that may not be sent (section 7.4).
  case invalidCloseCode(UInt16)
  /// A close reason that is not UTF-8 (section 5.5.1).
  case invalidCloseReason

  /// The code that a close frame carries back to the peer (fault rows 21–28).
  public var closeCode: CloseCode {
    switch self {
    case .reservedBits, .reservedOpcode, .fragmentedControl, .oversizedControl, .unmaskedFrame, .maskedFrame,
      .overlongLength, .negativeLength, .unexpectedContinuation, .interruptedMessage, .truncatedCloseCode,
      .invalidCloseCode:
      .protocolError
    case .oversizedFrame, .oversizedMessage: .messageTooBig
    case .tooManyFragments, .tooManyTinyFragments: .policyViolation
    case .invalidText, .invalidCloseReason: .invalidPayload
    }
  }

  /// What was wrong, in plain English, short enough for a close frame (123 bytes).
  public var reason: String {
    switch self {
    case .reservedBits: "reserved bits are set and no extension was negotiated"
    case .reservedOpcode(let value): "opcode \(value) is reserved"
    case .fragmentedControl: "a control frame must not be fragmented"
    case .oversizedControl: "a control frame must not exceed 125 bytes"
    case .unmaskedFrame: "a client must mask its frames"
    case .maskedFrame: "a server must not mask its frames"
    case .overlongLength: "the payload length is not in its shortest form"
    case .negativeLength: "the highest bit of the payload length is set"
    case .unexpectedContinuation: "a continuation frame without a message to continue"
    case .interruptedMessage: "a new message before the last fragment of the one before"
    case .oversizedFrame: "the frame is too big"
    case .oversizedMessage: "the message is too big"
    case .tooManyFragments: "the message has too many fragments"
    case .tooManyTinyFragments: "the message has too many empty or one-byte fragments"
    case .invalidText: "the text is not valid UTF-8"
    case .truncatedCloseCode: "a close frame of one byte"
    case .invalidCloseCode(let code): "close code \(code) must not be sent"
    case .invalidCloseReason: "the close reason is not valid UTF-8"
    }
  }
}
