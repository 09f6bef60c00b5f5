import Testing

@testable import Routing

@Suite("Key allowPrivateAddresses") struct PrivateAddressKeyTests {
  private static func provider(_ key: String) -> String {
    smallFile(
      provider: #""openai": {"kind": "openai", "url": "wss://h.example/v1", "key": "env:K", "model": "m"\#(key)}"#)
  }

  @Test("fault row 61: a provider's name may lead to private addresses only where its section says so")
  func value() throws {
    for (key, isAllowed) in [
      ("", false), (#", "allowPrivateAddresses": false"#, false), (#", "allowPrivateAddresses": true"#, true),
    ] {
      let table = try decode(Self.provider(key))
      #expect(table.providers["openai"]?.remote?.allowsPrivateAddresses == isAllowed)
      #expect(RedactedDump(table).description.contains("  allowPrivateAddresses") == isAllowed)
    }
  }

  @Test("it is a boolean, and the provider has to be somewhere else")
  func faults() {
    let text = faultLines(Self.provider(#", "allowPrivateAddresses": "yes""#))
    #expect(text.first?.hasPrefix("routes.json:4: ") ?? false)
    #expect(faultLines(Self.provider(#", "allowPrivateAddresses": 1"#)).count == 1)
    let local = smallFile(provider: #""openai": {"kind": "local", "allowPrivateAddresses": true}"#)
    #expect(faultLines(local).count == 1)
  }
}
