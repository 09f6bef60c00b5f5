#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Standard input, output and error of the process.
enum StandardStreams {
  /// Takes the places of those that are closed, so that no file and no connection gets their number: what is then
  /// written to "standard output" would end up in it. Writing to such a place fails, as it did before (fault row 66).
  static func hold() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", O_RDONLY)
    }
  }
}
