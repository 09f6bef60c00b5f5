import Foundation

/// A look at a shared library before the linker maps it: a file that was cut ends the process with a signal when its missing
/// end is touched.
public enum ELFFile {
  /// Whether the file is an ELF file of 64 bits that has all that its program headers speak of. A file that cannot be read
  /// is for the linker to complain of, and counts as whole.
  public static func isWhole(_ path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return true }
    defer { try? file.close() }
    guard let size = try? file.seekToEnd(), (try? file.seek(toOffset: 0)) != nil else { return true }
    // Nil at the end of the file.
    let bytes = Array((try? file.read(upToCount: 4_096)) ?? Data())
    guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]), let start = number(bytes, at: 0x20, bytes: 8),
      let entry = number(bytes, at: 0x36, bytes: 2), let count = number(bytes, at: 0x38, bytes: 2), count > 0
    else { return false }
    for index in 0..<count {
      let (place, overflow) = start.addingReportingOverflow(index * entry)
      guard !overflow, let offset = number(bytes, at: place, bytes: 8, plus: 8),
        let length = number(bytes, at: place, bytes: 8, plus: 32)
      else { return false }
      let (end, endOverflow) = offset.addingReportingOverflow(length)
      guard !endOverflow, end <= size else { return false }
    }
    return true
  }

  /// Little-endian; nil where the bytes end before.
  private static func number(_ bytes: [UInt8], at place: UInt64, bytes count: Int, plus: UInt64 = 0) -> UInt64? {
    guard place < 4_096 else { return nil }
    let start = Int(place + plus)
    guard start + count <= bytes.count else { return nil }
    return bytes[start..<(start + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
