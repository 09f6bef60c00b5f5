import Envelope
import Testing
import Translation

@testable import GeminiLiveProvider

private func converted(_ json: String) throws -> (schema: JSONValue?, isExact: Bool) {
  Schema.converted(try JSONValue(parsing: json))
}

@Suite struct GeminiSchemas {
  /// What a property becomes, and whether that says it all.
  struct Row: Sendable, CustomTestStringConvertible {
    let given: String
    let becomes: String?
    var isExact = true

    var testDescription: String { given }

    func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
      let whole = try converted(#"{"type":"object","properties":{"first":{"type":"string"},"x":"# + given + "}}")
      let found = whole.schema?["properties"]?["x"]
      let expected = try becomes.map { try JSONValue(parsing: $0) }
      #expect(found == expected, "\(found?.text ?? "nothing")", sourceLocation: sourceLocation)
      #expect(whole.isExact == isExact, sourceLocation: sourceLocation)
    }
  }

  @Test(
    "gemini 2.3: types, and where none is stated",
    arguments: [
      Row(given: #"{"type":"string"}"#, becomes: #"{"type":"STRING"}"#),
      Row(given: #"{"type":"STRING"}"#, becomes: #"{"type":"STRING"}"#),
      Row(given: #"{"type":["string","null"]}"#, becomes: #"{"type":"STRING","nullable":true}"#),
      Row(given: #"{"type":"integer","nullable":true}"#, becomes: #"{"type":"INTEGER","nullable":true}"#),
      Row(given: #"{"type":"null"}"#, becomes: #"{"type":"STRING","nullable":true}"#),
      Row(
        given: #"{"type":["integer","string","null"],"minimum":1,"minLength":2,"description":"d"}"#,
        becomes: #"""
          {"anyOf":[{"type":"INTEGER","description":"d","minimum":1,"nullable":true},
          {"type":"STRING","description":"d","minLength":2,"nullable":true}]}
          """#),
      Row(given: #"{"type":["integer","number"]}"#, becomes: #"{"type":"NUMBER"}"#),
      Row(given: #"{"properties":{"a":{}}}"#, becomes: #"{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}"#),
      Row(given: #"{"items":{"type":"number"}}"#, becomes: #"{"type":"ARRAY","items":{"type":"NUMBER"}}"#),
      Row(given: #"{"enum":["a"]}"#, becomes: #"{"type":"STRING","enum":["a"]}"#),
      Row(given: #"{"minimum":2}"#, becomes: #"{"type":"NUMBER","minimum":2}"#),
      Row(given: #"{"default":false}"#, becomes: #"{"type":"BOOLEAN","default":false}"#),
      Row(given: "{}", becomes: #"{"type":"STRING"}"#),
      Row(given: "true", becomes: #"{"type":"STRING"}"#),
      Row(given: "false", becomes: nil),
      Row(given: #"{"type":"date"}"#, becomes: #"{"type":"STRING"}"#, isExact: false),
      Row(given: "17", becomes: #"{"type":"STRING"}"#, isExact: false),
    ])
  func types(_ row: Row) throws { try row.check() }

  @Test(
    "gemini 2.3: enumerations hold strings, none of them empty; null among them is said by nullable",
    arguments: [
      Row(given: #"{"type":"string","const":"a"}"#, becomes: #"{"type":"STRING","enum":["a"]}"#),
      Row(given: #"{"const":5}"#, becomes: #"{"type":"STRING","enum":["5"]}"#),
      Row(given: #"{"type":"integer","enum":[1,2.0,2,1.5]}"#, becomes: #"{"type":"STRING","enum":["1","2","1.5"]}"#),
      Row(
        given: #"{"type":"integer","enum":[1,2],"default":1,"minimum":1}"#,
        becomes: #"{"type":"STRING","enum":["1","2"],"default":"1"}"#),
      Row(given: #"{"enum":["a",null,"","a"]}"#, becomes: #"{"type":"STRING","enum":["a"],"nullable":true}"#),
      Row(given: #"{"type":"string","enum":[""]}"#, becomes: #"{"type":"STRING"}"#),
      Row(given: #"{"type":"string","enum":[]}"#, becomes: #"{"type":"STRING"}"#),
      Row(given: #"{"type":"string","enum":"a"}"#, becomes: #"{"type":"STRING"}"#),
      Row(given: #"{"type":"boolean","const":true}"#, becomes: #"{"type":"BOOLEAN"}"#),
      Row(given: #"{"const":null}"#, becomes: #"{"type":"STRING","nullable":true}"#),
      Row(given: #"{"enum":["a",{"b":1}]}"#, becomes: #"{"type":"STRING","enum":["a"]}"#, isExact: false),
      Row(
        given: #"{"enum":[{"b":1},[2]]}"#,
        becomes: #"{"anyOf":[{"type":"ARRAY","items":{"type":"STRING"}},{"type":"OBJECT"}]}"#, isExact: false),
    ])
  func enumerations(_ row: Row) throws { try row.check() }

  @Test(
    "gemini 2.3: only keys of the Schema message, of the right kind, and beside the type they speak of",
    arguments: [
      Row(
        given: #"""
          {"type":"string","format":"date-time","minLength":1,"maxLength":9.0,"pattern":"^a$","title":"T",
          "description":"D","default":"x","example":"y","examples":["z"],"$comment":"c","strict":true,"readOnly":true,
          "contentEncoding":"base64","minimum":3,"items":{},"properties":{}}
          """#,
        becomes: #"""
          {"type":"STRING","title":"T","description":"D","format":"date-time","minLength":1,"maxLength":9,"pattern":"^a$",
          "default":"x","example":"y"}
          """#),
      Row(
        given:
          #"{"type":"string","format":"email","minLength":-1,"maxLength":"9","pattern":7,"title":1,"description":""}"#,
        becomes: #"{"type":"STRING"}"#),
      Row(given: #"{"type":"string","format":"enum"}"#, becomes: #"{"type":"STRING"}"#),
      Row(given: #"{"type":"string","pattern":"^(?!a)b$"}"#, becomes: #"{"type":"STRING"}"#),
      Row(given: #"{"type":"string","minLength":5,"maxLength":4}"#, becomes: #"{"type":"STRING"}"#),
      Row(
        given: #"{"type":"integer","format":"int64","minimum":-5,"maximum":5,"multipleOf":5,"default":"no"}"#,
        becomes: #"{"type":"INTEGER","format":"int64","minimum":-5,"maximum":5}"#),
      Row(given: #"{"type":"integer","format":"double"}"#, becomes: #"{"type":"INTEGER"}"#),
      Row(
        given: #"{"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":10}"#,
        becomes: #"{"type":"INTEGER","minimum":1,"maximum":9}"#),
      Row(
        given: #"{"type":"number","format":"float","exclusiveMinimum":0,"exclusiveMaximum":true,"maximum":"9"}"#,
        becomes: #"{"type":"NUMBER","format":"float","minimum":0}"#),
      Row(given: #"{"type":"string","default":null}"#, becomes: #"{"type":"STRING"}"#),
      Row(given: #"{"type":"object","default":{"a":[1]}}"#, becomes: #"{"type":"OBJECT","default":{"a":[1]}}"#),
      Row(
        given: #"{"type":"array","items":{"type":"string"},"minItems":1.0,"maxItems":2.5,"uniqueItems":true}"#,
        becomes: #"{"type":"ARRAY","items":{"type":"STRING"},"minItems":1}"#),
    ])
  func keys(_ row: Row) throws { try row.check() }

  @Test(
    "gemini 2.3: alternatives stand alone, null among them is said by nullable",
    arguments: [
      Row(
        given: #"{"anyOf":[{"type":"string"},{"type":"null"}],"title":"T","description":"D","default":null}"#,
        becomes: #"{"type":"STRING","title":"T","description":"D","nullable":true}"#),
      Row(
        given: #"{"oneOf":[{"type":"integer"},{"type":"string","description":"or so"}],"description":"D","default":3}"#,
        becomes: #"""
          {"anyOf":[{"type":"INTEGER","description":"D","default":3},
          {"type":"STRING","description":"D\nor so","default":"3"}]}
          """#),
      Row(
        given: #"{"anyOf":[{"anyOf":[{"type":"string"},{"type":"null"}]},{"type":"boolean"},{"type":"string"}]}"#,
        becomes: #"{"anyOf":[{"type":"STRING","nullable":true},{"type":"BOOLEAN","nullable":true}]}"#),
      Row(
        given: #"{"anyOf":[{"const":"a"},{"const":"b"},{"enum":["b","c"]}]}"#,
        becomes: #"{"type":"STRING","enum":["a","b","c"]}"#),
      Row(
        given: #"{"type":"object","properties":{"a":{},"b":{}},"anyOf":[{"required":["a"]},{"required":["b"]}]}"#,
        becomes: #"{"type":"OBJECT","properties":{"a":{"type":"STRING"},"b":{"type":"STRING"}}}"#),
      Row(
        given: #"{"type":"string","anyOf":[{"minLength":1},{"type":"integer"}]}"#,
        becomes: #"{"type":"STRING","minLength":1}"#),
      Row(given: #"{"type":"number","anyOf":[{"type":"integer"},false]}"#, becomes: #"{"type":"INTEGER"}"#),
      Row(given: #"{"type":"number","anyOf":[]}"#, becomes: #"{"type":"NUMBER"}"#),
      Row(given: #"{"type":"number","oneOf":7}"#, becomes: #"{"type":"NUMBER"}"#),
      Row(given: #"{"anyOf":[false,false]}"#, becomes: nil),
    ])
  func alternatives(_ row: Row) throws { try row.check() }

  @Test(
    "gemini 2.3: what is composed is merged",
    arguments: [
      Row(
        given: #"""
          {"description":"outer","allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},
          {"properties":{"b":{"type":"integer","minimum":1},"a":{"maxLength":3}},"required":["b","a"],"description":"inner"}]}
          """#,
        becomes: #"""
          {"type":"OBJECT","description":"outer\ninner","properties":{"a":{"type":"STRING","maxLength":3},
          "b":{"type":"INTEGER","minimum":1}},"required":["a","b"]}
          """#),
      Row(
        given: #"{"allOf":[{"type":"number","minimum":1,"maximum":9},{"type":"integer","minimum":3,"maximum":12}]}"#,
        becomes: #"{"type":"INTEGER","minimum":3,"maximum":9}"#),
      Row(
        given: #"{"allOf":[{"enum":["a","b","c"]},{"enum":["c","b"]}]}"#,
        becomes: #"{"type":"STRING","enum":["b","c"]}"#),
      Row(
        given:
          #"{"allOf":[{"anyOf":[{"type":"string"},{"type":"integer"}]},{"anyOf":[{"type":"integer"},{"type":"null"}]}]}"#,
        becomes: #"{"type":"INTEGER"}"#),
      Row(
        given: #"{"allOf":[{"type":"string"},true,{"nullable":true}]}"#,
        becomes: #"{"type":"STRING","nullable":true}"#),
      Row(given: #"{"allOf":[{"type":"string"},{"type":"integer"}]}"#, becomes: #"{"type":"STRING"}"#, isExact: false),
      Row(given: #"{"allOf":[{"type":"string"},"odd"]}"#, becomes: #"{"type":"STRING"}"#, isExact: false),
    ])
  func compositions(_ row: Row) throws { try row.check() }

  @Test(
    "gemini 2.3: arrays say what they hold; tuples hold what any of their places holds",
    arguments: [
      Row(given: #"{"type":"array"}"#, becomes: #"{"type":"ARRAY","items":{"type":"STRING"}}"#),
      Row(given: #"{"type":"array","items":true}"#, becomes: #"{"type":"ARRAY","items":{"type":"STRING"}}"#),
      Row(given: #"{"type":"array","items":[]}"#, becomes: #"{"type":"ARRAY","items":{"type":"STRING"}}"#),
      Row(
        given: #"{"prefixItems":[{"type":"number"},{"type":"number"}],"items":false,"minItems":2,"maxItems":2}"#,
        becomes: #"{"type":"ARRAY","items":{"type":"NUMBER"},"minItems":2,"maxItems":2}"#),
      Row(
        given: #"{"items":[{"type":"number"},{"type":"string"}]}"#,
        becomes: #"{"type":"ARRAY","items":{"anyOf":[{"type":"NUMBER"},{"type":"STRING"}]}}"#, isExact: false),
      Row(
        given: #"{"prefixItems":[{"type":"number"}],"items":{"type":"boolean"}}"#,
        becomes: #"{"type":"ARRAY","items":{"anyOf":[{"type":"NUMBER"},{"type":"BOOLEAN"}]}}"#, isExact: false),
    ])
  func arrays(_ row: Row) throws { try row.check() }

  @Test(
    "gemini 2.3: objects; required and the ordering name properties that exist",
    arguments: [
      Row(given: #"{"type":"object"}"#, becomes: #"{"type":"OBJECT"}"#),
      Row(given: #"{"type":"object","properties":{},"required":["a"]}"#, becomes: #"{"type":"OBJECT"}"#),
      Row(
        given: #"""
          {"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"},"c":false},
          "required":["b","z","c",3,"b"],"propertyOrdering":["b","a"],"minProperties":1,"additionalProperties":false}
          """#,
        becomes: #"""
          {"type":"OBJECT","minProperties":1,"properties":{"a":{"type":"STRING"},"b":{"type":"STRING"}},"required":["b"],
          "propertyOrdering":["b","a"]}
          """#),
      Row(
        given: #"{"type":"object","properties":{"a":{"type":"string"}},"required":["z"],"propertyOrdering":["z"]}"#,
        becomes: #"{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}"#),
      Row(given: #"{"type":"object","properties":["a"],"required":true}"#, becomes: #"{"type":"OBJECT"}"#),
      Row(
        given: #"{"type":"object","properties":{"$ref":{"type":"string"},"type":{"type":"integer"},"enum":{}}}"#,
        becomes: #"""
          {"type":"OBJECT","properties":{"$ref":{"type":"STRING"},"type":{"type":"INTEGER"},"enum":{"type":"STRING"}}}
          """#),
      Row(given: #"{"type":"object","additionalProperties":true}"#, becomes: #"{"type":"OBJECT"}"#),
      Row(given: #"{"type":"object","additionalProperties":{}}"#, becomes: #"{"type":"OBJECT"}"#),
      Row(
        given: #"{"type":"object","additionalProperties":{"type":"string"}}"#, becomes: #"{"type":"OBJECT"}"#,
        isExact: false),
      Row(given: #"{"type":"object","patternProperties":{"^a":{}}}"#, becomes: #"{"type":"OBJECT"}"#, isExact: false),
    ])
  func objects(_ row: Row) throws { try row.check() }

  @Test(
    "gemini 2.3: references within the document are taken in, whatever their notation",
    arguments: [
      "#/$defs/A~1b%20c~0d", "#/%24defs/A~1b c~0d", "#/definitions/old", "#/properties/list/items", "#/tuple/1",
    ])
  func references(_ reference: String) throws {
    let schema = #"""
      {"type":"object","properties":{"x":{"$ref":"\#(reference)","description":"mine"},
      "list":{"type":"array","items":{"type":"integer","minimum":4}}},"tuple":[{},{"type":"integer","minimum":4}],
      "$defs":{"A/b c~d":{"type":"integer","minimum":4}},"definitions":{"old":{"$ref":"#/$defs/A~1b c~0d"}}}
      """#
    let outcome = try converted(schema)
    #expect(outcome.isExact)
    #expect(outcome.schema?["properties"]?["x"] == ["type": "INTEGER", "description": "mine", "minimum": 4])
  }

  @Test(
    "gemini 2.3: references that lead nowhere leave what stands beside them",
    arguments: [
      "#/$defs/B", "#/$defs", "#/$defs/A/", "#A", "other.json#/$defs/A", "http://x/y", "", "#/%zz", "#/%", "#/%ff",
      "/$defs/A",
    ])
  func danglingReferences(_ reference: String) throws {
    let schema = #"""
      {"type":"object","properties":{"x":{"$ref":"\#(reference)","type":"integer"},"y":{"$ref":7}},
      "$defs":{"A":{"type":"string"}}}
      """#
    let outcome = try converted(schema)
    #expect(!outcome.isExact)
    let found = outcome.schema?["properties"]?["x"]?["type"]?.string
    #expect(found == "INTEGER")
    #expect(outcome.schema?["properties"]?["y"] == ["type": "STRING"])
  }

  @Test("gemini 2.3: what contains itself is cut off where it does")
  func recursion() throws {
    let tree = try converted(
      #"""
      {"$ref":"#/$defs/Tree","$defs":{"Tree":{"type":"object","description":"A tree.","properties":{"value":{"type":"string"},
      "children":{"type":"array","items":{"$ref":"#/$defs/Tree"}},"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},
      "required":["value","children"]}}}
      """#)
    #expect(!tree.isExact)
    #expect(
      tree.schema == [
        "type": "OBJECT", "description": "A tree.",
        "properties": [
          "value": ["type": "STRING"],
          "children": ["type": "ARRAY", "items": ["type": "OBJECT", "description": "A tree."]],
          "next": ["type": "OBJECT", "description": "A tree.", "nullable": true],
        ],
        "required": ["value", "children"],
      ])
    for loop in [
      ##"{"$ref":"#"}"##, ##"{"allOf":[{"$ref":"#"}]}"##, ##"{"anyOf":[{"$ref":"#"}]}"##,
      ##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##,
    ] {
      let outcome = try converted(loop)
      #expect(outcome.schema == nil && !outcome.isExact)
    }
  }

  @Test("the same definition twice side by side is no recursion")
  func repetition() throws {
    let outcome = try converted(
      #"""
      {"type":"object","properties":{"a":{"$ref":"#/$defs/P"},"b":{"type":"array","items":{"$ref":"#/$defs/P"}}},
      "$defs":{"P":{"type":"object","properties":{"x":{"type":"number"}}}}}
      """#)
    #expect(outcome.isExact)
    #expect(outcome.schema?["properties"]?["a"] == outcome.schema?["properties"]?["b"]?["items"])
  }

  @Test(
    "gemini 2.3: without a property there are no parameters",
    arguments: [
      ("null", true), ("{}", true), ("true", true), (#"{"type":"object"}"#, true),
      (#"{"type":"object","properties":{}}"#, true), (#"{"type":"object","properties":{},"required":[]}"#, true),
      (#"{"type":"object","properties":{},"additionalProperties":false,"$schema":"s"}"#, true),
      (#"{"type":"object","additionalProperties":{"type":"string"}}"#, false), (#"{"type":"string"}"#, false),
      ("false", true), ("[]", false), (#""object""#, false), ("3", false),
    ])
  func nothing(_ given: String, _ isExact: Bool) throws {
    let outcome = try converted(given)
    #expect(outcome.schema == nil)
    #expect(outcome.isExact == isExact)
  }

  @Test("the arguments are one object: its alternative forms are united")
  func unitedForms() throws {
    let outcome = try converted(
      #"""
      {"oneOf":[{"type":"object","properties":{"kind":{"const":"email"},"to":{"type":"string"}},"required":["kind","to"]},
      {"type":"object","properties":{"kind":{"const":"sms"},"to":{"type":"integer"},"text":{"type":"string"}},
      "required":["text","kind"]},{"type":"null"}]}
      """#)
    #expect(!outcome.isExact)
    #expect(
      outcome.schema == [
        "type": "OBJECT",
        "properties": [
          "kind": ["type": "STRING", "enum": ["email", "sms"]],
          "to": ["anyOf": [["type": "STRING"], ["type": "INTEGER"]]],
          "text": ["type": "STRING"],
        ],
        "required": ["kind"],
      ])
  }
}

extension JSONValue {
  fileprivate subscript(key: String) -> JSONValue? { object?[key] }
}
