// epics/put_window.h
//
// Decides which put is sent when: at most so many in flight per IOC, one per channel, in order
// per channel, each with a deadline. No thread, no clock and no network in here.
//
//   add() ──► waiting ── next() ──► in flight ──┬─ complete()   the IOC answered
//                │                              ├─ expire()     it did not, in time
//                └──────────── lose() ──────────┴─ lose()       the connection went
//
// A put leaves in exactly one of these ways; what is told of it later is ignored.

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"

namespace tidemark::epics {

enum class PutId : std::uint64_t {};

/// A channel as the window knows it: puts of one lane are in order.
enum class PutLane : std::uint64_t {};

class PutWindow {
 public:
  /// `per_host_max`: puts in flight per IOC, at least 1.
  explicit PutWindow(std::uint32_t per_host_max);

  /// `host` is the IOC of this lane while any put of the lane is here. `timeout` runs from
  /// next(). An id is used once.
  void add(const std::string& host, PutLane lane, PutId id, Duration timeout);

  /// Takes those that may be sent now, and starts their deadlines.
  std::vector<PutId> next(SteadyTime now);

  /// False when `id` is not in flight (any more).
  bool complete(PutId id);

  struct Lost {
    std::vector<PutId> waiting;    // never sent
    std::vector<PutId> in_flight;  // at most one: sent, outcome unknown
  };
  Lost lose(PutLane lane);

  /// Takes those in flight whose deadline has come; their outcome is unknown.
  std::vector<PutId> expire(SteadyTime now);

  /// The earliest deadline of those in flight.
  std::optional<SteadyTime> deadline() const;

  std::uint32_t in_flight() const { return static_cast<std::uint32_t>(deadlines_.size()); }

 private:
  struct Put {
    PutLane lane{};
    Duration timeout{};
    std::optional<SteadyTime> deadline;  // Set while in flight.
  };
  struct Lane {
    std::string host;
    std::deque<PutId> puts;  // The first is in flight, or its lane is in the host's queue.
  };
  struct Host {
    std::deque<PutLane> ready;  // Lanes whose first put may go. A lane that was lost is skipped.
    std::uint32_t in_flight = 0;
  };

  void leave(PutId id);

  const std::uint32_t per_host_max_;
  std::unordered_map<PutId, Put> puts_;
  std::unordered_map<PutLane, Lane> lanes_;
  std::unordered_map<std::string, Host> hosts_;
  std::set<std::pair<SteadyTime, PutId>> deadlines_;
};

}  // namespace tidemark::epics
