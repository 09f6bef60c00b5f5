import Envelope

/// What Gemini Live takes on one connection, and nothing else: it ends a connection for every other frame.
struct GeminiFrameLaw {
  /// A family that takes `clientContent` only as history that the set-up announced.
  private var takesTextOnly = false
  private(set) var isSetUp = false
  private(set) var setUp: JSONValue?
  /// Who is told where turns begin and end.
  private(set) var isManual = false
  private var isWindowOpen = false
  private var announcesHistory = false
  private var frameCount = 0
  /// Ids of calls that wait for their results, and of those that have them.
  private(set) var openCalls: Set<String> = []
  private var answeredCalls: Set<String> = []
  private(set) var violations: [String] = []

  mutating func completeSetUp() { isSetUp = true }

  mutating func calls(_ ids: [String]) { openCalls.formUnion(ids) }

  /// One step of the session is over.
  mutating func stepEnded() {
    if isWindowOpen { violations.append("an activity window is left open") }
  }

  mutating func take(_ frame: JSONValue) {
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
