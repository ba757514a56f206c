// bus/memory_link.h
//
// The link contract in one process, with no library: for tests, which can also lose frames.
// Frames and envelopes are encoded and decoded as on a wire.

#pragma once

#include <cstddef>
#include <memory>

#include "bus/link.h"

namespace tidemark::bus {

class MemoryHub;

class MemoryBus {
 public:
  MemoryBus();

  /// A link of `self` on this bus; the bus may go before its links. A second link of the same
  /// node takes the place of the first. Threads: any.
  std::unique_ptr<Link> open(NodeInfo self);

  /// Loses the next `count` frames of a stream on their way to everybody; heartbeats arrive.
  void drop_next(StreamId stream, std::size_t count);

 private:
  const std::shared_ptr<MemoryHub> hub_;
};

}  // namespace tidemark::bus
