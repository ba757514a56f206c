#include "epics/put_window.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace tidemark::epics {

PutWindow::PutWindow(std::uint32_t per_host_max) : per_host_max_(std::max(per_host_max, 1u)) {}

void PutWindow::add(const std::string& host, PutLane lane, PutId id, Duration timeout) {
  TIDEMARK_CHECK(puts_.try_emplace(id, Put{lane, timeout, std::nullopt}).second);
  auto& queue = lanes_[lane];
  if (queue.puts.empty()) {
    queue.host = host;
    hosts_[host].ready.push_back(lane);
  }
  queue.puts.push_back(id);
}

std::vector<PutId> PutWindow::next(SteadyTime now) {
  std::vector<PutId> sent;
  for (auto at = hosts_.begin(); at != hosts_.end();) {
    auto& [name, host] = *at;
    while (host.in_flight < per_host_max_ && !host.ready.empty()) {
      const auto lane = lanes_.find(host.ready.front());
      host.ready.pop_front();
      if (lane == lanes_.end() || lane->second.host != name) continue;  // It was lost.
      const auto id = lane->second.puts.front();
      auto& put = puts_.at(id);
      if (put.deadline) continue;  // The lane was lost and came back: it was queued twice.
      put.deadline = now + put.timeout;
      deadlines_.emplace(*put.deadline, id);
      ++host.in_flight;
      sent.push_back(id);
    }
    const bool idle = host.in_flight == 0 && host.ready.empty();
    at = idle ? hosts_.erase(at) : std::next(at);
  }
  return sent;
}

bool PutWindow::complete(PutId id) {
  const auto put = puts_.find(id);
  if (put == puts_.end() || !put->second.deadline) return false;
  leave(id);
  return true;
}

PutWindow::Lost PutWindow::lose(PutLane lane) {
  Lost lost;
  const auto found = lanes_.find(lane);
  if (found == lanes_.end()) return lost;
  auto& puts = found->second.puts;
  for (auto id = puts.begin() + 1; id != puts.end(); ++id) {
    lost.waiting.push_back(*id);
    puts_.erase(*id);
  }
  puts.resize(1);
  const auto first = puts.front();
  if (puts_.at(first).deadline) {
    lost.in_flight.push_back(first);
    leave(first);
  } else {
    lost.waiting.insert(lost.waiting.begin(), first);
    puts_.erase(first);
    lanes_.erase(found);  // The host's queue still names it, and next() skips it.
  }
  return lost;
}

std::vector<PutId> PutWindow::expire(SteadyTime now) {
  std::vector<PutId> expired;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    expired.push_back(deadlines_.begin()->second);
    leave(expired.back());
  }
  return expired;
}

std::optional<SteadyTime> PutWindow::deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

/// Ends the put in flight `id`, and lets the next one of its lane be ready.
void PutWindow::leave(PutId id) {
  const auto put = puts_.find(id);
  const auto lane = lanes_.find(put->second.lane);
  const auto host = hosts_.find(lane->second.host);
  deadlines_.erase({*put->second.deadline, id});
  --host->second.in_flight;
  lane->second.puts.pop_front();
  if (lane->second.puts.empty()) {
    lanes_.erase(lane);
  } else {
    host->second.ready.push_back(put->second.lane);
  }
  puts_.erase(put);
}

}  // namespace tidemark::epics
