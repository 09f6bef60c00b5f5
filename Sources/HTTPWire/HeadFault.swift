/// Every way a request head can be refused before anybody looks at its path.
public enum HeadFault: Error, Sendable, Hashable, CaseIterable {
  // Sizes.
  case firstLineTooLong
  case fieldTooLong
  case fieldsTooLong
  case tooManyFields
  // Bytes and lines.
  case tlsOnPlainPort
  case http2OnPlainPort
  case controlCharacter
  case bareCarriageReturn
  case bareLineFeed
  case malformedFirstLine
  case unsupportedVersion
  case obsoleteVersion
  // Target and authority.
  case malformedTarget
  case foreignAuthority
  case hostMissing
  case hostRepeated
  case malformedHost
  // Fields.
  case foldedField
  case fieldWithoutColon
  case malformedFieldName
  // Body framing.
  case lengthAndChunked
  case transferCodingRepeated
  case transferCodingUnknown
  case lengthRepeated
  case malformedLength
  case malformedChunk

  /// The HTTP status of the answer; nil where the peer does not speak HTTP/1 and the connection is just closed.
  public var status: Int? {
    switch self {
    case .firstLineTooLong: 414
    case .fieldTooLong, .fieldsTooLong, .tooManyFields: 431
    case .tlsOnPlainPort, .http2OnPlainPort: nil
    case .unsupportedVersion: 505
    case .transferCodingUnknown: 501
    case .controlCharacter, .bareCarriageReturn, .bareLineFeed, .malformedFirstLine, .obsoleteVersion,
      .malformedTarget, .foreignAuthority, .hostMissing, .hostRepeated, .malformedHost, .foldedField,
      .fieldWithoutColon, .malformedFieldName, .lengthAndChunked, .transferCodingRepeated, .lengthRepeated,
      .malformedLength, .malformedChunk:
      400
    }
  }

  /// One sentence for the client and the log; it repeats nothing that the peer sent.
  public var message: String {
    switch self {
    case .firstLineTooLong: "The request line is too long."
    case .fieldTooLong: "A header field is too long."
    case .fieldsTooLong: "The header fields are too long together."
    case .tooManyFields: "The request has too many header fields."
    case .tlsOnPlainPort: "A TLS handshake arrived on a port that speaks plain HTTP."
    case .http2OnPlainPort: "An HTTP/2 preface arrived on a port that speaks HTTP/1.1."
    case .controlCharacter: "The request head holds a control character."
    case .bareCarriageReturn: "The request head holds a carriage return without a line feed."
    case .bareLineFeed: "The request head holds a line feed without a carriage return."
    case .malformedFirstLine: "The request line is malformed."
    case .unsupportedVersion: "This HTTP version is not supported; use HTTP/1.1."
    case .obsoleteVersion: "Version 1.1 of HTTP is required."
    case .malformedTarget: "The request target is malformed."
    case .foreignAuthority: "The request target names another authority than the Host field."
    case .hostMissing: "The Host field is missing."
    case .hostRepeated: "There is more than one Host field."
    case .malformedHost: "The Host field is malformed."
    case .foldedField: "A header field is folded over two lines."
    case .fieldWithoutColon: "A header field has no colon."
    case .malformedFieldName: "The name of a header field is malformed."
    case .lengthAndChunked: "Content-Length and Transfer-Encoding exclude each other."
    case .transferCodingRepeated: "There is more than one Transfer-Encoding field."
    case .transferCodingUnknown: "This transfer coding is not supported."
    case .lengthRepeated: "There is more than one Content-Length field."
    case .malformedLength: "The Content-Length field is malformed."
    case .malformedChunk: "The chunked body is malformed."
    }
  }
}
