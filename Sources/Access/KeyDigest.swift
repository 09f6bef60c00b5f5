import Crypto
public import Translation

/// What is kept of a key: its SHA-256. The key cannot be had from it, as long as the key is random.
public struct KeyDigest: Sendable {
  /// Always so many.
  static let byteCount = 32

  private let bytes: Redacted<[UInt8]>

  public init(of key: Redacted<String>) {
    bytes = Redacted(Array(SHA256.hash(data: Array(key.reveal().utf8))))
  }

  /// Nil unless there are 32 bytes.
  public init?(bytes: [UInt8]) {
    guard bytes.count == Self.byteCount else { return nil }
    self.bytes = Redacted(bytes)
  }

  /// - Parameter hex: 64 digits of any case; nil for anything else.
  public init?(hex: String) {
    let digits = hex.utf8.compactMap(Self.digit)
    guard hex.utf8.count == 2 * Self.byteCount, digits.count == hex.utf8.count else { return nil }
    bytes = Redacted(stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }

  /// 64 digits in lower case.
  public var hex: String { Self.hex(bytes.reveal()) }

  static func hex(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The first eight bytes. Digests of different keys begin differently; nobody can choose how one begins without
  /// computing digests, and so learns nothing of one by what is looked up by this.
  var beginning: UInt64 {
    bytes.reveal().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Whether the keys are the same. All 32 bytes are looked at, without a branch on what they are.
  public func agreesWith(_ other: KeyDigest) -> Bool {
    Self.difference(bytes.reveal(), other.bytes.reveal()) == 0
  }

  /// 0 if the sequences, which are of the same length, agree.
  static func difference(_ left: some Sequence<UInt8>, _ right: some Sequence<UInt8>) -> UInt8 {
    var difference: UInt8 = 0
    for (one, other) in zip(left, right) { difference |= one ^ other }
    return difference
  }
}
