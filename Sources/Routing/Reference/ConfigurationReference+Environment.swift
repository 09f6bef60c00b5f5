extension ConfigurationReference {
  /// Variables of the environment, but for those of the voice engine's settings.
  public static let environment = ReferenceTable(
    name: "environment", columns: ["variable", "meaning"],
    rows: variables.map { [code($0.names), $0.meaning] })

  /// The names of `environment`.
  public static let variableNames = variables.flatMap(\.names)

  private static let variables: [(names: [String], meaning: String)] = [
    (["PARLEY_DEFAULT_PROVIDER"], "comes before `default` of the file"),
    (["PARLEY_CONTACT"], "comes before `contact` of the file"),
    (["ENGINE_API_KEY"], "the operator's key, where the file has no `access.admin`"),
    (["JWT_SECRET"], "the secret of ephemeral tokens, where the file has no `tokens.secrets`"),
    (["PUBLIC_WS_URL"], "where holders of tokens are told to connect, where the file has no `tokens.publicURL`"),
    (
      ["PARLEY_DATA"],
      "the data folder, for usage and the parts of the voice engine; without it `/app/data` where that is, else `./data`"
    ),
    (
      ["RUNTIME_CONFIG_PATH"],
      "the file of the [runtime configuration](local-engine.md), where no `--runtime-config` is"
    ),
    (["PARLEY_LOG_FORMAT"], "`text` or `json`, where no `--log-format` is"),
    (["PARLEY_LOG_LEVEL"], "the least that is logged, where no `--log-level` is"),
    (
      ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"],
      "where traces are sent as OTLP over HTTP, the second with `/v1/traces` behind it; no traces without one"
    ),
    (
      ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"],
      "fields of these requests: `name=value`, with commas between, values percent-encoded"
    ),
    (
      ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"],
      "what such a request may take, in milliseconds; 10,000 without it"
    ),
    (["OTEL_BSP_SCHEDULE_DELAY"], "how long spans wait for others, in milliseconds; 1,000 without it"),
    (["OTEL_SERVICE_NAME"], "the service's name in traces; `parley` without it"),
    (["OTEL_RESOURCE_ATTRIBUTES"], "more of the service: `name=value`, with commas between"),
    (
      ["OTEL_TRACES_SAMPLER_ARG"],
      "the share of traces that are kept, 0 to 1, where Parley is the first of them; 1 without it"
    ),
    (["OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED"], "`none`, or `true`: no traces"),
    (["https_proxy", "HTTPS_PROXY"], "the [proxy](#addresses-and-proxies) of `wss://` and `https://` connections"),
    (
      ["http_proxy", "HTTP_PROXY"],
      "the proxy of `ws://` and `http://` connections; in upper case not where `REQUEST_METHOD` is set"
    ),
    (["all_proxy", "ALL_PROXY"], "the proxy of both, where they have none of their own"),
    (["no_proxy", "NO_PROXY"], "what goes straight, [below](#addresses-and-proxies)"),
  ]
}
