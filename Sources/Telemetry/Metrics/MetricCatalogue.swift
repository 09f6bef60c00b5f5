/// Every metric that the process exports. Labels have closed sets of values: `provider` is a name of the configuration,
/// every other one a word of the code.
public enum MetricCatalogue {
  /// For how long somebody waits in a conversation: dense between 0.1 s and 1 s, where a pause starts to be felt.
  static let voiceSeconds: [Double] = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 1.5, 2, 3, 5, 10]
  /// What Parley itself adds.
  static let shareSeconds: [Double] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
  static let sessionSeconds: [Double] = [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200]

  /// All, in the order in which they are exported.
  public static let all: [MetricDefinition] = sessions + traffic + turns + upstreams + ledger + process

  static let sessions = [
    MetricDefinition(
      "parley_realtime_sessions", .gauge, "Sessions that are open now", labels: ["provider"]),
    MetricDefinition(
      "parley_sessions_total", .counter, "Sessions that began", labels: ["provider"]),
    MetricDefinition(
      "parley_sessions_refused_total", .counter,
      "Requests for a session that were refused, by the code of the error that the client was told",
      labels: ["reason"]),
    MetricDefinition(
      "parley_sessions_ended_total", .counter,
      "Sessions that ended, by who caused a bad end: none, downstream (the client), upstream (the provider), gateway",
      labels: ["provider", "source"]),
    MetricDefinition(
      "parley_session_seconds", .histogram(buckets: sessionSeconds), "How long sessions lasted",
      labels: ["provider"]),
  ]

  static let traffic = [
    MetricDefinition(
      "parley_frames_total", .counter, "WebSocket messages, by leg (client, upstream) and direction (in, out)",
      labels: ["provider", "leg", "direction"]),
    MetricDefinition(
      "parley_bytes_total", .counter, "Bytes of WebSocket messages, by leg (client, upstream) and direction (in, out)",
      labels: ["provider", "leg", "direction"]),
    MetricDefinition(
      "parley_errors_total", .counter,
      "Error events that clients were sent, by who caused them: downstream, upstream, gateway",
      labels: ["provider", "source"]),
    MetricDefinition(
      "parley_fields_without_counterpart_total", .counter,
      "Settings that clients asked for and that the provider does not have", labels: ["provider", "field"]),
  ]

  static let turns = [
    MetricDefinition(
      "parley_turns_total", .counter, "Answers that ended: completed, cancelled, failed, incomplete",
      labels: ["provider", "outcome"]),
    MetricDefinition(
      "parley_turn_first_audio_seconds", .histogram(buckets: voiceSeconds),
      "From the end of speech to the first audio of the answer, as the client sees it", labels: ["provider"]),
    MetricDefinition(
      "parley_turn_upstream_seconds", .histogram(buckets: voiceSeconds),
      "The provider's share of the time from the end of speech to the first audio", labels: ["provider"]),
    MetricDefinition(
      "parley_turn_gateway_seconds", .histogram(buckets: shareSeconds),
      "Parley's own share of the time from the end of speech to the first audio", labels: ["provider"]),
    MetricDefinition(
      "parley_barge_in_silence_seconds", .histogram(buckets: voiceSeconds),
      "From an interruption of a speaking answer until none of its audio is sent any more", labels: ["provider"]),
  ]

  static let upstreams = [
    MetricDefinition(
      "parley_upstream_connect_seconds", .histogram(buckets: voiceSeconds),
      "How long it took to open the connection to the provider", labels: ["provider"]),
    MetricDefinition(
      "parley_upstream_reconnects_total", .counter,
      "Connections to the provider that sessions lost or renewed: hidden from the client, or told to it",
      labels: ["provider", "outcome"]),
    MetricDefinition(
      "parley_shared_limits_unavailable_total", .counter,
      "Decisions made without the shared limits, because their database did not answer"),
  ]

  static let ledger = [
    MetricDefinition(
      "parley_usage_written_total", .counter, "Usage records that a sink has taken", labels: ["lane"]),
    MetricDefinition(
      "parley_usage_spooled_total", .counter, "Usage records that waited on disk for their sink", labels: ["lane"]),
    MetricDefinition(
      "parley_usage_dropped_total", .counter, "Usage records that are lost", labels: ["lane"]),
  ]

  static let process = [
    MetricDefinition("parley_draining", .gauge, "1 while no new sessions are taken because the process is to stop"),
    MetricDefinition(
      "parley_configuration_reloads_total", .counter, "Changes of the configuration: applied, refused",
      labels: ["outcome"]),
    MetricDefinition(
      "parley_configuration_current", .gauge,
      "1 if the configuration in use is what the files say, 0 if a newer one was refused"),
    MetricDefinition(
      "parley_certificate_expiry_timestamp_seconds", .gauge, "When the certificate of a listener ends (Unix time)",
      labels: ["listener"]),
    MetricDefinition(
      "parley_certificate_reloads_total", .counter, "Changes of the certificate of a listener: applied, refused",
      labels: ["listener", "outcome"]),
    MetricDefinition(
      "parley_log_lines_dropped_total", .counter, "Log lines that could not be written"),
    MetricDefinition(
      "parley_spans_dropped_total", .counter, "Spans that the collector did not get"),
    MetricDefinition("parley_build_info", .gauge, "Always 1; the version is the label", labels: ["version"]),
    MetricDefinition("process_resident_memory_bytes", .gauge, "Memory of the process that is in RAM"),
    MetricDefinition("process_open_fds", .gauge, "File descriptors that are open"),
    MetricDefinition("process_max_fds", .gauge, "File descriptors that may be open"),
    MetricDefinition("process_cpu_seconds_total", .counter, "Processor time of the process, user and system"),
    MetricDefinition("process_start_time_seconds", .gauge, "When the process began (Unix time)"),
  ]
}
