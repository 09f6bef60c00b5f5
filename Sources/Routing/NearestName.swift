/// Finds the name that was probably meant.
enum NearestName {
  /// The known name with the fewest typing errors from `name`, if these are few for its length; on equal counts the first.
  static func of(_ name: String, among known: [String]) -> String? {
    // A long name is no slip of the fingers, and the table below grows with its square.
    guard name.utf8.count <= 64 else { return nil }
    let written = Array(name.lowercased().unicodeScalars)
    var best: (name: String, distance: Int)?
    for candidate in known {
      let distance = self.distance(written, Array(candidate.lowercased().unicodeScalars))
      let tolerated = max(1, min(3, candidate.unicodeScalars.count / 3))
      if distance <= tolerated, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
  }

  /// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
  static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for row in left.indices {
      var current = [row + 1]
      for column in right.indices {
        let substitution = last[column] + (left[row] == right[column] ? 0 : 1)
        var cost = min(substitution, last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
          cost = min(cost, beforeLast[column - 1] + 1)
        }
        current.append(cost)
      }
      (beforeLast, last) = (last, current)
    }
    return last[right.count]
  }
}
