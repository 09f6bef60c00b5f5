import Testing

@testable import Telemetry

@Suite("Where traces go")
struct ExporterSettingsTests {
  private func settings(_ environment: [String: String]) -> (ExporterSettings?, complaints: [String]) {
    var complaints: [String] = []
    let settings = ExporterSettings(environment: environment) { variable, _ in complaints.append(variable) }
    return (settings, complaints)
  }

  @Test(
    "Without a collector, or where it is not wanted, there is no exporter",
    arguments: [
      [:], ["OTEL_EXPORTER_OTLP_ENDPOINT": " "],
      ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_SDK_DISABLED": "true"],
      ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_TRACES_EXPORTER": "none"],
    ] as [[String: String]])
  func none(environment: [String: String]) {
    let (settings, complaints) = settings(environment)
    #expect(settings == nil && complaints.isEmpty)
  }

  @Test("The address of all signals gets the path of the traces, their own is used as it is")
  func endpoints() {
    func endpoint(_ environment: [String: String]) -> String? { settings(environment).0?.endpoint }
    #expect(endpoint(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"]) == "http://c:4318/v1/traces")
    #expect(endpoint(["OTEL_EXPORTER_OTLP_ENDPOINT": "https://c/otlp/"]) == "https://c/otlp/v1/traces")
    let both = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://d/x"]
    #expect(endpoint(both) == "http://d/x")
  }

  @Test("Headers are percent-decoded; one that would break the request is not sent")
  func headers() throws {
    let (found, complaints) = settings([
      "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c",
      "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abc%3D, x-scope = 1 ,broken,a b=c,x=%0d%0aevil: 1",
    ])
    let settings = try #require(found)
    #expect(settings.headers.map(\.name) == ["authorization", "x-scope"])
    #expect(settings.headers.map(\.value) == ["Bearer abc=", "1"])
    #expect(complaints == Array(repeating: "OTEL_EXPORTER_OTLP_HEADERS", count: 3))
  }

  @Test("Who says it: OTEL_SERVICE_NAME before the resource's attributes before parley")
  func resource() throws {
    let endpoint = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"]
    func resource(_ more: [String: String]) -> [String] {
      settings(endpoint.merging(more) { $1 }).0?.resource.map { "\($0.0)=\($0.1)" } ?? []
    }
    #expect(resource([:]) == ["service.name=parley"])
    let attributes = ["OTEL_RESOURCE_ATTRIBUTES": "service.name=a,deployment.environment.name=b%20c"]
    #expect(resource(attributes) == ["service.name=a", "deployment.environment.name=b c"])
    #expect(resource(["OTEL_SERVICE_NAME": "voice"].merging(attributes) { $1 }).first == "service.name=voice")
  }

  @Test("What makes no sense is told and passed over")
  func nonsense() throws {
    let (found, complaints) = settings([
      "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_SAMPLER_ARG": "2", "OTEL_EXPORTER_OTLP_TIMEOUT": "soon",
      "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_BSP_SCHEDULE_DELAY": "250",
    ])
    let settings = try #require(found)
    #expect(settings.ratio == 1 && settings.timeout == .seconds(10) && settings.delay == .milliseconds(250))
    #expect(
      complaints == ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_TRACES_SAMPLER_ARG", "OTEL_EXPORTER_OTLP_TIMEOUT"])
    #expect(self.settings(["OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"]).0 == nil)
    #expect(self.settings(["OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"]).complaints.count == 1)
  }
}
