import NativeCode
import Dispatch
import Foundation
import Testing

@testable import VoiceEngine

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct DynamicLibraryTests {
  #if os(Linux)
    static let mathematics = "libm.so.6"
  #else
    static let mathematics = "libSystem.dylib"
  #endif

  @Test("the first candidate that exists is opened, and its functions can be called")
  func open() throws {
    let library = try DynamicLibrary.open(["libparley-nothing.so.1", Self.mathematics])
    #expect(library.name == Self.mathematics)
    let cosine = try library.symbol("cos", as: (@convention(c) (Double) -> Double).self)
    #expect(cosine(0) == 1)
  }

  @Test("a missing library is named with the linker's reason")
  func missingLibrary() {
    let fault = #expect(throws: DynamicLibraryFault.self) {
      try DynamicLibrary.open(["libparley-nothing.so.1", "/nowhere/libparley.so"])
    }
    #expect(fault?.library == "libparley-nothing.so.1, /nowhere/libparley.so")
    #expect(fault?.symbol == nil)
    #expect(fault?.reason.contains("libparley-nothing.so.1") == true)
    #expect(throws: DynamicLibraryFault(library: "", symbol: nil, reason: "no name was given")) {
      try DynamicLibrary.open([])
    }
  }

  @Test("a missing function is named")
  func missingFunction() throws {
    let library = try DynamicLibrary.open([Self.mathematics])
    let fault = #expect(throws: DynamicLibraryFault.self) {
      try library.symbol("parley_no_such_function", as: (@convention(c) () -> Void).self)
    }
    #expect(fault?.library == Self.mathematics)
    #expect(fault?.symbol == "parley_no_such_function")
  }

  @Test("a Swift function type is refused: it is no address")
  func swiftFunction() throws {
    let library = try DynamicLibrary.open([Self.mathematics])
    #expect(throws: DynamicLibraryFault.self) { try library.symbol("cos", as: ((Double) -> Double).self) }
  }

  @Test("a library with the wrong functions is refused as whisper, by name")
  func notWhisper() {
    let fault = #expect(throws: DynamicLibraryFault.self) { try WhisperLibrary(path: Self.mathematics) }
    #expect(fault?.symbol == "whisper_log_set")
  }

  actor Blocking {
    nonisolated let executor = NativeExecutor(label: "blocking")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private var count = 0

    func increment() { count += 1 }
    func total() -> Int { count }
    /// Blocks the thread until the other actor, which needs one too, has run.
    func wait(for semaphore: DispatchSemaphore) { semaphore.wait() }
    func signal(_ semaphore: DispatchSemaphore) { semaphore.signal() }
  }

  @Test("native executors run one job at a time")
  func serial() async {
    let actor = Blocking()
    await withTaskGroup { group in
      for _ in 0..<1_000 { group.addTask { await actor.increment() } }
    }
    #expect(await actor.total() == 1_000)
  }

  @Test("blocked native executors block neither each other nor the cooperative pool")
  func blocked() async {
    let blocked = (0..<16).map { _ in (actor: Blocking(), semaphore: DispatchSemaphore(value: 0)) }
    await withTaskGroup { group in
      for (actor, semaphore) in blocked { group.addTask { await actor.wait(for: semaphore) } }
      // Each needs the pool and an executor of its own while sixteen others are blocked.
      for (_, semaphore) in blocked { group.addTask { await Blocking().signal(semaphore) } }
    }
    for (actor, _) in blocked { #expect(await actor.total() == 0) }
  }
}

struct ELFFileTests {
  @Test("a library that was cut anywhere is told before the linker maps it", .enabled(if: RecognitionParts.haveWhisper))
  func cut() throws {
    let path = RecognitionParts.folder.library(WhisperLibrary.fileName)
    #expect(ELFFile.isWhole(path))
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("parley-\(UUID().uuidString).so")
    defer { try? FileManager.default.removeItem(at: file) }
    for count in [0, 3, 40, 63, 100, 4_000, whole.count / 2] {
      try whole.prefix(count).write(to: file)
      #expect(!ELFFile.isWhole(file.path), "\(count) bytes")
      #expect(throws: DynamicLibraryFault.self) { _ = try DynamicLibrary.open([file.path]) }
    }
    #expect(ELFFile.isWhole("/nowhere"), "the linker says it better")
  }
}
