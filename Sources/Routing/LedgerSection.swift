import Translation

/// Section `ledger` of the file.
extension TableDecoder {
  static let spoolRange = 1_048_576...1_099_511_627_776

  mutating func ledger(_ root: Fields) -> LedgerTable {
    var table = LedgerTable()
    guard let member = root.member("ledger") else { return table }
    let path = root.path.key("ledger")
    if case .string(let word) = member.value.content {
      guard word == "none" else {
        report(
          .badText("expected \"none\", {\"sqlite\": PATH} or {\"postgres\": REFERENCE}"), at: member.value.place, path)
        return table
      }
      table.store = .none
      return table
    }
    guard let fields = fields(member.value, path, known: ConfigurationReference.ledger.names) else {
      return table
    }
    if fields.member("sqlite") != nil {
      refuse(["postgres"], fields, .badText("there is a sqlite already; usage has one store"))
      if let file = string(fields, "sqlite") {
        if file.value.isEmpty || file.value.utf8.contains(0) {
          report(.badText("expected the path of a file"), at: file)
        }
        table.store = .sqlite(path: SecretSources.resolve(file.value, in: directory))
      }
    } else if let text = string(fields, "postgres"), let reference = reference(text) {
      if let address = connectionString(reference, text) { table.store = .postgres(address, reference) }
    }
    if let webhook = fields.member("webhook") {
      table.webhook = self.webhook(webhook.value, fields.path.key("webhook"))
    }
    if let spool = fields.member("spoolBytes") {
      let (low, high) = (Self.spoolRange.lowerBound, Self.spoolRange.upperBound)
      let bytes = number(
        spool.value, fields.path.key("spoolBytes"), Double(low)...Double(high), rangeText: "\(low) to \(high) bytes",
        isWhole: true)
      if let bytes { table.spoolBytes = Int(bytes) }
    }
    return table
  }

  /// What libpq takes: an address, or `host=… user=…` with spaces, which no other secret has.
  private mutating func connectionString(
    _ reference: SecretReference, _ text: Located<String>
  ) -> Redacted<String>? {
    do {
      let bytes = try sources.content(reference, directory: directory, limitBytes: SecretSources.longestSecretBytes)
      var value = String(decoding: bytes, as: UTF8.self)[...]
      while let last = value.last, last.isNewline { value.removeLast() }
      guard !value.isEmpty, !value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
        report(.badText("\(reference) is empty, or holds a control character"), at: text)
        return nil
      }
      return Redacted(String(value))
    } catch {
      report(.missingSecret(error), at: text)
      return nil
    }
  }

  private mutating func webhook(_ value: PositionedValue, _ path: ValuePath) -> WebhookSettings? {
    guard let fields = fields(value, path, known: ConfigurationReference.webhook.names) else { return nil }
    let url = requiredString(fields, "url")
    if let url, !TokenURL.isUsable(url.value) {
      report(.badText("expected an https address, or an http one on this machine, without query"), at: url)
    }
    var key: (reference: SecretReference, secret: Redacted<String>)?
    if let text = string(fields, "key"), let reference = reference(text), let secret = secret(reference, text) {
      key = (reference, secret)
    }
    let sendsUpdates = flag(fields, "updates")
    return url.map { WebhookSettings(url: $0.value, key: key, sendsUpdates: sendsUpdates) }
  }
}
