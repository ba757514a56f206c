// bus/slow_callers.cpp

#include "bus/slow_callers.h"

#include <iterator>
#include <utility>

namespace tidemark::bus {

void SlowCallers::send(const Bytes& caller, SteadyTime deadline, Bytes envelope) {
  if (deadline <= clock_.steady()) return;
  const auto size = envelope.size();
  if (!callers_.contains(caller)) {
    const auto sent = transport_.send_answer(caller, envelope);
    if (sent == Transport::Sent::kYes) counters_.bytes_sent += size;
    if (sent != Transport::Sent::kNotNow) return;
  }
  auto& queue = callers_[caller];
  if (!queue.waiting.empty() && queue.bytes + size > kWaitingBytesMax) {
    counters_.dropped += 1;
    return;
  }
  queue.bytes += size;
  queue.waiting.push_back(WaitingAnswer{deadline, std::move(envelope)});
}

void SlowCallers::send_waiting() {
  const auto now = clock_.steady();
  for (auto at = callers_.begin(); at != callers_.end();) {
    auto& [caller, queue] = *at;
    while (!queue.waiting.empty()) {
      auto& front = queue.waiting.front();
      const auto size = front.envelope.size();
      if (front.deadline > now) {
        if (transport_.send_answer(caller, front.envelope) == Transport::Sent::kNotNow) break;
        counters_.bytes_sent += size;
      }
      queue.bytes -= size;
      queue.waiting.pop_front();
    }
    at = queue.waiting.empty() ? callers_.erase(at) : std::next(at);
  }
}

}  // namespace tidemark::bus
