import Envelope
import Testing
import Translation

@testable import GeminiLiveProvider

/// What the frameworks of clients write for their tools.
private enum Written {
  /// Pydantic 2: a model with nested models, enumerations and optional fields.
  static let pydantic = #"""
      { "$defs": { "Color": { "enum": [ "red", "blue" ], "title": "Color", "type": "string" }, "Item": {
      "description": "One line of an order.", "properties": { "sku": { "description": "Article number",
      "pattern": "^[A-Z]{3}$", "title": "Sku", "type": "string" }, "count": { "default": 1, "maximum": 99,
      "minimum": 1, "title": "Count", "type": "integer" }, "color": { "anyOf": [ { "$ref": "#/$defs/Color" }, {
      "type": "null" } ], "default": null } }, "required": [ "sku" ], "title": "Item", "type": "object" },
      "Prio": { "enum": [ 1, 2 ], "title": "Prio", "type": "integer" } }, "properties": { "items": { "items": {
      "$ref": "#/$defs/Item" }, "minItems": 1, "title": "Items", "type": "array" }, "note": { "anyOf": [ {
      "type": "string" }, { "type": "null" } ], "default": null, "description": "A note", "title": "Note" },
      "due": { "anyOf": [ { "format": "date-time", "type": "string" }, { "type": "null" } ], "default": null,
      "title": "Due" }, "day": { "format": "date", "title": "Day", "type": "string" }, "prio": {
      "$ref": "#/$defs/Prio", "default": 1 }, "price": { "anyOf": [ { "type": "number" }, {
      "pattern": "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$", "type": "string" } ], "title": "Price" }, "place": {
      "maxItems": 2, "minItems": 2, "prefixItems": [ { "type": "number" }, { "type": "number" } ],
      "title": "Place", "type": "array" }, "amount": { "anyOf": [ { "type": "integer" }, { "type": "string" }, {
      "type": "null" } ], "default": null, "title": "Amount" }, "kind": { "enum": [ "a", "b" ], "title": "Kind",
      "type": "string" }, "always": { "const": true, "default": true, "title": "Always", "type": "boolean" },
      "extra": { "default": null, "title": "Extra" }, "main": { "$ref": "#/$defs/Item",
      "description": "The main item" }, "weights": { "additionalProperties": { "type": "integer" }, "default": {},
      "title": "Weights", "type": "object" } }, "required": [ "items", "day", "price", "place", "kind", "main" ],
      "title": "Order", "type": "object" }
    """#

  /// Pydantic 2: a model that contains itself.
  static let pydanticTree = #"""
      { "$defs": { "Tree": { "properties": { "value": { "title": "Value", "type": "string" }, "children": {
      "default": [], "items": { "$ref": "#/$defs/Tree" }, "title": "Children", "type": "array" } }, "required": [
      "value" ], "title": "Tree", "type": "object" } }, "properties": { "tree": { "$ref": "#/$defs/Tree" } },
      "required": [ "tree" ], "title": "Args", "type": "object" }
    """#

  /// zod 4, `z.toJSONSchema` of a strict object.
  static let zod = #"""
    {"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{
    "city":{"type":"string","minLength":1,"description":"The city"},
    "days":{"type":"integer","exclusiveMinimum":0,"maximum":7},
    "unit":{"default":"c","type":"string","enum":["c","f"]},
    "tags":{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"null"}]},
    "when":{"type":"string","format":"date-time","pattern":"^(?:\\d{4}-\\d{2}-\\d{2})T.*$"},
    "to":{"oneOf":[
    {"type":"object","properties":{"kind":{"type":"string","const":"email"},"to":{"type":"string","format":"email"}},
    "required":["kind","to"],"additionalProperties":false},
    {"type":"object","properties":{"kind":{"type":"string","const":"sms"},"number":{"type":"string"}},
    "required":["kind","number"],"additionalProperties":false}]}},
    "required":["city","unit","tags","to"],"additionalProperties":false}
    """#

  /// zod-to-json-schema, which refers to the place where a schema stood first.
  static let zodReference = #"""
    {"type":"object","properties":{"from":{"type":"object","properties":{"lat":{"type":"number","minimum":-90},
    "tags":{"type":"array","items":{"type":["string","null"]}}},"required":["lat"],"additionalProperties":false},
    "to":{"$ref":"#/properties/from"}},"required":["from","to"],"additionalProperties":false,
    "$schema":"http://json-schema.org/draft-07/schema#"}
    """#

  /// openai-agents with `strict_mode`: every property is required, what is optional may be null.
  static let strict = #"""
    {"$defs":{"Unit":{"enum":["celsius","fahrenheit"],"title":"Unit","type":"string"}},"properties":{
    "city":{"description":"The city to look up.","title":"City","type":"string"},
    "unit":{"anyOf":[{"$ref":"#/$defs/Unit"},{"type":"null"}]},
    "days":{"items":{"type":"integer"},"title":"Days","type":"array"}},
    "required":["city","unit","days"],"title":"get_weather_args","type":"object","additionalProperties":false}
    """#

  /// LiveKit's schema of a Python function, internally tagged.
  static let liveKit = #"""
    {"properties":{"location":{"description":"The location","title":"Location","type":"string"},
    "attendees":{"anyOf":[{"items":{"type":"string"},"type":"array"},{"type":"null"}],"default":null,"title":"Attendees"}},
    "required":["location"],"title":"LookUpArgs","type":"object"}
    """#

  /// Pipecat's `FunctionSchema`.
  static let pipecat = #"""
    {"type":"object","properties":{"location":{"type":"string","description":"The city and state"},
    "format":{"type":"string","enum":["celsius","fahrenheit"],"description":"The unit"}},"required":["location","format"]}
    """#
}

private func tool(_ name: String, _ json: String? = nil) throws -> Tool {
  .function(FunctionTool(name: name, description: "d", parameters: try json.map { try JSONValue(parsing: $0) }))
}

private func traits(_ behavior: ModelTraits.ToolBehavior = .blocking) -> ModelTraits {
  var traits = ModelTraits.of("gemini-3.8-live")
  traits.toolBehavior = behavior
  return traits
}

private func declared(_ tools: [Tool], _ behavior: ModelTraits.ToolBehavior = .blocking) throws -> [JSONObject] {
  try Schema.declarations(tools, traits: traits(behavior), path: "session.tools").compactMap(\.object)
}

private func fault(_ tools: [Tool]) -> EventFault? {
  #expect(throws: EventFault.self) { try Schema.declarations(tools, traits: traits(), path: "session.tools") }
}

@Suite struct GeminiSchemasOfClients {
  private func properties(_ json: String) throws -> (properties: JSONObject, whole: JSONObject, isExact: Bool) {
    let outcome = Schema.converted(try JSONValue(parsing: json))
    let schema = try #require(outcome.schema)
    #expect(SchemaChecker.fault(of: schema) == nil)
    return (try #require(schema.object?["properties"]?.object), try #require(schema.object), outcome.isExact)
  }

  @Test("gemini 2.3: a Pydantic model with nested models, enumerations and optional fields")
  func pydantic() throws {
    let order = try properties(Written.pydantic)
    let item: JSONValue = [
      "type": "OBJECT", "title": "Item", "description": "One line of an order.", "required": ["sku"],
      "properties": [
        "sku": ["type": "STRING", "title": "Sku", "description": "Article number", "pattern": "^[A-Z]{3}$"],
        "count": ["type": "INTEGER", "title": "Count", "minimum": 1, "maximum": 99, "default": 1],
        "color": ["type": "STRING", "title": "Color", "enum": ["red", "blue"], "nullable": true],
      ],
    ]
    #expect(order.properties["items"] == ["type": "ARRAY", "title": "Items", "items": item, "minItems": 1])
    var main = try #require(item.object)
    main["description"] = "The main item\nOne line of an order."
    #expect(order.properties["main"] == .object(main))
    #expect(
      order.properties["note"] == ["type": "STRING", "title": "Note", "description": "A note", "nullable": true])
    #expect(
      order.properties["due"] == ["type": "STRING", "title": "Due", "format": "date-time", "nullable": true])
    #expect(order.properties["day"] == ["type": "STRING", "title": "Day"])
    #expect(
      order.properties["prio"] == ["type": "STRING", "title": "Prio", "enum": ["1", "2"], "default": "1"])
    #expect(
      order.properties["price"] == [
        "anyOf": [["type": "NUMBER", "title": "Price"], ["type": "STRING", "title": "Price"]]
      ])
    #expect(
      order.properties["place"] == [
        "type": "ARRAY", "title": "Place", "items": ["type": "NUMBER"], "minItems": 2, "maxItems": 2,
      ])
    #expect(
      order.properties["amount"] == [
        "anyOf": [
          ["type": "INTEGER", "title": "Amount", "nullable": true],
          ["type": "STRING", "title": "Amount", "nullable": true],
        ]
      ])
    #expect(order.properties["always"] == ["type": "BOOLEAN", "title": "Always", "default": true])
    #expect(order.properties["extra"] == ["type": "STRING", "title": "Extra"])
    #expect(order.properties["weights"] == ["type": "OBJECT", "title": "Weights", "default": [:]])
    #expect(order.whole["required"] == ["items", "day", "price", "place", "kind", "main"])
    // For the map of weights.
    #expect(!order.isExact)
  }

  @Test("gemini 2.3: a strict zod object with alternatives told apart by a constant")
  func zod() throws {
    let found = try properties(Written.zod)
    #expect(found.isExact && found.whole["$schema"] == nil)
    #expect(found.properties["city"] == ["type": "STRING", "description": "The city", "minLength": 1])
    #expect(found.properties["days"] == ["type": "INTEGER", "minimum": 1, "maximum": 7])
    #expect(found.properties["unit"] == ["type": "STRING", "enum": ["c", "f"], "default": "c"])
    #expect(found.properties["tags"] == ["type": "ARRAY", "items": ["type": "STRING"], "nullable": true])
    #expect(
      found.properties["when"] == [
        "type": "STRING", "format": "date-time", "pattern": #"^(?:\d{4}-\d{2}-\d{2})T.*$"#,
      ])
    #expect(
      found.properties["to"] == [
        "anyOf": [
          [
            "type": "OBJECT", "required": ["kind", "to"],
            "properties": ["kind": ["type": "STRING", "enum": ["email"]], "to": ["type": "STRING"]],
          ],
          [
            "type": "OBJECT", "required": ["kind", "number"],
            "properties": ["kind": ["type": "STRING", "enum": ["sms"]], "number": ["type": "STRING"]],
          ],
        ]
      ])
  }

  @Test("gemini 2.3: a reference to where a schema stood first")
  func zodReference() throws {
    let found = try properties(Written.zodReference)
    #expect(found.isExact)
    #expect(
      found.properties["to"] == [
        "type": "OBJECT", "required": ["lat"],
        "properties": [
          "lat": ["type": "NUMBER", "minimum": -90],
          "tags": ["type": "ARRAY", "items": ["type": "STRING", "nullable": true]],
        ],
      ])
    #expect(found.properties["from"] == found.properties["to"])
  }

  @Test("gemini 2.3: openai-agents in strict mode, LiveKit, Pipecat")
  func others() throws {
    let strict = try properties(Written.strict)
    #expect(strict.isExact && strict.whole["required"] == ["city", "unit", "days"])
    #expect(
      strict.properties["unit"] == [
        "type": "STRING", "title": "Unit", "enum": ["celsius", "fahrenheit"], "nullable": true,
      ])
    let liveKit = try properties(Written.liveKit)
    #expect(liveKit.isExact && liveKit.whole["title"] == "LookUpArgs")
    #expect(
      liveKit.properties["attendees"] == [
        "type": "ARRAY", "title": "Attendees", "items": ["type": "STRING"], "nullable": true,
      ])
    let pipecat = try properties(Written.pipecat)
    #expect(pipecat.isExact)
    #expect(
      pipecat.properties["format"] == [
        "type": "STRING", "description": "The unit", "enum": ["celsius", "fahrenheit"],
      ])
  }
}

@Suite struct GeminiFunctionDeclarations {
  @Test("gemini 2.3: name, description and parameters, and how the model waits for the result")
  func declarations() throws {
    let found = try declared([try tool("get_weather", Written.pipecat), try tool("hang_up")])
    #expect(found.map { $0["name"] } == ["get_weather", "hang_up"])
    #expect(
      found.map(\.keys) == [["name", "description", "parameters", "behavior"], ["name", "description", "behavior"]])
    #expect(found[0]["behavior"] == "BLOCKING" && found[0]["description"] == "d")
    #expect(
      try declared([try tool("f")], .nonBlocking) == [["name": "f", "description": "d", "behavior": "NON_BLOCKING"]])
    #expect(try declared([try tool("f")], .unstated) == [["name": "f", "description": "d"]])
    #expect(try declared([.function(FunctionTool(name: "f", description: ""))], .unstated) == [["name": "f"]])
    #expect(try declared([]).isEmpty)
  }

  @Test("gemini 2.3: what the service's dialect would lose goes as JSON Schema, but not with extended thinking")
  func jsonSchema() throws {
    let tools = [try tool("grow", Written.pydanticTree)]
    let plain = try declared(tools)[0]
    #expect(plain["parameters"] == nil)
    #expect(
      plain["parametersJsonSchema"] == [
        "type": "object", "title": "Args", "required": ["tree"], "properties": ["tree": ["$ref": "#/$defs/Tree"]],
        "$defs": [
          "Tree": [
            "type": "object", "title": "Tree",
            "properties": [
              "value": ["type": "string", "title": "Value"],
              "children": ["type": "array", "title": "Children", "items": ["$ref": "#/$defs/Tree"]],
            ],
          ]
        ],
      ])
    let thinking = try Schema.declarations(
      tools, traits: ModelTraits.of("gemini-3.8-live-extended-thinking"), path: "session.tools")[0]
    #expect(thinking["parametersJsonSchema"] == nil)
    let tree = thinking["parameters"]?.object?["properties"]?.object?["tree"]?.object
    #expect(tree?["properties"]?.object?["children"]?.object?["items"]?.object?["type"] == "OBJECT")
  }

  @Test(
    "gemini 2.3: JSON Schema that the service might refuse goes in its dialect instead, as far as that says it",
    arguments: [
      #"{"properties":{"m":{"additionalProperties":{"type":"string"}},"x":{"$ref":"other.json"}}}"#,
      #"{"properties":{"m":{"additionalProperties":{"type":"string"}},"x":{"type":"date"}}}"#,
      #"{"properties":{"m":{"additionalProperties":{"type":"string"}},"x":{"allOf":[{"type":"string"}]}}}"#,
      ##"{"properties":{"m":{"additionalProperties":{"type":"string"}},"x":{"$ref":"#"}}}"##,
      #"{"properties":{"m":{"additionalProperties":{"type":"string"}},"x":{"items":[{"type":"string"}]}}}"#,
      #"{"properties":{"m":{"additionalProperties":{"type":"string"}},"x":{"enum":[]}}}"#,
      #"{"properties":{"m":{"additionalProperties":{"type":"string"}},"x":7}}"#,
      ##"{"properties":{"x":{"$ref":"#/$defs/a b"}},"$defs":{"a b":{"additionalProperties":{"type":"string"}}}}"##,
      #"{"oneOf":[{"properties":{"x":{}}},{"properties":{"m":{}}}],"type":["object","null"]}"#,
    ])
  func refusable(_ json: String) throws {
    let found = try declared([try tool("f", json)])[0]
    #expect(found["parametersJsonSchema"] == nil)
    #expect(found["parameters"]?.object?["properties"]?.object?["x"] != nil)
  }

  @Test("a function whose arguments are a map goes as JSON Schema, or without parameters")
  func map() throws {
    let tools = [try tool("f", #"{"type":"object","additionalProperties":{"type":"number","strict":true}}"#)]
    #expect(
      try declared(tools)[0]["parametersJsonSchema"]
        == ["type": "object", "additionalProperties": ["type": "number"]])
    let thinking = ModelTraits.of("gemini-3.8-live-extended-thinking")
    let declaration = try Schema.declarations(tools, traits: thinking, path: "session.tools")[0]
    #expect(declaration.object?.keys == ["name", "description", "behavior"])
  }

  @Test(
    "gemini 2.3: names that the service takes",
    arguments: ["a", "_", "Get-it.now:2_", String(repeating: "n", count: 128)])
  func names(_ name: String) throws {
    #expect(try declared([try tool(name)]).first?["name"] == .string(name))
  }

  @Test(
    "gemini 2.3: names that the service refuses",
    arguments: [
      "", "1a", "-a", ".a", "a b", "a/b", "ä", "aé", "a\u{0}", "@", "[", "`", "{", String(repeating: "n", count: 129),
    ])
  func refusedNames(_ name: String) throws {
    let fault = fault([try tool("fine"), try tool(name)])
    #expect(fault?.code == "invalid_value" && fault?.param == "session.tools[1].name")
  }

  @Test("gemini 5.3: tools that are no functions are refused, save for the search, which is not declared here")
  func otherTools() throws {
    let mcp = fault([try tool("f"), .mcp(["type": "mcp", "server_label": "s"])])
    #expect(mcp?.code == "unsupported_value" && mcp?.param == "session.tools[1].type")
    let other = fault([.other(["type": "code_interpreter"])])
    #expect(other?.code == "unsupported_value" && other?.param == "session.tools[0].type")
    let searches: [Tool] = [.other(["type": "google_search"]), .other(["type": "web_search"])]
    #expect(try declared(searches + [try tool("f")]).map { $0["name"] } == ["f"])
  }

  @Test("gemini 2.3: each function once, and 512 at most")
  func bounds() throws {
    let twice = fault([try tool("f"), try tool("g"), try tool("f")])
    #expect(twice?.code == "invalid_value" && twice?.param == "session.tools[2].name")
    let many = try (0..<512).map { try tool("f\($0)", Written.pipecat) }
    #expect(try declared(many).count == 512)
    #expect(try declared(many + [.other(["type": "google_search"])]).count == 512)
    let tooMany = fault(many + [try tool("one_more")])
    #expect(tooMany?.code == "invalid_value" && tooMany?.param == "session.tools")
  }
}
