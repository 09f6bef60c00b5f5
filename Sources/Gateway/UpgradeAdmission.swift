import Access
import HTTPWire
import Metering
import NIOCore

/// Decides who may open a WebSocket, before the 101: paths, credentials, the choice of a provider.
protocol UpgradeAdmission: Sendable {
  /// Whether the path belongs to the WebSocket side rather than to the HTTP surface.
  func owns(path: String) -> Bool

  /// Judges an upgrade request that is sound by RFC 6455. Called on the connection's event loop.
  func admit(_ head: RequestHead, from peer: ConnectionPeer) -> Admission

  /// The client was refused because the verdict took too long.
  func gaveUp(_ refusal: Refusal)
}

extension UpgradeAdmission {
  func gaveUp(_ refusal: Refusal) {}
}

/// Where a request comes from.
struct ConnectionPeer {
  /// The IP address of the TCP connection, not a forwarded one; nil where it has none.
  var address: String?
  var loop: any EventLoop
  /// When the connection is gone.
  var closed: EventLoopFuture<Void>
}

/// The verdict on an upgrade request.
enum Admission {
  case refuse(Refusal)
  /// `subprotocol` is echoed. `begin` runs right after the 101 has been queued and gives the leg its owner.
  case accept(subprotocol: String?, begin: (FrameLeg) -> Void)
  /// Only a store tells. The future never fails; `then` runs on the connection's event loop, unless the client has left.
  case later(EventLoopFuture<AdmissionGrant>, then: (AdmissionGrant) -> Admission)
}

/// What a store has said about a request at the gate.
enum AdmissionGrant: Sendable {
  /// What it knows of a key: nil for one that it does not have.
  case key(Result<KeyRecord?, StorageFault>)
  /// What all replicas together say to one session more: nil for yes.
  case seat(LimitRefusal?)
}

/// Where no sessions are served: every path belongs to the HTTP surface.
struct NoSessions: UpgradeAdmission {
  func owns(path: String) -> Bool { false }

  func admit(_ head: RequestHead, from peer: ConnectionPeer) -> Admission {
    .refuse(Refusal(status: 404, code: "not_found", message: "There is nothing here."))
  }
}

/// Admits everybody everywhere to an echo.
struct EchoAdmission: UpgradeAdmission {
  func owns(path: String) -> Bool { true }

  func admit(_ head: RequestHead, from peer: ConnectionPeer) -> Admission {
    .accept(subprotocol: nil) { $0.setOwner(EchoOwner()) }
  }
}

/// The checks of RFC 6455 section 4.2.1 on a request whose head is sound (fault rows 1 to 4).
enum UpgradeCheck {
  /// Nil when the request may become a WebSocket.
  static func refusal(for head: RequestHead, isValidKey: (String) -> Bool) -> Refusal? {
    guard head.method == "GET" else { return FaultResponse.methodNotAllowed }
    guard head.tokens(of: "upgrade").contains("websocket"), head.tokens(of: "connection").contains("upgrade") else {
      return FaultResponse.upgradeRequired
    }
    guard head.body == .none else { return FaultResponse.bodyOnUpgrade }
    guard head.values(of: "sec-websocket-version") == ["13"] else { return FaultResponse.versionNotSupported }
    let keys = head.values(of: "sec-websocket-key")
    guard keys.count == 1, let key = keys.first, isValidKey(key) else { return FaultResponse.malformedKey }
    return nil
  }
}
