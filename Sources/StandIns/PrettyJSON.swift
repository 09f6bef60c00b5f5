import Envelope

/// JSON text as the Gemini service writes it: two spaces of indent, a space after the colon, a newline at the end.
enum PrettyJSON {
  static func text(_ value: JSONValue) -> String {
    var text = ""
    write(value, indent: "", into: &text)
    return text + "\n"
  }

  private static func write(_ value: JSONValue, indent: String, into text: inout String) {
    let inner = indent + "  "
    switch value {
    case .array(let elements) where !elements.isEmpty:
      text += "[\n"
      for (index, element) in elements.enumerated() {
        text += index == 0 ? inner : ",\n" + inner
        write(element, indent: inner, into: &text)
      }
      text += "\n\(indent)]"
    case .object(let object) where object.count > 0:
      text += "{\n"
      var separator = inner
      for (key, member) in object {
        text += separator + JSONValue.string(key).text + ": "
        write(member, indent: inner, into: &text)
        separator = ",\n" + inner
      }
      text += "\n\(indent)}"
    default:
      text += value.text
    }
  }
}
