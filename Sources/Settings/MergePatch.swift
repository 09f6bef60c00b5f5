import Envelope

extension JSONObject {
  /// The object with a JSON merge patch applied (RFC 7396 section 2): null takes a member away, an object goes into the one
  /// that is there, all else replaces.
  func merging(_ patch: JSONObject) -> JSONObject {
    var merged = self
    for (key, change) in patch {
      switch change {
      case .null: merged[key] = nil
      case .object(let inner): merged[key] = .object((merged[key]?.object ?? [:]).merging(inner))
      default: merged[key] = change
      }
    }
    return merged
  }

  /// One patch that does what this one and then `patch` do: null stays, to take away what is below both.
  func composing(_ patch: JSONObject) -> JSONObject {
    var composed = self
    for (key, change) in patch {
      if let inner = change.object, let own = composed[key]?.object {
        composed[key] = .object(own.composing(inner))
      } else {
        composed[key] = change
      }
    }
    return composed
  }

  /// The patch without what `other` speaks about, which is newer and stands elsewhere.
  func withdrawing(_ other: JSONObject) -> JSONObject {
    var rest = self
    for (key, change) in other {
      guard let inner = change.object, let own = rest[key]?.object else {
        rest[key] = nil
        continue
      }
      let remaining = own.withdrawing(inner)
      rest[key] = remaining.isEmpty ? nil : .object(remaining)
    }
    return rest
  }

  /// The paths of the members that are no objects, dotted.
  func leaves(below path: String = "") -> [String] {
    flatMap { key, value -> [String] in
      let own = path.isEmpty ? key : "\(path).\(key)"
      guard let inner = value.object, !inner.isEmpty else { return [own] }
      return inner.leaves(below: own)
    }
  }

  /// Whether the patch speaks about a path, or about something around or below it.
  func concerns(_ path: String) -> Bool {
    let sought = path.replacing("[", with: ".").replacing("]", with: "")
    return leaves().contains { sought == $0 || sought.hasPrefix($0 + ".") || $0.hasPrefix(sought + ".") }
  }
}
