// subsystem/session.h
//
// A program on the bus of a site: its link, its membership, what it offers, and what it wants of
// others. The public library (tidemark/) is a thin layer over this.
//
//   made ── start() ──► on the bus ── stop() ──► off it, for good

#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bus/membership.h"
#include "config/site.h"
#include "subsystem/durable_keys.h"
#include "subsystem/event_calls.h"
#include "subsystem/own_events.h"
#include "subsystem/own_keys.h"
#include "subsystem/own_status.h"
#include "subsystem/remote_keys.h"
#include "subsystem/status_watch.h"
#include "subsystem/stream_sums.h"

namespace tidemark::subsystem {

struct SessionOptions {
  std::string name;
  std::string site_file;
  std::string description;
  std::vector<std::string> labels;
  std::optional<Uuid> uuid;  // none: derived from site and name
  bool registers = true;     // false: only looks, asks and listens
  std::string key = "cli";   // of a session that does not register: the name of its CURVE key
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(SessionOptions options);
  ~Session();

  /// Errors: what the site file, the keys or the sockets say; kUnavailable when it was started
  /// before. Does not wait for a registry: joined() does.
  Result<Unit> start();
  /// The same over a link that is open: for tests.
  Result<Unit> start(std::shared_ptr<bus::Link> link, std::vector<bus::NodeInfo> registries,
                     bus::NodeNumber journal, journal::SpoolPlace spool = {});
  /// Ends the handlers, says goodbye, waits until the journal has what was said, at most
  /// `patience`; false when it has not. No callback runs after it, except for the one that asks.
  bool stop(Duration patience);

  /// Waits for the first directory, with this session in it when it registers.
  Result<Unit> joined(Duration patience);
  /// Waits until stop() is asked for, or this session is fenced: then why.
  std::optional<Error> wait_for_end();
  void ask_to_end(std::optional<Error> why);

  // ---- what it offers; before start() or after

  OwnKeys& keys() { return *keys_; }
  OwnEvents& events() { return *events_; }
  OwnStatus& status() { return *status_; }
  /// What the directory says of it: a packed Surface.
  Bytes surface() const;
  /// Tells the registry of keys and events that were added since start().
  void surface_changed();

  // ---- what it wants; waiting calls answer kRefused inside a callback

  RemoteKeys& remote_keys() { return *remote_keys_; }
  /// The node of that name; waits for it.
  Result<bus::NodeInfo> find(const std::string& name, SteadyTime deadline);
  bus::Directory directory() const;
  /// The same, when everybody who lives is in it, as far as the registry knows.
  std::optional<bus::Directory> settled_directory() const;
  bus::Answer ask(const std::string& node, const std::string& method, Bytes payload,
                  Duration budget, std::function<void(Bytes)> on_progress = {});
  void ask_later(const std::string& node, const std::string& method, Bytes payload, Duration budget,
                 std::function<void(bus::Answer)> on_answer);
  std::shared_ptr<EventCallRun> call(EventWish wish);
  /// Begins with the first directory.
  std::shared_ptr<DurableKeys> follow_keys(DurableWish wish);
  std::shared_ptr<StatusWatch> watch_status(std::string pattern, StatusWatch::OnItem on_item);
  /// Threads: any.
  void unwatch_status(const std::shared_ptr<StatusWatch>& watch);
  Result<Unit> record(model::Record record);

  /// What was counted since start(). Threads: any.
  struct Counted {
    bus::LinkCounters link;
    std::size_t records_held_bytes = 0;
    std::uint64_t records_dropped = 0;
  };
  Counted counted() const;
  const StreamSums& streams() const { return *streams_; }
  const ListenerSums& listeners() const { return remote_keys_->listeners(); }

  const std::string& name() const { return options_.name; }
  /// Who writes and asks, in the eyes of others.
  std::string user() const { return options_.registers ? options_.name : user_at_host(); }
  static std::string user_at_host();
  const std::shared_ptr<Executor>& executor() const { return executor_; }
  std::shared_ptr<bus::Link> link() const;
  bool is_on_bus() const;

  /// The answer to what waits, inside a callback: it would wait for itself.
  static std::optional<Error> may_wait(const std::string& what);

 private:
  void changed(bus::Link& link, const std::vector<bus::NodeInfo>& nodes);

  const SessionOptions options_;
  const std::shared_ptr<Executor> executor_ = std::make_shared<Executor>();
  const std::shared_ptr<StreamSums> streams_ = std::make_shared<StreamSums>();
  const std::shared_ptr<OwnKeys> keys_;
  const std::shared_ptr<OwnEvents> events_;
  const std::shared_ptr<OwnStatus> status_;
  const std::shared_ptr<RemoteKeys> remote_keys_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::shared_ptr<bus::Link> link_;
  std::shared_ptr<bus::Membership> membership_;
  std::shared_ptr<Outbox> outbox_;
  bus::Directory directory_;
  bool has_directory_ = false;
  bool ends_ = false;
  std::optional<Error> why_;
  std::vector<std::shared_ptr<StatusWatch>> watches_;
  std::vector<std::shared_ptr<DurableKeys>> early_;  // until there is a directory
};

}  // namespace tidemark::subsystem
