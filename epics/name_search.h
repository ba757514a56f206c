// epics/name_search.h
//
// Asks the network which PV names are alive, so that libca is only given names that answer.
// Decisions only: what to ask when. No socket, no thread, no clock, and no bytes of a protocol.
//
//   add() ──► young: asked at once, then after 80 ms, 240 ms, … five times in 1.2 s
//               │ no answer
//               ▼
//             silent: by group (the IOC that had the name, or "" if none ever did), a few names
//               of each group in turn every 250 ms to 5 s; all of a group when one of it
//               answers, and every 30 s
//
// Why: libca's own search halves its pace whenever less than 15 of 16 names answer. Measured with
// 50 000 living names on one IOC: 0.15 s; with 1 % dead names beside them 12 s, with 10 % 48 s.
// In here the pace follows the answers too (an IOC must not lose requests), but some dead names
// are expected: a site is normally 1 to 10 % dead. And libca finds an IOC that restarts without
// a beacon after up to 5 minutes; a name of each group every 250 ms finds it at once, for less.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"

namespace tidemark::epics {

enum class SearchId : std::uint32_t {};

struct SearchLimits {
  std::uint32_t burst_names_max = 600;  // some 20 datagrams: fits an IOC's receive buffer (208 KiB)
  std::uint32_t burst_answered_percent = 80;  // of a burst: then the next one may follow at once,
  Duration burst_interval = std::chrono::milliseconds(20);  // else after this
  std::uint32_t group_names = 20;  // of a silent group asked in turn: one datagram
  Duration group_interval = std::chrono::milliseconds(250);  // doubles after each ten, up to
  Duration group_interval_max = std::chrono::seconds(5);
  Duration round_interval = std::chrono::seconds(30);     // all of a silent group
  Duration round_interval_min = std::chrono::seconds(1);  // also when names of it answer
};

class NameSearch {
 public:
  explicit NameSearch(SearchLimits limits = {}) : limits_(limits) {}

  /// A name to look for; `id` must not be here yet.
  void add(SearchId id, SteadyTime now);

  /// A name that `group` (an IOC) had until now: silent from the start.
  void add_lost(SearchId id, const std::string& group, SteadyTime now);

  /// It answered, or nobody wants it any more. True when it was here.
  bool answered(SearchId id, SteadyTime now);
  void remove(SearchId id);

  struct Step {
    std::vector<SearchId> ask;     // now, in one burst
    std::vector<SearchId> silent;  // have just become silent
  };
  Step step(SteadyTime now);

  /// When step() has something to do again.
  std::optional<SteadyTime> next_step() const;

  std::size_t size() const { return names_.size(); }

 private:
  struct Group {
    std::vector<SearchId> members;
    std::size_t turn = 0;  // the next member to be asked
    std::uint32_t asked = 0;
    Duration interval{};
    SteadyTime due{};
    SteadyTime round_due{};
    std::optional<SteadyTime> round_at;  // the last one began
  };
  struct Name {
    std::optional<std::string> group;  // Set when silent.
    std::size_t member = 0;            // its index in the group
    std::uint32_t attempts = 0;
    std::optional<SteadyTime> due;  // Set when in due_.
    std::uint64_t burst = 0;        // the last one that asked it
  };

  void ask_at(SearchId id, Name& name, SteadyTime due);
  void unqueue(SearchId id, Name& name);
  void join(SearchId id, Name& name, const std::string& group, SteadyTime now);
  void ask_all_of(Group& group, SteadyTime now);
  void take_turns(SteadyTime now);

  const SearchLimits limits_;
  std::unordered_map<SearchId, Name> names_;
  std::set<std::pair<SteadyTime, SearchId>> due_;
  std::map<std::string, Group> groups_;

  std::uint64_t burst_ = 0;  // counts bursts, from 1
  std::uint32_t burst_asked_ = 0;
  std::uint32_t burst_answered_ = 0;
  SteadyTime burst_at_{};
};

}  // namespace tidemark::epics
