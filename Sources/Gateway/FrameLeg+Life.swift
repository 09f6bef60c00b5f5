import NIOCore
import WebSocketWire

// Whether the peer still lives, and whether it takes what it is sent.

extension FrameLeg {
  func schedulePulse(_ context: ChannelHandlerContext) {
    pulseTask = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limits.pingInterval)) { self.beat() }
  }

  func beat() {
    guard phase == .open, let context else { return }
    // Whoever is not being read cannot be heard, and who has much to take has another watch.
    if !pauses.isEmpty || isWatchedForStall { pulse.heard() }
    if let delivery = Delivery.of(context.channel), delivery.isUnderWay { pulse.took(delivery.ackedBytes) }
    guard pulse.beat(at: context.eventLoop.now) else {
      end(.silent)
      drop()
      return
    }
    reuseOutbound()
    connection.ping(ByteBuffer().readableBytesView)
    flush()
    schedulePulse(context)
  }

  /// A client that takes nothing is dropped for that; a provider is only as slow as its pongs.
  private var isWatchedForStall: Bool { role == .server && isBusy }

  func watchForStall(_ context: ChannelHandlerContext) {
    stallTask?.cancel()
    stallTask = nil
    guard isWatchedForStall else { return }
    checkStall(context, isFirst: true)
  }

  func checkStall(_ context: ChannelHandlerContext, isFirst: Bool) {
    guard context.channel.isActive, isBusy,
      let waiting = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
    else { return }
    guard stallWatch.check(waiting: waiting, at: context.eventLoop.now, isFirst: isFirst) else {
      end(.stalled)
      drop()
      return
    }
    let delay = TimeAmount(limits.peerStall / 4)
    stallTask = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
      guard let context = self.context else { return }
      self.checkStall(context, isFirst: false)
    }
  }

  func cancelTasks() {
    for task in [pulseTask, endTask, stallTask] { task?.cancel() }
    (pulseTask, endTask, stallTask) = (nil, nil, nil)
  }
}
