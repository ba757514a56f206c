// subsystem/durable_keys.h
//
// Keys of others out of the journal, for who must miss nothing: each update that it recorded, once
// and in order, with its line.
//
//   a page is asked for ──► link's loop ──► executor: callbacks ──► the next page
//
// One page is under way at a time, and the next is asked for when all of it was told: a slow
// listener misses nothing, and costs no memory. All there is to remember is the next line, so a
// journal that restarts costs nothing either.

#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "bus/link.h"
#include "model/api/journal.h"
#include "subsystem/key_pattern.h"
#include "subsystem/remote_keys.h"

namespace tidemark::subsystem {

class Session;

struct DurableWish {
  std::string pattern;
  std::uint64_t from = 0;        // first line; 0: what is recorded after the journal's first answer
  std::optional<UtcTime> since;  // with from 0: what was recorded then or later
  std::function<void(const KeyEvent&)> on_event;
  /// kRefused: a key that fits is not journaled, said once. kUnavailable: the journal is away, said
  /// once each time. kNotFound: lines with updates that may have fitted have expired, said for each
  /// stretch. kConflict: it ends before a line that was seen, said once. Any other: it is over, and
  /// this was the last call.
  std::function<void(const Error&)> on_problem;
};

/// One listener. Its state is touched by one thread at a time: whoever has the page.
class DurableKeys : public std::enable_shared_from_this<DurableKeys> {
 public:
  static constexpr Duration kWait = std::chrono::seconds(5);      // of one question, for a line
  static constexpr Duration kPatience = std::chrono::seconds(5);  // beyond that
  static constexpr Duration kRetry = std::chrono::milliseconds(200);
  static constexpr Duration kLook = std::chrono::seconds(1);  // between looks at surfaces
  static constexpr std::uint32_t kPage = 256;  // lines; other callbacks wait for so many

  DurableKeys(std::weak_ptr<Session> session, DurableWish wish);

  /// Asks for the first page, when the session knows who is there. Threads: any; on the loop's the
  /// caller does not hold the link, as its last holder would end its own loop.
  void ask(Session& session, bus::Link& link);
  /// Afterwards nothing is called, except for a call that runs already. Threads: any.
  void close() { closed_ = true; }

 private:
  void again(Session& session);
  void later(bus::Link& link);
  void take(const bus::Answer& answer);
  void show(const model::api::LogLine& line);
  void look(const Session& session);
  void away(Session& session, bus::Link& link, const Error& error);
  void say(const Error& problem);

  const std::weak_ptr<Session> session_;
  const DurableWish wish_;
  const KeyPattern pattern_;
  std::atomic<bool> closed_ = false;

  std::uint64_t next_;  // line; 0: not known yet
  bool away_ = false;
  bool shorter_ = false;  // said that the journal is
  struct Told {
    bus::Incarnation incarnation = 0;
    std::uint64_t sequence = 0;
  };
  std::map<std::string, Told> told_;  // by key
  SteadyTime looked_{};
  std::map<Uuid, std::size_t> surfaces_;  // that were looked at: their hashes
  std::set<std::string> unrecorded_;      // keys of which it was said
};

}  // namespace tidemark::subsystem
