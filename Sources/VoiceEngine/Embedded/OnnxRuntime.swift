import NativeCode
import CSpeech

/// ONNX Runtime's C interface, taken from its table of functions by position: every version only appends to the table,
/// so no header is needed. Confined to the actor that opened it.
final class OnnxRuntime {
  let version: String
  fileprivate let stage: StageName
  private let table: UnsafePointer<UnsafeRawPointer?>
  private var environment: OpaquePointer?

  /// - Parameters:
  ///   - path: of the library.
  ///   - stage: whose faults are thrown.
  init(path: String, stage: StageName) throws(StageFault) {
    self.stage = stage
    let base: UnsafePointer<parley_ort_api_base>?
    do throws(DynamicLibraryFault) {
      let library = try DynamicLibrary.open([path])
      base = try library.symbol("OrtGetApiBase", as: parley_ort_get_api_base.self)()
    } catch {
      throw Self.unavailable(stage, "ONNX Runtime is not installed: \(error)")
    }
    guard let base, let table = base.pointee.get_api(UInt32(PARLEY_ORT_API_VERSION)) else {
      throw Self.unavailable(stage, "ONNX Runtime at \(path) is older than 1.14")
    }
    self.table = table
    version = base.pointee.get_version_string().map { String(cString: $0) } ?? ""
    let create = function(PARLEY_ORT_CREATE_ENV, as: parley_ort_create_env.self)
    try check(create(Int32(PARLEY_ORT_LOG_ERROR), "parley", &environment), "ONNX Runtime cannot start")
  }

  deinit {
    release(environment, with: PARLEY_ORT_RELEASE_ENV)
  }

  /// Loads a model that is computed on one thread: more of them spin between runs and starve the other stages.
  func session(model path: String, name: String) throws(StageFault) -> OnnxSession {
    var options: OpaquePointer?
    let createOptions = function(PARLEY_ORT_CREATE_SESSION_OPTIONS, as: parley_ort_create_session_options.self)
    try check(createOptions(&options), "ONNX Runtime cannot start")
    defer { release(options, with: PARLEY_ORT_RELEASE_SESSION_OPTIONS) }
    for slot in [PARLEY_ORT_SET_INTRA_OP_THREADS, PARLEY_ORT_SET_INTER_OP_THREADS] {
      try check(function(slot, as: parley_ort_set_threads.self)(options, 1), "ONNX Runtime cannot start")
    }
    var session: OpaquePointer?
    let create = function(PARLEY_ORT_CREATE_SESSION, as: parley_ort_create_session.self)
    do throws(StageFault) {
      try check(create(environment, path, options, &session), "\(name) is not a model that can be loaded")
    } catch {
      throw StageFault(stage, code: "model_file_invalid", message: error.message)
    }
    return try OnnxSession(runtime: self, session: session)
  }

  // MARK: The table

  fileprivate func function<T>(_ slot: some BinaryInteger, as type: T.Type) -> T {
    unsafeBitCast(table[Int(slot)], to: type)
  }

  fileprivate func release(_ object: OpaquePointer?, with slot: some BinaryInteger) {
    guard let object else { return }
    function(slot, as: parley_ort_release.self)(UnsafeMutableRawPointer(object))
  }

  /// Throws what the status says, after `context`; releases it.
  fileprivate func check(_ status: OpaquePointer?, _ context: String) throws(StageFault) {
    guard let status else { return }
    let message = function(PARLEY_ORT_GET_ERROR_MESSAGE, as: parley_ort_get_error_message.self)(status)
    let reason = message.map { String(cString: $0) } ?? "no reason given"
    release(status, with: PARLEY_ORT_RELEASE_STATUS)
    throw Self.unavailable(stage, "\(context): \(reason)")
  }

  private static func unavailable(_ stage: StageName, _ message: String) -> StageFault {
    StageFault(stage, code: "\(stage.rawValue)_unavailable", message: message)
  }
}

/// A tensor that goes into a model.
struct OnnxTensor {
  enum Elements {
    case float([Float])
    case int64([Int64])
  }

  var name: String
  var shape: [Int64]
  var elements: Elements
}

/// A model that was loaded.
final class OnnxSession {
  /// What one run may give at the most: ten minutes of speech, far beyond any clause.
  private static let maximumElements = 48_000 * 600

  private let runtime: OnnxRuntime
  private let session: OpaquePointer?
  private let memory: OpaquePointer?

  fileprivate init(runtime: OnnxRuntime, session: OpaquePointer?) throws(StageFault) {
    self.runtime = runtime
    self.session = session
    var memory: OpaquePointer?
    let create = runtime.function(PARLEY_ORT_CREATE_CPU_MEMORY_INFO, as: parley_ort_create_cpu_memory_info.self)
    do throws(StageFault) {
      try runtime.check(create(0, 0, &memory), "ONNX Runtime cannot start")
    } catch {
      runtime.release(session, with: PARLEY_ORT_RELEASE_SESSION)
      throw error
    }
    self.memory = memory
  }

  deinit {
    runtime.release(memory, with: PARLEY_ORT_RELEASE_MEMORY_INFO)
    runtime.release(session, with: PARLEY_ORT_RELEASE_SESSION)
  }

  /// Computes the one output of the model, which is of floats.
  func run(_ inputs: [OnnxTensor], output: String) throws(StageFault) -> [Float] {
    let result = feed(inputs[...], names: [], values: []) { names, values in self.run(names, values, output) }
    return try result.get()
  }

  /// Makes a value of each input in turn. A value does not copy: the buffers stay in place until `body` has returned.
  private func feed(
    _ inputs: ArraySlice<OnnxTensor>, names: [UnsafePointer<CChar>?], values: [OpaquePointer?],
    _ body: ([UnsafePointer<CChar>?], [OpaquePointer?]) -> Result<[Float], StageFault>
  ) -> Result<[Float], StageFault> {
    guard let input = inputs.first else { return body(names, values) }
    return input.name.withCString { name in
      withBytes(of: input) { bytes, type in
        var value: OpaquePointer?
        defer { runtime.release(value, with: PARLEY_ORT_RELEASE_VALUE) }
        let create = runtime.function(PARLEY_ORT_CREATE_TENSOR_WITH_DATA, as: parley_ort_create_tensor.self)
        do throws(StageFault) {
          try runtime.check(
            create(memory, bytes.baseAddress, bytes.count, input.shape, input.shape.count, type, &value),
            "the input '\(input.name)' cannot be made")
        } catch {
          return .failure(error)
        }
        return feed(inputs.dropFirst(), names: names + [name], values: values + [value], body)
      }
    }
  }

  private func withBytes(
    of tensor: OnnxTensor, _ body: (UnsafeMutableRawBufferPointer, Int32) -> Result<[Float], StageFault>
  ) -> Result<[Float], StageFault> {
    switch tensor.elements {
    case .float(var elements): elements.withUnsafeMutableBytes { body($0, Int32(PARLEY_ORT_FLOAT)) }
    case .int64(var elements): elements.withUnsafeMutableBytes { body($0, Int32(PARLEY_ORT_INT64)) }
    }
  }

  private func run(
    _ names: [UnsafePointer<CChar>?], _ values: [OpaquePointer?], _ output: String
  ) -> Result<[Float], StageFault> {
    let run = runtime.function(PARLEY_ORT_RUN, as: parley_ort_run.self)
    var result: OpaquePointer?
    defer { runtime.release(result, with: PARLEY_ORT_RELEASE_VALUE) }
    let status = output.withCString { outputName in
      var outputName: UnsafePointer<CChar>? = outputName
      return run(session, nil, names, values, values.count, &outputName, 1, &result)
    }
    do throws(StageFault) {
      try runtime.check(status, "the model cannot be computed")
      return .success(try floats(of: result))
    } catch {
      return .failure(error)
    }
  }

  private func floats(of value: OpaquePointer?) throws(StageFault) -> [Float] {
    var shape: OpaquePointer?
    defer { runtime.release(shape, with: PARLEY_ORT_RELEASE_TYPE_AND_SHAPE) }
    let getShape = runtime.function(PARLEY_ORT_GET_TYPE_AND_SHAPE, as: parley_ort_get_shape.self)
    try runtime.check(getShape(value, &shape), "the output has no shape")
    var type: Int32 = 0
    let getType = runtime.function(PARLEY_ORT_GET_ELEMENT_TYPE, as: parley_ort_get_element_type.self)
    try runtime.check(getType(shape, &type), "the output has no type")
    // Elements of another width would be read beyond their end.
    guard type == Int32(PARLEY_ORT_FLOAT) else {
      throw StageFault(
        runtime.stage, code: "model_file_invalid", message: "the model's output is not of 32-bit floats")
    }
    var count = 0
    let getCount = runtime.function(PARLEY_ORT_GET_ELEMENT_COUNT, as: parley_ort_get_element_count.self)
    try runtime.check(getCount(shape, &count), "the output has no shape")
    var address: UnsafeMutableRawPointer?
    let getAddress = runtime.function(PARLEY_ORT_GET_TENSOR_DATA, as: parley_ort_get_tensor_data.self)
    try runtime.check(getAddress(value, &address), "the output is not a tensor")
    guard let address, (0...Self.maximumElements).contains(count) else { return [] }
    return Array(UnsafeBufferPointer(start: address.assumingMemoryBound(to: Float.self), count: count))
  }
}
