import Envelope
import Foundation
import Hummingbird
import Routing

/// The query of a request. Hummingbird's own reading keeps a badly escaped value as it came, and takes one of several.
struct QueryFields {
  private let target: RequestTarget

  /// - Parameter known: the names that there are; nil where others are let be.
  /// - Throws: 400 `unknown_parameter`.
  init(_ request: Request, known: [String]?) throws(HTTPFault) {
    target = RequestTarget(request.uri.string)
    guard let known else { return }
    for pair in (request.uri.query ?? "").split(whereSeparator: { $0 == "&" || $0 == "?" }) {
      let written = String(pair.prefix { $0 != "=" })
      let name = written.removingPercentEncoding ?? written
      if !known.contains(name) { throw .unknownParameter(name) }
    }
  }

  /// The value of a parameter; nil if it is absent or empty.
  ///
  /// - Throws: 400 `invalid_value` where its escapes are malformed, it comes twice with different values or is longer
  ///   than `most` Unicode scalars.
  func value(_ name: String, most: Int = 256) throws(HTTPFault) -> String? {
    let values = target.values(of: name)
    guard let first = values.first else { return nil }
    guard let first else { throw malformed(name) }
    guard values.allSatisfy({ $0 == first }) else {
      throw HTTPFault(.invalidValue(param: name, because: "it is given twice with different values."))
    }
    guard first.unicodeScalars.count <= most,
      !first.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else { throw malformed(name) }
    return first.isEmpty ? nil : first
  }

  private func malformed(_ name: String) -> HTTPFault {
    HTTPFault(.invalidValue(param: name, because: "it is malformed."))
  }
}
