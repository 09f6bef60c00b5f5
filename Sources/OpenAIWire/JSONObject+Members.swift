public import Envelope

extension JSONObject {
  /// The members of these names.
  public func only(_ keys: Set<String>) -> JSONObject {
    var result = JSONObject()
    for (key, value) in self where keys.contains(key) { result[key] = value }
    return result
  }

  /// The members that are not null.
  public var withoutNulls: JSONObject {
    var result = JSONObject()
    for (key, value) in self where !value.isNull { result[key] = value }
    return result
  }
}
