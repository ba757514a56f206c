// tidemark/client.h
//
// A program on the bus of a site that offers nothing: it reads and writes keys, listens, calls
// events, and says things to the journal.
//
//   tidemark::Client site{"site.toml"};
//   if (const auto joined = site.start(); !joined) …
//
// Threads: every method from any thread. What waits must not be called in a callback: it answers
// kRefused there, and never hangs.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "tidemark/event.h"
#include "tidemark/journal.h"
#include "tidemark/key.h"
#include "tidemark/replay.h"
#include "tidemark/stats.h"
#include "tidemark/status.h"

namespace tidemark {

/// A slow listener gets fewer, newer updates; or all of them, up to 65 536 that wait: beyond, the
/// oldest go, Update::missed says how many, and Stats::missed counts them.
enum class Policy { kLatest, kAll };

/// The policy of who must miss nothing: what the journal recorded, each update once and in order,
/// with its line; also what came while the listener, or the journal, was not there.
struct Durable {
  std::uint64_t from = 0;          // first line; 0: what is recorded from now on
  std::optional<UtcTime> since{};  // with from 0: what was recorded then or later
  /// A callback; without it problems are logged.
  ///   kRefused      a key that fits is not journaled: only what others write to it comes
  ///   kUnavailable  the journal is away; goes on when it is back
  ///   kNotFound     lines that may have had some have expired, says which; goes on behind them
  ///   kConflict     the journal ends before a line that was seen: it may be another one
  ///   else          it is over. kCorruption names lines that are damaged: subscribe beyond them
  std::function<void(const Error&)> on_problem{};
};

/// Somebody on the bus.
struct Peer {
  std::string name;
  std::string kind;   // "subsystem", or the kind of a node of Tidemark
  std::string state;  // "alive", "suspect", "disconnected", "stopped"
  UtcTime since{};    // of that state
  UtcTime started_at{};
  std::string host;
  std::uint32_t pid = 0;
  Uuid uuid;
  std::uint32_t incarnation = 0;
  std::vector<std::string> labels;
  model::api::Surface surface;  // its keys and events
};

/// Something with a beginning and an end: a shot, a shift.
struct Mark {
  Uuid id;
  std::string name;
};

class Client {
 public:
  /// `site_file`: empty takes $TIDEMARK_SITE, else ./site.toml. Nothing is opened yet.
  explicit Client(std::string site_file = {}, std::string key = "cli");
  virtual ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Joins the bus, and waits for a registry for at most `patience`.
  /// Errors: kInvalidArgument  the site file, or a key, event or status item that was added, says
  ///                           what is wrong; kConflict, a second one of that name.
  ///         kUnavailable      no registry answers; joining goes on meanwhile.
  Result<Unit> start(Duration patience = std::chrono::seconds(5));
  /// Leaves the bus, for good. Waits until the journal has what was said, at most `patience`;
  /// false when it has not: what waited is lost, but for a Subsystem's, whose next start delivers
  /// it. Afterwards no callback runs, except for the one that asked. So in the handler of an event:
  /// its call is cancelled, and lost to its caller, since we have left the bus before it can
  /// answer.
  bool stop(Duration patience = std::chrono::seconds(2));

  const std::string& name() const;

  /// What was counted since start(). Before it, and of the link behind stop(), all is 0.
  Stats stats() const;

  // ---- who is there

  std::vector<Peer> peers() const;

  // ---- keys of others

  /// "psu.1/current". It need not be there yet.
  template <class T>
  Key<T> key(std::string name) {
    return Key<T>(detail::FarKey(session_, std::move(name)));
  }
  /// Every key that fits a pattern such as "rf.*/voltage", those that come later too: the current
  /// value first, then the changes.
  [[nodiscard]] Subscription subscribe(const std::string& pattern,
                                       std::function<void(const Update<Value>&)> listener,
                                       Policy policy = Policy::kLatest);
  /// The same out of the journal: no current value first, but all that was recorded, later than
  /// the bus has it. To go on where a program ended, keep the last `line`: {.from = line + 1}.
  [[nodiscard]] Subscription subscribe(std::string pattern,
                                       std::function<void(const Update<Value>&)> listener,
                                       Durable durable);

  // ---- events of others

  /// Waits for all targets. `on_feedback` is a callback. A call on everybody or on a label waits,
  /// within `patience`, until the registry knows everybody: one that has just started does not for
  /// the 3 s of a lease. CallResult::nobody() says why nobody was asked, which is no yes.
  CallResult call(const std::string& event, Value argument, const Targets& targets,
                  Duration patience, std::function<void(const Feedback&)> on_feedback = {});
  /// The same without waiting; `on_ended` is a callback, which comes also when the call cannot be
  /// made, but not behind stop().
  RunningCall call_later(const std::string& event, Value argument, const Targets& targets,
                         Duration patience, std::function<void(const CallResult&)> on_ended,
                         std::function<void(const Feedback&)> on_feedback = {});

  // ---- status items of others

  /// Every item of every subsystem whose name fits, then each change.
  [[nodiscard]] Subscription watch_status(
      std::string pattern,
      std::function<void(const std::string& subsystem, const model::StatusItem&)> listener);
  Result<Unit> acknowledge(const std::string& subsystem, const std::string& item,
                           Duration patience = std::chrono::seconds(5));

  // ---- the journal: held until it is durable, also while the journal is away

  /// `fields`: what others may look for, {{"shot", 4711}, {"target", "Al"}}. `category`: which part
  /// of the program speaks.
  void log(Severity severity, std::string text, Struct fields = {}, std::string category = {});
  Mark begin_mark(std::string name, Value data = {}, std::vector<std::string> tags = {});
  void end_mark(const Mark& mark, Value data = {});
  /// After the fact. Each end stands for the last line that was recorded at or before its time; a
  /// time to come is now.
  Mark mark_between(std::string name, UtcTime from, UtcTime to, Value data = {},
                    std::vector<std::string> tags = {});

  /// What it knows: lines, the machine at a moment, what happened to a PV.
  Journal journal() const { return Journal(session_); }

  /// The past of the machine, played again. Waits for the journal.
  /// Errors: kInvalidArgument  the wish; kNotFound no such mark; kUnavailable too many replays, or
  ///         no journal; kRefused in a callback.
  Result<std::unique_ptr<Replay>> replay(const ReplayWish& wish) {
    return Replay::start(session_, wish);
  }

  /// What this stands on, for tests and benches.
  const std::shared_ptr<subsystem::Session>& session() const { return session_; }

 protected:
  explicit Client(std::shared_ptr<subsystem::Session> session);
  void note(const Result<Unit>& result);

  std::shared_ptr<subsystem::Session> session_;

 private:
  std::vector<Error> mistakes_;  // of what was added: start() answers the first
};

}  // namespace tidemark
