import Foundation
import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The files of one process's spool: `DIR/spool/LANE/INSTANCE/`. The folder is locked for as long as the process lives, so
/// that two never write the same file, and what a dead one left behind can be told from what a live one has.
struct SpoolFolder: Sendable {
  let path: String
  private let lock: FolderLock

  /// Makes and locks the folder, and moves what processes left there that are gone.
  ///
  /// - Parameters:
  ///   - lane: `DIR/spool/LANE`.
  ///   - instance: a name that other processes with the same data folder do not have; where one has it all the same, a
  ///     number is added.
  init(lane: String, instance: String) throws(SpoolFault) {
    let safe = String(instance.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "_" }.prefix(64))
    for attempt in 1...64 {
      let path = "\(lane)/\(safe.isEmpty ? "parley" : safe)\(attempt == 1 ? "" : "-\(attempt)")"
      guard (try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)) != nil else {
        throw .noFolder
      }
      guard let lock = FolderLock(path) else { continue }
      self.path = path
      self.lock = lock
      adoptOrphans()
      return
    }
    throw .noFolder
  }

  private func file(_ segment: Int) -> String { Self.file(segment, in: path) }

  private static func file(_ segment: Int, in path: String) -> String {
    let digits = String(segment)
    return "\(path)/\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits).jsonl"
  }

  /// The segments that are there, oldest first.
  func segments() throws(SpoolFault) -> [(number: Int, bytes: Int)] { try Self.segments(in: path) }

  private static func segments(in path: String) throws(SpoolFault) -> [(number: Int, bytes: Int)] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { throw .unreadable }
    return names.compactMap { name -> (number: Int, bytes: Int)? in
      guard name.hasSuffix(".jsonl"), let number = Int(name.dropLast(6)), number > 0 else { return nil }
      let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
      return (number, (attributes?[.size] as? NSNumber)?.intValue ?? 0)
    }.sorted { $0.number < $1.number }
  }

  /// A new segment to write to.
  func create(_ segment: Int) throws(SpoolFault) -> FileHandle {
    let descriptor = open(file(segment), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .unwritable }
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// Nothing where somebody has removed the file: what was in it is lost, and the spool goes on with the next one.
  func read(_ segment: Int) throws(SpoolFault) -> [UInt8] {
    guard FileManager.default.fileExists(atPath: file(segment)) else { return [] }
    guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: file(segment))) else { throw .unreadable }
    return Array(bytes)
  }

  /// The segment is this from now on, or as it was.
  func replace(_ segment: Int, with bytes: ByteBuffer) throws(SpoolFault) {
    let draft = "\(path)/draft"
    unlink(draft)
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .unwritable }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      try handle.write(contentsOf: Data(bytes.readableBytesView))
      try handle.synchronize()
      try handle.close()
    } catch {
      unlink(draft)
      throw .unwritable
    }
    guard rename(draft, file(segment)) == 0 else { throw .unwritable }
  }

  func remove(_ segment: Int) { unlink(file(segment)) }

  // MARK: What is done with

  /// How far the first segment was read, as noted last.
  func position() -> Spool.Position? { Self.position(in: path) }

  private static func position(in path: String) -> Spool.Position? {
    guard let text = try? String(contentsOfFile: "\(path)/position", encoding: .utf8) else { return nil }
    let numbers = text.split(separator: " ").compactMap { Int($0) }
    guard numbers.count == 2, numbers[1] >= 0 else { return nil }
    return Spool.Position(segment: numbers[0], offset: numbers[1])
  }

  /// Notes how far the first segment was read, so that a process that comes after sends the rest only. Where that cannot
  /// be written, it sends the segment again, which does no harm.
  func note(_ position: Spool.Position) {
    let draft = "\(path)/position-draft"
    guard
      (try? "\(position.segment) \(position.offset) ".write(toFile: draft, atomically: false, encoding: .utf8)) != nil
    else { return }
    rename(draft, "\(path)/position")
  }

  func forgetPosition() { unlink("\(path)/position") }

  // MARK: Orphans

  /// Moves the segments of processes that are gone behind those that are here, in order, and removes their folders.
  func adoptOrphans() {
    let lane = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: lane)) ?? []).sorted()
    for name in names {
      let orphan = "\(lane)/\(name)"
      guard orphan != path, let orphanLock = FolderLock(orphan) else { continue }
      adopt(orphan)
      _ = orphanLock
    }
  }

  private func adopt(_ orphan: String) {
    guard let theirs = try? Self.segments(in: orphan), let ours = try? segments() else { return }
    var number = ours.last?.number ?? 0
    let done = Self.position(in: orphan)
    for segment in theirs {
      let source = Self.file(segment.number, in: orphan)
      number += 1
      // A segment that was read in part is moved in part: the part that was read is not told again.
      if let done, done.segment == segment.number, done.offset > 0 {
        guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: source)) else { return }
        guard (try? replace(number, with: ByteBuffer(bytes: bytes.dropFirst(done.offset)))) != nil else { return }
        unlink(source)
      } else {
        guard rename(source, file(number)) == 0 else { return }
      }
    }
    try? FileManager.default.removeItem(atPath: orphan)
  }
}

/// Holds `FOLDER/lock` for as long as it lives; the system lets go of it when the process ends, however it ends.
final class FolderLock: Sendable {
  private let descriptor: CInt

  /// Nil where another process has it, or the folder cannot be written to.
  init?(_ folder: String) {
    let descriptor = open("\(folder)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    // Whoever adopts the folder removes it: the lock of a file that is no longer there locks nothing.
    var locked = stat()
    var named = stat()
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &locked) == 0,
      stat("\(folder)/lock", &named) == 0, locked.st_ino == named.st_ino, locked.st_dev == named.st_dev
    else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
