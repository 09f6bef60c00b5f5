public import Envelope

/// What a service takes on one connection. One value lives as long as the connection.
public protocol UpstreamLaw: Sendable {
  init()
  /// Whether the set-up was sent.
  var hasBegun: Bool { get }
  /// Whether the service has taken it.
  var isSetUp: Bool { get }
  /// Ids of calls that wait for their results.
  var openCalls: Set<String> { get }
  var violations: [String] { get }

  /// A frame of the service.
  mutating func hear(_ frame: JSONValue)
  /// A frame to the service.
  mutating func take(_ frame: JSONValue)
  /// One step of the session is over.
  mutating func stepEnded()
  /// Whether the frame has to hold even what the client has deleted.
  func mustBeTold(_ frame: JSONValue) -> Bool
}

/// A service that takes every JSON object.
public struct AnyFrameLaw: UpstreamLaw {
  public private(set) var hasBegun = false
  public private(set) var isSetUp = false
  public let openCalls: Set<String> = []
  public private(set) var violations: [String] = []

  public init() {}

  public mutating func hear(_ frame: JSONValue) { isSetUp = true }

  public mutating func take(_ frame: JSONValue) {
    hasBegun = true
    if frame.object == nil { violations.append("no JSON object: \(frame.text.prefix(80))") }
  }

  public func stepEnded() {}
  public func mustBeTold(_ frame: JSONValue) -> Bool { true }
}

/// What Gemini Live takes on one connection, and nothing else: it ends a connection for every other frame.
public struct GeminiFrameLaw: UpstreamLaw {
  /// A family that takes `clientContent` only as history that the set-up announced.
  private var takesTextOnly = false
  public private(set) var isSetUp = false
  private var setUp: JSONValue?
  /// Who is told where turns begin and end.
  private var isManual = false
  private var isWindowOpen = false
  private var announcesHistory = false
  private var frameCount = 0
  /// Ids of calls that wait for their results, and of those that have them.
  public private(set) var openCalls: Set<String> = []
  private var answeredCalls: Set<String> = []
  public private(set) var violations: [String] = []

  public init() {}

  public var hasBegun: Bool { setUp != nil }

  public mutating func hear(_ frame: JSONValue) {
    if frame["setupComplete"] != nil { isSetUp = true }
    openCalls.formUnion((frame["toolCall"]?["functionCalls"]?.array ?? []).compactMap { $0["id"]?.string })
  }

  /// History that was announced must come; the connection that heard too much is replaced before it answers.
  public func mustBeTold(_ frame: JSONValue) -> Bool {
    frame["realtimeInput"]?["audio"] != nil || (setUp?["historyConfig"] != nil && frame["clientContent"] != nil)
  }

  public mutating func stepEnded() {
    if isWindowOpen { violations.append("an activity window is left open") }
  }

  public mutating func take(_ frame: JSONValue) {
    let keys = frame.object?.keys.map { $0 } ?? []
    guard keys.count == 1, let key = keys.first else {
      return violations.append("not one key: \(frame.text.prefix(80))")
    }
    if key == "setup" {
      check(setUp == nil, "a second setup")
      setUp = frame["setup"]
      takesTextOnly = setUp?["model"]?.string?.hasPrefix("models/gemini-3.1") == true
      let input = setUp?["realtimeInputConfig"]
      isManual = input?["automaticActivityDetection"]?["disabled"]?.bool == true
      announcesHistory = setUp?["historyConfig"] != nil
      check(!announcesHistory || takesTextOnly, "announced history in a family without")
      return
    }
    check(isSetUp, "\(key) before setupComplete")
    switch key {
    case "clientContent": content(frame["clientContent"] ?? .null)
    case "realtimeInput": input(frame["realtimeInput"] ?? .null)
    case "toolResponse": results(frame["toolResponse"]?["functionResponses"]?.array ?? [])
    default: violations.append("\(key) is no message of the client")
    }
    frameCount += 1
  }

  private mutating func content(_ content: JSONValue) {
    guard takesTextOnly else { return }
    check(announcesHistory && frameCount == 0, "clientContent in mid-session")
    check(content["turnComplete"]?.bool == true, "history that does not end")
  }

  private mutating func input(_ input: JSONValue) {
    let members = input.object?.keys.map { $0 } ?? []
    check(members.count == 1, "realtimeInput of \(members)")
    check(!announcesHistory || frameCount > 0, "input before the history that was announced")
    switch members.first {
    case "audio": check(!isManual || isWindowOpen, "audio outside of a window")
    case "activityStart":
      check(isManual && !isWindowOpen, "activityStart")
      isWindowOpen = true
    case "activityEnd":
      check(isManual && isWindowOpen, "activityEnd")
      isWindowOpen = false
    case "audioStreamEnd": check(!isManual, "audioStreamEnd in manual mode")
    case "text", "video": break
    default: violations.append("realtimeInput.\(members.first ?? "")")
    }
  }

  private mutating func results(_ responses: [JSONValue]) {
    check(!responses.isEmpty, "an empty toolResponse")
    for response in responses {
      let id = response["id"]?.string ?? ""
      check(response["name"]?.string?.isEmpty == false, "a result without a name")
      check(openCalls.remove(id) != nil, answeredCalls.contains(id) ? "a call answered twice" : "no such call: \(id)")
      answeredCalls.insert(id)
    }
  }

  private mutating func check(_ holds: Bool, _ violation: String) {
    if !holds { violations.append(violation) }
  }
}
