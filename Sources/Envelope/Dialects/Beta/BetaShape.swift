/// A session or response whose fields stand flat in beta and nested in GA.
struct BetaShape: Sendable {
  /// Where such an object stands in an event.
  let root: String
  let fields: [BetaTable.Field]
  /// The keys that are left out on the way to beta.
  let unknownToBeta: Set<String>
  /// The keys that are left out on the way to GA.
  var unknownToGA: Set<String> = []

  // MARK: Objects

  /// The object in the form of beta. Fields that are in no table stay where they are, below `audio` as well.
  func flattened(_ object: JSONObject) -> JSONObject {
    var flat = JSONObject()
    for (key, value) in object where !unknownToBeta.contains(key) {
      if let field = fields.first(where: { $0.ga == [key] }) {
        flat[field.beta] = field.form.beta(value)
      } else if key == "audio", let audio = value.object {
        let rest = flatten(audio, into: &flat)
        if !rest.isEmpty { flat[key] = .object(rest) }
      } else if flat[key] == nil {
        flat[key] = value
      }
    }
    return flat
  }

  /// Takes the known fields of `audio`; what is left is returned.
  private func flatten(_ audio: JSONObject, into flat: inout JSONObject) -> JSONObject {
    var rest = JSONObject()
    for (side, value) in audio {
      guard let members = value.object else {
        rest[side] = value
        continue
      }
      var others = JSONObject()
      for (key, value) in members {
        if let field = fields.first(where: { $0.ga == ["audio", side, key] }) {
          flat[field.beta] = field.form.beta(value)
        } else {
          others[key] = value
        }
      }
      if !others.isEmpty { rest[side] = .object(others) }
    }
    return rest
  }

  /// The object in the form of GA. Where a client uses both names of a field, the GA one wins.
  func nested(_ object: JSONObject) -> JSONObject {
    var nested = JSONObject()
    var audio = JSONObject()
    for (key, value) in object where !unknownToGA.contains(key) {
      guard let field = fields.first(where: { $0.beta == key }) else {
        if key == "audio", let given = value.object {
          audio = Self.merged(given, over: audio)
        } else {
          nested[key] = value
        }
        continue
      }
      if field.ga.count == 1, field.ga[0] == key || object[field.ga[0]] == nil {
        nested[field.ga[0]] = field.form.ga(value)
      } else if field.ga.count == 3, audio[field.ga[1]]?[field.ga[2]] == nil {
        audio = Self.merged(audio, over: [field.ga[1]: .object([field.ga[2]: field.form.ga(value)])])
      }
    }
    if !audio.isEmpty, nested["audio"] == nil { nested["audio"] = .object(audio) }
    return nested
  }

  /// The members of both objects, two levels deep; where both have one, that of `winner`.
  private static func merged(_ winner: JSONObject, over loser: JSONObject) -> JSONObject {
    var merged = winner
    for (side, value) in loser {
      guard let members = value.object, let present = merged[side] else {
        if merged[side] == nil { merged[side] = value }
        continue
      }
      guard var union = present.object else { continue }
      union.merge(members)
      merged[side] = .object(union)
    }
    return merged
  }

  // MARK: Paths

  /// A dotted path into a GA event as a client of beta would have written it; nil where it reads the same.
  func betaPath(_ path: String) -> String? {
    for field in fields where field.ga != [field.beta] {
      guard let rest = Self.rest(of: path, below: ([root] + field.ga).joined(separator: ".")) else { continue }
      // A format is one word in beta.
      return "\(root).\(field.beta)" + (field.form == .format ? "" : rest)
    }
    return nil
  }

  /// The other direction.
  func gaPath(_ path: String) -> String? {
    for field in fields where field.ga != [field.beta] {
      guard let rest = Self.rest(of: path, below: "\(root).\(field.beta)") else { continue }
      return ([root] + field.ga).joined(separator: ".") + rest
    }
    return nil
  }

  /// What follows `parent` in a path at or below it.
  private static func rest(of path: String, below parent: String) -> Substring? {
    guard path.hasPrefix(parent) else { return nil }
    let rest = path.dropFirst(parent.count)
    return rest.isEmpty || rest.hasPrefix(".") || rest.hasPrefix("[") ? rest : nil
  }
}
