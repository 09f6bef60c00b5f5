public import Envelope

/// The options of a `response.create` that a service is not told of, by their paths (Q23).
public enum ResponseOptions {
  /// Options that hold others; every other one is a whole, whatever it is made of.
  private static let groups: Set<String> = ["audio", "audio.input", "audio.output", "reasoning"]

  /// Their effect is the same whatever a service is told: the first two are refused where it has nothing of the kind,
  /// `metadata` is put into the response.
  private static let served: Set<String> = ["conversation", "input", "metadata"]

  /// - Parameters:
  ///   - response: as the client gave it; what is null asks for nothing.
  ///   - isLeftOut: of a path below `response`, such as `audio.output.voice`.
  /// - Returns: as a client names them, `response.audio.output.voice`, in its order.
  public static func ignored(in response: JSONObject, where isLeftOut: (String) -> Bool) -> [String] {
    paths(in: response, below: "").filter { !served.contains($0) && isLeftOut($0) }.map { "response." + $0 }
  }

  private static func paths(in object: JSONObject, below parent: String) -> [String] {
    object.filter { !$0.value.isNull }.flatMap { member in
      let path = parent + member.key
      guard groups.contains(path), let group = member.value.object else { return [path] }
      return paths(in: group, below: path + ".")
    }
  }
}
