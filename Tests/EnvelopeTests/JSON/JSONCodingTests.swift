import Envelope
import Testing

private enum Mood: String, Codable { case calm, loud }

/// A union with hand-written coding: a word, or an object told apart by `type`.
private enum Choice: Codable, Equatable {
  struct Named: Codable, Equatable {
    var name: String
    var unknown: UnknownFields
    enum CodingKeys: String, CodingKey {
      case name
      case unknown = "*"
    }
  }

  private enum CodingKeys: CodingKey { case type }

  case auto
  case named(Named)

  init(from decoder: any Decoder) throws {
    if let word = try? decoder.singleValueContainer().decode(String.self) {
      guard word == "auto" else {
        throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "no such choice"))
      }
      self = .auto
    } else {
      self = .named(try Named(from: decoder))
    }
  }

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .auto:
      var container = encoder.singleValueContainer()
      try container.encode("auto")
    case .named(let named):
      try named.encode(to: encoder)
    }
  }
}

private struct Inner: Codable, Equatable {
  var rate: Int
  var grid: [[Double]]?
}

private struct Sample: Codable, Equatable {
  var id: String
  var isOn: Bool?
  var expiresAt: Int?
  var mood: Mood?
  var inner: Inner?
  var list: [Inner]?
  var choice: Choice?
  var threshold: Patch<Double>
  var nested: Patch<Inner>
  var raw: JSONValue?
  var map: [String: Int]?
  var unknown: UnknownFields

  enum CodingKeys: String, CodingKey {
    case id, mood, inner, list, choice, threshold, nested, raw, map
    case isOn = "is_on"
    case expiresAt = "expires_at"
    case unknown = "*"
  }
}

private func parse(_ text: String) throws -> JSONValue {
  try JSONValue(parsing: text)
}

@Suite("JSON coding")
struct JSONCodingTests {
  @Test(
    "Every field survives a round trip: known, unknown, null, absent, raw",
    arguments: [
      #"{"id":"a"}"#, #"{"id":"a","threshold":null}"#, #"{"id":"a","threshold":0.5,"nested":null}"#,
      #"{"id":"a","nested":{"rate":1,"grid":[[1,2.5],[]]},"is_on":false,"expires_at":12,"mood":"loud"}"#,
      #"{"id":"a","list":[{"rate":1},{"rate":2,"grid":[]}],"choice":"auto","map":{"x":1,"y":2}}"#,
      #"{"id":"a","choice":{"name":"n","more":[1,{"z":null}]},"raw":{"id":[null,1.0,"x"]}}"#,
      #"{"new_field":{"deep":[1,2]},"id":"a","*":"star","other":null,"threshold":1e2}"#,
    ])
  func roundTrip(text: String) throws {
    let value = try parse(text)
    let sample = try JSONCoding.decode(Sample.self, from: value)
    #expect(JSONCoding.encode(sample) == value)
  }

  @Test("Absent, null and value are three things")
  func patches() throws {
    func threshold(_ text: String) throws -> Patch<Double> {
      try JSONCoding.decode(Sample.self, from: parse(text)).threshold
    }
    #expect(try threshold(#"{"id":"a"}"#) == .absent)
    #expect(try threshold(#"{"id":"a","threshold":null}"#) == .null)
    #expect(try threshold(#"{"id":"a","threshold":0.25}"#) == .value(0.25))

    var field: Double? = 1
    Patch<Double>.absent.apply(to: &field)
    #expect(field == 1)
    Patch.value(2.0).apply(to: &field)
    #expect(field == 2)
    Patch<Double>.null.apply(to: &field)
    #expect(field == nil)
    #expect(Patch.value(2).map { $0 + 1 } == .value(3) && Patch<Int>.null.map { $0 + 1 } == .null)
    #expect(Patch.value(2).orNil == 2 && Patch<Int>.absent.isAbsent && Patch<Int>.null.isNull)
  }

  @Test("Unknown fields are those without a key, and a field of the type's own wins over them")
  func unknownFields() throws {
    var sample = try JSONCoding.decode(Sample.self, from: parse(#"{"id":"a","x":1,"is_on":true,"y":null}"#))
    #expect(sample.unknown.fields == ["x": 1, "y": nil])
    sample.unknown.fields["id"] = "not this one"
    #expect(JSONCoding.encode(sample)["id"] == "a")
    #expect(JSONCoding.encode(sample)["y"]?.isNull == true)
  }

  @Test("The text of a number survives where it is kept raw")
  func numberText() throws {
    let sample = try JSONCoding.decode(
      Sample.self, from: parse(#"{"id":"a","raw":[1.50,1e2],"x":12345678901234567890}"#))
    #expect(JSONCoding.encode(sample).text == #"{"id":"a","raw":[1.50,1e2],"x":12345678901234567890}"#)
  }

  @Test(
    "A fault names the field by its path",
    arguments: [
      ("[]", .wrongType(expected: .object, found: .array), ""),
      ("{}", .missing, "id"),
      (#"{"id":1}"#, .wrongType(expected: .string, found: .integer), "id"),
      (#"{"id":null}"#, .wrongType(expected: .string, found: .null), "id"),
      (#"{"id":"a","is_on":"yes"}"#, .wrongType(expected: .boolean, found: .string), "is_on"),
      (#"{"id":"a","expires_at":1.5}"#, .wrongType(expected: .integer, found: .number), "expires_at"),
      (#"{"id":"a","inner":{}}"#, .missing, "inner.rate"),
      (#"{"id":"a","inner":{"rate":"x"}}"#, .wrongType(expected: .integer, found: .string), "inner.rate"),
      (#"{"id":"a","list":[{"rate":1},{"rate":{}}]}"#, .wrongType(expected: .integer, found: .object), "list[1].rate"),
      (#"{"id":"a","list":{}}"#, .wrongType(expected: .array, found: .object), "list"),
      (
        #"{"id":"a","nested":{"rate":1,"grid":[[1],["x"]]}}"#, .wrongType(expected: .number, found: .string),
        "nested.grid[1][0]"
      ),
      (#"{"id":"a","threshold":true}"#, .wrongType(expected: .number, found: .boolean), "threshold"),
      (#"{"id":"a","choice":"never"}"#, .invalidValue("no such choice"), "choice"),
      (#"{"id":"a","choice":{}}"#, .missing, "choice.name"),
      (#"{"id":"a","map":{"x":"y"}}"#, .wrongType(expected: .integer, found: .string), "map.x"),
    ] as [(String, DecodingFault.Kind, String)])
  func faults(text: String, kind: DecodingFault.Kind, path: String) throws {
    let value = try parse(text)
    #expect(throws: DecodingFault(kind, path: path)) { try JSONCoding.decode(Sample.self, from: value) }
  }

  @Test("A word that the enum does not know is an invalid value at its path")
  func unknownWord() throws {
    let value = try parse(#"{"id":"a","mood":"odd"}"#)
    do {
      _ = try JSONCoding.decode(Sample.self, from: value)
      Issue.record("the word was accepted")
    } catch {
      #expect(error.path == "mood")
      guard case .invalidValue = error.kind else {
        Issue.record("\(error.kind)")
        return
      }
    }
  }

  @Test("Integers of any size are checked, whole numbers in any notation are taken")
  func integers() throws {
    #expect(try JSONCoding.decode([UInt8].self, from: parse("[0,255,1e2,2.0]")) == [0, 255, 100, 2])
    #expect(throws: DecodingFault(.invalidValue("integer out of range"), path: "[1]")) {
      try JSONCoding.decode([UInt8].self, from: parse("[0,256]"))
    }
    #expect(throws: DecodingFault(.invalidValue("integer out of range"), path: "")) {
      try JSONCoding.decode(UInt.self, from: parse("-1"))
    }
    #expect(JSONCoding.encode([Int64.min, Int64.max]).text == "[-9223372036854775808,9223372036854775807]")
    #expect(JSONCoding.encode([Float(0.1)]).text == "[0.1]")
    #expect(JSONCoding.encode([Double.nan]).text == "[null]")
  }

  @Test("Optionals and nulls inside arrays keep their places")
  func nullsInArrays() throws {
    let values = try JSONCoding.decode([Int?].self, from: parse("[1,null,3]"))
    #expect(values == [1, nil, 3])
    #expect(JSONCoding.encode(values).text == "[1,null,3]")
    #expect(JSONCoding.encode([[String]]()).text == "[]")
  }
}
