/// A point on the calendar, in milliseconds since 1970-01-01T00:00:00Z; leap seconds do not exist.
public struct Timestamp: Sendable, Hashable, Comparable {
  public let milliseconds: Int

  public init(milliseconds: Int) {
    self.milliseconds = milliseconds
  }

  public init(unixTime: Int) {
    milliseconds = unixTime.multipliedReportingOverflow(by: 1000).overflow ? .max : unixTime * 1000
  }

  /// Whole seconds since 1970, rounded down.
  public var unixTime: Int { Self.floored(milliseconds, 1000) }

  /// The UTC day, counted from 1970-01-01.
  public var day: Int { Self.floored(milliseconds, Self.dayLength) }

  /// The beginning of a UTC day.
  public init(day: Int) {
    let (product, overflow) = day.multipliedReportingOverflow(by: Self.dayLength)
    milliseconds = overflow ? (day < 0 ? .min : .max) : product
  }

  /// How long until 00:00 UTC.
  public var secondsLeftOfDay: Double {
    Double(Self.dayLength - (milliseconds - day * Self.dayLength)) / 1000
  }

  public static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

  private static let dayLength = 86_400_000

  private static func floored(_ value: Int, _ divisor: Int) -> Int {
    value / divisor - (value % divisor < 0 ? 1 : 0)
  }
}

// MARK: - RFC 3339

extension Timestamp {
  /// `2026-01-01T01:03:55Z`: whole seconds, rounded down.
  public var text: String { "\(dayText)T\(clockText)Z" }

  /// `2026-01-01T01:03:55.123Z`.
  public var exact: String {
    let thousandths = milliseconds - unixTime * 1000
    return "\(dayText)T\(clockText).\(Self.padded(thousandths, 3))Z"
  }

  /// `2026-01-01`.
  public var dayText: String { Self.dayText(of: day) }

  /// `2026-01-01` of a UTC day counted from 1970.
  public static func dayText(of day: Int) -> String {
    let (year, month, dayOfMonth) = date(of: day)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))"
  }

  private var clockText: String {
    let second = unixTime - day * 86_400
    return "\(Self.padded(second / 3600, 2)):\(Self.padded(second / 60 % 60, 2)):\(Self.padded(second % 60, 2))"
  }

  private static func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// A time as of RFC 3339 section 5.6, with any offset; fractions beyond milliseconds are cut. Years 0001 to 9999.
  public init?(_ text: String) {
    var reader = Reader(text)
    guard let day = reader.date(), reader.take("T", "t"), let milliseconds = reader.clock(),
      let offset = reader.offset(), reader.isAtEnd
    else { return nil }
    self.milliseconds = day * Self.dayLength + milliseconds - offset * 60_000
    // An offset may lead out of the years that can be written.
    guard Self.writable.contains(self.milliseconds) else { return nil }
  }

  private static let writable = -62_135_596_800_000..<253_402_300_800_000

  /// The same, or a date alone: the beginning of that UTC day.
  public init?(timeOrDay text: String) {
    var reader = Reader(text)
    if let day = reader.date(), reader.isAtEnd {
      self.init(day: day)
    } else {
      self.init(text)
    }
  }

  /// Days since 1970 of a date of the Gregorian calendar; nil where there is no such date.
  static func day(year: Int, month: Int, day: Int) -> Int? {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...9999).contains(year), lengths.indices.contains(month - 1), (1...lengths[month - 1]).contains(day) else {
      return nil
    }
    // Years begin in March here, so that the leap day is the last one.
    let shifted = month > 2 ? year : year - 1
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
  }

  private static func date(of day: Int) -> (year: Int, month: Int, day: Int) {
    let days = day + 719_468
    let era = floored(days, 146_097)
    let ofEra = days - era * 146_097
    let year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * year + year / 4 - year / 100)
    let month = (5 * ofYear + 2) / 153
    let calendarMonth = month < 10 ? month + 3 : month - 9
    return (year + era * 400 + (calendarMonth < 3 ? 1 : 0), calendarMonth, ofYear - (153 * month + 2) / 5 + 1)
  }

  private struct Reader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ characters: Unicode.Scalar...) -> Bool {
      guard let byte = rest.first, characters.contains(Unicode.Scalar(byte)) else { return false }
      rest.removeFirst()
      return true
    }

    mutating func digits(_ count: Int) -> Int? {
      var value = 0
      for _ in 0..<count {
        guard let digit = digit() else { return nil }
        value = value * 10 + digit
      }
      return value
    }

    private mutating func digit() -> Int? {
      guard let byte = rest.first, (0x30...0x39).contains(byte) else { return nil }
      rest.removeFirst()
      return Int(byte - 0x30)
    }

    mutating func date() -> Int? {
      guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2) else { return nil }
      return Timestamp.day(year: year, month: month, day: day)
    }

    /// Milliseconds since midnight. A leap second is the second after it.
    mutating func clock() -> Int? {
      guard let hour = digits(2), hour < 24, take(":"), let minute = digits(2), minute < 60, take(":"),
        let second = digits(2), second <= 60
      else { return nil }
      var fraction = 0
      if take(".") {
        guard let first = digit() else { return nil }
        fraction = first * 100
        var weight = 10
        while let next = digit() {
          fraction += next * weight
          weight /= 10
        }
      }
      return (hour * 3600 + minute * 60 + second) * 1000 + fraction
    }

    /// Minutes east of Greenwich.
    mutating func offset() -> Int? {
      if take("Z", "z") { return 0 }
      let isWest = rest.first == UInt8(ascii: "-")
      guard take("+", "-"), let hours = digits(2), hours < 24, take(":"), let minutes = digits(2), minutes < 60 else {
        return nil
      }
      return (hours * 60 + minutes) * (isWest ? -1 : 1)
    }
  }
}
