import HTTPWire
import Routing
import Synchronization

/// What new connections get: made from one reading of the configuration, never changed, only replaced. A session keeps the
/// one that it began with (R112).
struct Generation: Sendable {
  let limits: EdgeLimits
  /// Of each listener, in their order.
  let faces: [ListenerFace]
  /// Nil of a server without a configuration.
  var sessions: RealtimeAdmission?
}

/// What is behind an address.
struct ListenerFace: Sendable {
  var admission: any UpgradeAdmission
  /// Nil where there is nothing but WebSockets.
  var answer: HTTPSurface.Answer?
}

/// The generation in force.
final class Generations: Sendable {
  private let state: Mutex<Generation>

  init(_ first: Generation) {
    state = Mutex(first)
  }

  var current: Generation { state.withLock { $0 } }

  func replace(with next: Generation) { state.withLock { $0 = next } }
}

/// Judges by the generation in force, also on connections that were there before it.
struct CurrentAdmission: UpgradeAdmission {
  let generations: Generations
  /// The position of the listener.
  let index: Int

  func owns(path: String) -> Bool { generations.current.faces[index].admission.owns(path: path) }

  func admit(_ head: RequestHead, from peer: ConnectionPeer) -> Admission {
    generations.current.faces[index].admission.admit(head, from: peer)
  }

  func gaveUp(_ refusal: Refusal) { generations.current.faces[index].admission.gaveUp(refusal) }
}
