#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A line on standard error.
func printError(_ line: String) {
  write(line, to: STDERR_FILENO)
}

/// A line on standard output that is there at once, also when the output is a pipe.
func printLive(_ line: String) {
  write(line, to: STDOUT_FILENO)
}

private func write(_ line: String, to file: Int32) {
  let bytes = Array((line + "\n").utf8)
  var sent = 0
  while sent < bytes.count {
    let count = bytes[sent...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    guard count > 0 else { return }
    sent += count
  }
}
