import NativeCode

/// The functions of libpq 5 that are used here, opened at run time: a gateway whose ledger is a file needs none of them.
///
/// Connections and results travel as `OpaquePointer`, and stay with the actor that made them.
struct LibPQ: Sendable {
  typealias Text = UnsafePointer<CChar>
  typealias Texts = UnsafePointer<Text?>
  typealias NoticeProcessor = @convention(c) (UnsafeMutableRawPointer?, Text?) -> Void

  let connectStart: @convention(c) @Sendable (Texts, Texts, CInt) -> OpaquePointer?
  let connectPoll: @convention(c) @Sendable (OpaquePointer) -> CInt
  let status: @convention(c) @Sendable (OpaquePointer) -> CInt
  let finish: @convention(c) @Sendable (OpaquePointer) -> Void
  let socket: @convention(c) @Sendable (OpaquePointer) -> CInt
  let setNonblocking: @convention(c) @Sendable (OpaquePointer, CInt) -> CInt
  let setNoticeProcessor:
    @convention(c) @Sendable (OpaquePointer, NoticeProcessor?, UnsafeMutableRawPointer?) -> NoticeProcessor?
  let errorMessage: @convention(c) @Sendable (OpaquePointer) -> Text?

  let sendQuery: @convention(c) @Sendable (OpaquePointer, Text) -> CInt
  let sendQueryParams:
    @convention(c) @Sendable (
      OpaquePointer, Text, CInt, UnsafePointer<UInt32>?, Texts?, UnsafePointer<CInt>?, UnsafePointer<CInt>?, CInt
    ) -> CInt
  let flush: @convention(c) @Sendable (OpaquePointer) -> CInt
  let consumeInput: @convention(c) @Sendable (OpaquePointer) -> CInt
  let isBusy: @convention(c) @Sendable (OpaquePointer) -> CInt
  let getResult: @convention(c) @Sendable (OpaquePointer) -> OpaquePointer?
  let escapeLiteral: @convention(c) @Sendable (OpaquePointer, Text, Int) -> UnsafeMutablePointer<CChar>?
  let freeMemory: @convention(c) @Sendable (UnsafeMutableRawPointer?) -> Void

  let resultStatus: @convention(c) @Sendable (OpaquePointer) -> CInt
  let resultErrorField: @convention(c) @Sendable (OpaquePointer, CInt) -> Text?
  let rowCount: @convention(c) @Sendable (OpaquePointer) -> CInt
  let fieldCount: @convention(c) @Sendable (OpaquePointer) -> CInt
  let value: @convention(c) @Sendable (OpaquePointer, CInt, CInt) -> UnsafeMutablePointer<CChar>?
  let valueLength: @convention(c) @Sendable (OpaquePointer, CInt, CInt) -> CInt
  let valueIsNull: @convention(c) @Sendable (OpaquePointer, CInt, CInt) -> CInt
  let clear: @convention(c) @Sendable (OpaquePointer) -> Void

  let getCancel: @convention(c) @Sendable (OpaquePointer) -> OpaquePointer?
  let cancel: @convention(c) @Sendable (OpaquePointer, UnsafeMutablePointer<CChar>, CInt) -> CInt
  let freeCancel: @convention(c) @Sendable (OpaquePointer) -> Void
  let parseAddress:
    @convention(c) @Sendable (Text, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> UnsafeMutableRawPointer?
  let freeAddress: @convention(c) @Sendable (UnsafeMutableRawPointer) -> Void

  /// Where the library is looked for, in order.
  static let names = ["libpq.so.5", "libpq.so"]

  static func open(_ names: [String] = Self.names) throws(DynamicLibraryFault) -> LibPQ {
    try LibPQ(try DynamicLibrary.open(names))
  }

  private init(_ library: DynamicLibrary) throws(DynamicLibraryFault) {
    func symbol<T>(_ name: String) throws(DynamicLibraryFault) -> T { try library.symbol(name, as: T.self) }
    connectStart = try symbol("PQconnectStartParams")
    connectPoll = try symbol("PQconnectPoll")
    status = try symbol("PQstatus")
    finish = try symbol("PQfinish")
    socket = try symbol("PQsocket")
    setNonblocking = try symbol("PQsetnonblocking")
    setNoticeProcessor = try symbol("PQsetNoticeProcessor")
    errorMessage = try symbol("PQerrorMessage")
    sendQuery = try symbol("PQsendQuery")
    sendQueryParams = try symbol("PQsendQueryParams")
    flush = try symbol("PQflush")
    consumeInput = try symbol("PQconsumeInput")
    isBusy = try symbol("PQisBusy")
    getResult = try symbol("PQgetResult")
    escapeLiteral = try symbol("PQescapeLiteral")
    freeMemory = try symbol("PQfreemem")
    resultStatus = try symbol("PQresultStatus")
    resultErrorField = try symbol("PQresultErrorField")
    rowCount = try symbol("PQntuples")
    fieldCount = try symbol("PQnfields")
    value = try symbol("PQgetvalue")
    valueLength = try symbol("PQgetlength")
    valueIsNull = try symbol("PQgetisnull")
    clear = try symbol("PQclear")
    getCancel = try symbol("PQgetCancel")
    cancel = try symbol("PQcancel")
    freeCancel = try symbol("PQfreeCancel")
    parseAddress = try symbol("PQconninfoParse")
    freeAddress = try symbol("PQconninfoFree")
  }

  /// Whether libpq can read an address: `postgresql://…` or `host=… dbname=…`. What it says of one that it cannot read
  /// quotes it, and is dropped.
  func canRead(_ address: String) -> Bool {
    var message: UnsafeMutablePointer<CChar>?
    let options = parseAddress(address, &message)
    if let message { freeMemory(message) }
    guard let options else { return false }
    freeAddress(options)
    return true
  }
}

/// Values of `libpq-fe.h`, part of its interface since version 3 of the protocol.
enum LibPQCode {
  static let connectionOK: CInt = 0
  static let pollingFailed: CInt = 0
  static let pollingReading: CInt = 1
  static let pollingWriting: CInt = 2
  static let pollingOK: CInt = 3
  static let emptyQuery: CInt = 0
  static let commandOK: CInt = 1
  static let tuplesOK: CInt = 2
  /// `PG_DIAG_SQLSTATE`.
  static let sqlState = CInt(UInt8(ascii: "C"))
}
