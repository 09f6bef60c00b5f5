#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What tells one content of a file from another without reading it. Links are followed: who mounts a configuration swaps a
/// link for another.
struct FileStamp: Sendable, Hashable {
  private var device: UInt64
  private var inode: UInt64
  private var size: Int64
  private var seconds: Int64
  private var nanoseconds: Int64

  /// Nil where there is no file, or none that can be seen.
  init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  // The time of the last change of the node is left out: renaming changes it.
  private init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(truncatingIfNeeded: status.st_ino)
    size = Int64(status.st_size)
    #if canImport(Darwin)
      seconds = Int64(status.st_mtimespec.tv_sec)
      nanoseconds = Int64(status.st_mtimespec.tv_nsec)
    #else
      seconds = Int64(status.st_mtim.tv_sec)
      nanoseconds = Int64(status.st_mtim.tv_nsec)
    #endif
  }
}

/// Why a file could not be written. What was there before is there still, unharmed.
struct SavingFault: Error, Sendable, Hashable {
  /// The system's word for it.
  var reason: String
  /// No room: of the disk, of a quota, or of what a file may have.
  var isFull: Bool

  init(errno code: Int32) {
    reason = String(cString: strerror(code))
    isFull = [ENOSPC, EDQUOT, EFBIG].contains(code)
  }
}

/// A file that is there as it was or as it will be, at every moment: also after a power cut.
enum AtomicFile {
  /// Writes beside the file, makes sure of it, and puts it in the old one's place.
  ///
  /// The new file has the rights and, where that is allowed, the owner of the old one; 0600 where there was none. A link is
  /// followed, and stays.
  ///
  /// - Returns: the stamp of the new file.
  static func write(_ text: String, to path: String) throws(SavingFault) -> FileStamp? {
    let target = destination(of: path)
    let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? "./"
    // Nobody else's: replicas may share the folder.
    let temporary = "\(target).\(String(UInt64.random(in: 0 ... .max), radix: 36)).new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SavingFault(errno: errno) }
    var isDone = false
    defer {
      close(descriptor)
      if !isDone { unlink(temporary) }
    }
    var old = stat()
    if stat(target, &old) == 0 {
      // Who is not the superuser cannot give a file away; then it belongs to this process.
      _ = fchown(descriptor, old.st_uid, old.st_gid)
      guard fchmod(descriptor, old.st_mode & 0o7777) == 0 else { throw SavingFault(errno: errno) }
    }
    try writeAll(Array(text.utf8), to: descriptor)
    guard fsync(descriptor) == 0 else { throw SavingFault(errno: errno) }
    let stamp = FileStamp(descriptor: descriptor)
    guard rename(temporary, target) == 0 else { throw SavingFault(errno: errno) }
    isDone = true
    // The name is a part of the folder.
    let place = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if place >= 0 {
      fsync(place)
      close(place)
    }
    return stamp
  }

  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(SavingFault) {
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { rest in
        rest.baseAddress.map { systemWrite(descriptor, $0, rest.count) } ?? 0
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw SavingFault(errno: errno)
      }
      written += count
    }
  }

  private static func systemWrite(_ descriptor: Int32, _ base: UnsafeRawPointer, _ count: Int) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, base, count)
    #elseif canImport(Musl)
      Musl.write(descriptor, base, count)
    #else
      Darwin.write(descriptor, base, count)
    #endif
  }

  /// Where a link leads to; the path itself where it is none, or leads nowhere.
  private static func destination(of path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Makes a folder and those around it.
  static func makeFolder(_ path: String) {
    var made = ""
    for piece in path.split(separator: "/", omittingEmptySubsequences: false) {
      made += piece
      if !made.isEmpty { mkdir(made, 0o755) }
      made += "/"
    }
  }

  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path.isEmpty ? "." : path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
