/// Values by id, the newest ones only: a session may go on for days.
struct Remembered<Value: Sendable>: Sendable {
  private(set) var values: [String: Value] = [:]
  /// The ids, the oldest first.
  private var order: [String] = []
  private let limit: Int

  init(limit: Int = Limits.rememberedItems) {
    self.limit = limit
  }

  var isEmpty: Bool { values.isEmpty }

  /// A value that is set again keeps its age.
  subscript(_ id: String) -> Value? {
    get { values[id] }
    set {
      guard let newValue else {
        if values.removeValue(forKey: id) != nil { order.removeAll { $0 == id } }
        return
      }
      guard values.updateValue(newValue, forKey: id) == nil else { return }
      order.append(id)
      if order.count > limit { values[order.removeFirst()] = nil }
    }
  }

  mutating func removeAll(where isGone: (Value) -> Bool = { _ in true }) {
    values = values.filter { !isGone($0.value) }
    order.removeAll { values[$0] == nil }
  }
}
