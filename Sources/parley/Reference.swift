import ArgumentParser
import Routing
import Telemetry
import VoiceEngine

struct Reference: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print what can be configured and what is measured, as tables in Markdown.",
    discussion: "The tables of the documentation are these; `make docs` writes them there.")

  enum Topic: String, ExpressibleByArgument, CaseIterable {
    case configuration, limits, runtime, metrics, environment

    var tables: [ReferenceTable] {
      switch self {
      case .configuration: ConfigurationReference.tables
      case .limits: [ConfigurationReference.limits]
      case .runtime: [Self.settings]
      case .metrics: [Self.catalogue]
      case .environment: [ConfigurationReference.environment]
      }
    }

    private static var settings: ReferenceTable {
      ReferenceTable(
        name: "runtime", columns: ["setting", "variables", "values", "default"],
        rows: SettingReference.all.map { ["`\($0.path)`", $0.variables, $0.values, $0.usual] })
    }

    private static var catalogue: ReferenceTable {
      ReferenceTable(
        name: "metrics", columns: ["metric", "kind", "labels", "meaning"],
        rows: MetricCatalogue.all.map { metric in
          let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
          return ["`\(metric.name)`", metric.kind.word, labels.isEmpty ? "–" : labels, metric.help]
        })
    }
  }

  @Argument(
    help: "What to print: \(Topic.allCases.map(\.rawValue).joined(separator: ", ")). All of it without one.")
  var topic: Topic?

  func run() {
    let topics = topic.map { [$0] } ?? Topic.allCases.filter { $0 != .limits }
    for table in topics.flatMap(\.tables) { print(Self.begin(table.name), table.markdown, Self.end, separator: "\n") }
  }

  /// As the documents mark the places of tables.
  private static func begin(_ name: String) -> String { "<!-- table: \(name) (written by make docs) -->" }
  private static let end = "<!-- end of table -->"
}
