extension CheckedField {
  /// An item of a client, or a reference to one (in the `input` of `response.create`).
  func item() throws(EventFault) -> Item {
    let type = ItemType(rawValue: try requiredMember("type").string())
    if type == .itemReference {
      _ = try requiredMember("id").string()
      return try decoded()
    }
    return try checkedNewItem()
  }

  /// An item that a client puts into the conversation: with everything that its type needs. Types that are not in the
  /// vocabulary pass unchecked. What the assistant said may go by its names of before.
  func checkedNewItem() throws(EventFault) -> Item {
    guard let object = value.object else { throw mismatch("an object") }
    return try CheckedField(value: .object(BetaWire.item(object, toBeta: false)), path: path).checkedGAItem()
  }

  private func checkedGAItem() throws(EventFault) -> Item {
    let type = try requiredMember("type")
    switch ItemType(rawValue: try type.string()) {
    case .message:
      _ = try requiredMember("role").choice(Role.self)
      for part in try requiredMember("content").elements() {
        try part.checkContentPart()
      }
    case .functionCall:
      _ = try requiredMember("name").string()
      _ = try requiredMember("arguments").string()
    case .functionCallOutput:
      _ = try requiredMember("call_id").string()
      _ = try requiredMember("output").string()
    case .itemReference:
      throw .invalidValue(try type.string(), param: type.path)
    case .mcpListTools, .mcpCall, .mcpApprovalRequest, .mcpApprovalResponse, .other:
      break
    }
    if let status = try member("status"), !status.value.isNull {
      _ = try status.choice(ItemStatus.self)
    }
    return try decoded()
  }

  private func checkContentPart() throws(EventFault) {
    let type = try requiredMember("type")
    let name = try type.string()
    switch name {
    case "input_text", "output_text": _ = try requiredMember("text").string()
    case "input_image": _ = try requiredMember("image_url").string()
    case "input_audio", "output_audio": break
    default: throw .invalidValue(name, param: type.path, supported: ContentPart.types)
    }
  }
}
