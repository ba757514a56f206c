#include "bus/change.h"

#include <optional>

namespace tidemark::bus {

void on_change(Link& link, FrameClass frame_class, StreamId stream, std::function<void()> changed) {
  link.subscribe(
      frame_class, stream,
      [changed = std::move(changed),
       heard = std::optional<std::pair<Incarnation, std::uint64_t>>()](const Frame& frame) mutable {
        const auto& header = frame.header;
        const auto last = header.count == 0 ? header.sequence : header.sequence + header.count - 1;
        const auto now = std::pair(header.incarnation, last);
        if (heard && now <= *heard) return;
        heard = now;
        changed();
      });
}

}  // namespace tidemark::bus
