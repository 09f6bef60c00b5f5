import Envelope
import SessionCore
import Translation

/// `docs/coverage.md`: the tables of `GET /v1/capabilities` as a page.
struct CoverageDocument {
  /// In the order of the columns.
  let providers: [ProviderConfiguration]

  var text: String {
    ([introduction, summaries] + providers.map(section) + [transcribers]).joined(separator: "\n\n") + "\n"
  }

  private let introduction = """
    <!-- Written by the test `docs/coverage.md is current` from the providers' tables: do not edit. -->
    # What each provider covers

    The same as `GET /v1/capabilities`, which tells it of the providers of a configuration. Where a table depends on the
    configuration, this is the one of an ordinary provider of its kind.

    | word | what happens |
    |---|---|
    | mapped | the provider has it, and gets it |
    | emulated | the provider has nothing of the kind; it happens all the same |
    | ignored | it changes nothing, and no `error` says so; in strict mode it is refused |
    | refused | an `error` names the field, and nothing else of the event happens either |

    A `*` behind a word: under some conditions something else happens; the provider's own table says which.
    """

  // MARK: All providers

  private var summaries: String {
    [
      summary("Events", Coverage.events + ["previous_item_id"]),
      summary("Fields of a session", Coverage.sessionFields + Coverage.otherSessionFields),
      summary("Options of a response", Coverage.responseFields),
    ].joined(separator: "\n\n")
  }

  private func summary(_ title: String, _ subjects: [String]) -> String {
    let tables = providers.map { Dictionary(grouping: $0.coverage, by: \.subject) }
    let rows = subjects.map { subject in
      row([code(subject)] + tables.map { cell($0[subject] ?? []) })
    }
    return (["## \(title)", "", row([""] + providers.map(\.name)), rule(providers.count + 1)] + rows)
      .joined(separator: "\n")
  }

  private func cell(_ rows: [CoverageRow]) -> String {
    let always = rows.first { $0.condition == nil }?.support
    let differs = rows.contains { $0.condition != nil && $0.support != always }
    return (always?.rawValue ?? "") + (differs ? "*" : "")
  }

  // MARK: One provider

  private func section(_ provider: ProviderConfiguration) -> String {
    let rows = provider.coverage.map { it in
      row([
        code(it.subject),
        (it.condition ?? [:]).map { "\(code($0.key)) is \(code($0.value.text))" }.joined(separator: ", "),
        it.support.rawValue, it.takesEffect.map { $0.rawValue.replacing("_", with: " ") } ?? "", it.note,
      ])
    }
    return (["## \(provider.name)", "", row(["subject", "when", "", "takes effect", ""]), rule(5)] + rows)
      .joined(separator: "\n")
  }

  // MARK: Names

  private var transcribers: String {
    let rows = TranscriptionModels.known.map { model in
      row([code(model.name), model.vendor, model.languages.joined(separator: ", ")])
    }
    return """
      ## Names of transcribers

      What `session.audio.input.transcription.model` may be. A provider that has no model of the name transcribes with its
      own, and the session shows that. Any other name is refused. With `*` at its end, a row is how names begin; languages
      are told where the service's pages do.

      \(row(["name", "of", "languages"]))
      \(rule(3))
      \(rows.joined(separator: "\n"))
      """
  }

  // MARK: Markdown

  private func row(_ cells: [String]) -> String {
    "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
  }

  private func rule(_ count: Int) -> String {
    "|" + String(repeating: "---|", count: count)
  }

  private func code(_ text: String) -> String { "`\(text)`" }
}
