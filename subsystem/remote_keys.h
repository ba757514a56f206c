// subsystem/remote_keys.h
//
// What others publish: subscriptions by name or pattern, to keys that exist or will. One stream
// is followed per subsystem that anybody wants something of; a new listener gets the current
// value first, then every update, until he goes.
//
//   link's loop: frames ──► values per key ──► subscriptions ──► executor: callbacks
//
//   latest   a slow listener gets fewer, newer values; `missed` says how many he did not see
//   all      every update, up to a bound; beyond, the oldest are missed, and counted

#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bus/membership.h"
#include "model/api/subsystem.h"
#include "subsystem/executor.h"
#include "subsystem/key_pattern.h"
#include "subsystem/outbox.h"
#include "subsystem/stream_sums.h"

namespace tidemark::subsystem {

/// A key's value, as a listener gets it.
struct KeyEvent {
  std::string key;  // "psu.1/current"
  model::kv::Value value;
  UtcTime time{};
  std::uint64_t sequence = 0;
  model::api::Quality quality = model::api::Quality::kGood;
  std::string writer;
  bus::Incarnation incarnation = 0;  // of its owner: each counts the key from 1
  std::uint64_t missed = 0;  // updates of this key since the last event that did not get here
  std::uint64_t line = 0;    // of the journal, when it comes from there
};

enum class Policy { kLatest, kAll };

/// One listener. Threads: as said.
class KeySubscription {
 public:
  static constexpr std::size_t kQueueMax = 65'536;  // events of policy kAll

  KeySubscription(const std::string& pattern, Policy policy,
                  std::function<void(const KeyEvent&)> on_event);

  bool wants(const std::string& subsystem, const std::string& key) const;
  /// Threads: the loop's.
  void deliver(KeyEvent event, const std::shared_ptr<KeySubscription>& self, Executor& executor,
               ListenerSums& sums);
  /// Tells a listener again for whom there was no room on the executor. Threads: the loop's.
  void wake(const std::shared_ptr<KeySubscription>& self, Executor& executor);
  /// Afterwards on_event is not called, except for a call that runs already. Threads: any.
  void close();
  bool closed() const;

 private:
  void drain();

  const KeyPattern pattern_;
  const Policy policy_;
  const std::function<void(const KeyEvent&)> on_event_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<KeyEvent> queue_;
  std::map<std::string, std::size_t> waiting_;  // kLatest: where in queue_
  bool posted_ = false;
  bool closed_ = false;

  struct Told {
    bus::Incarnation incarnation = 0;
    std::uint64_t sequence = 0;
    model::api::Quality quality = model::api::Quality::kGood;
    bool operator==(const Told&) const = default;
  };
  std::map<std::string, Told> told_;  // by key; only on the executor's thread
};

class RemoteKeys : public std::enable_shared_from_this<RemoteKeys> {
 public:
  RemoteKeys(std::shared_ptr<Executor> executor, std::shared_ptr<StreamSums> streams)
      : executor_(std::move(executor)), streams_(std::move(streams)) {}

  /// `outbox`: where it is recorded what was missed; null: nowhere.
  void open(const std::shared_ptr<bus::Link>& link, std::shared_ptr<Outbox> outbox);

  /// `pattern` is "subsystem/key", with * and ? in either. Threads: any.
  std::shared_ptr<KeySubscription> subscribe(const std::string& pattern, Policy policy,
                                             std::function<void(const KeyEvent&)> on_event);

  /// Who is there has changed. Only on the loop thread.
  void on_changes(const std::vector<bus::NodeInfo>& changed);

  /// Threads: any.
  const ListenerSums& listeners() const { return listeners_; }

 private:
  struct Peer {
    bus::NodeInfo info;
    model::api::Surface surface;
    bool surface_is_read = true;  // only when anybody wants anything of anybody
    // Of a stream that is followed:
    std::shared_ptr<bus::StateFollower> follower;
    bus::StreamReader::Counters counted;                                // of it, in streams_
    bus::Incarnation life = 0;                                          // whose the values are
    std::vector<model::api::KeyUpdate> last;                            // by key
    std::vector<std::vector<std::shared_ptr<KeySubscription>>> routes;  // by key
  };

  void learn(const bus::NodeInfo& info);
  void add(const std::shared_ptr<KeySubscription>& subscription);
  /// Who listens to which key; follows the stream when anybody does, and stops when nobody does.
  void route(Peer& peer);
  void follow(Peer& peer);
  void stop_following(Peer& peer);
  void count(Peer& peer) {
    if (peer.follower) streams_->add(peer.follower->counters(), peer.counted);
  }
  static void read_surface(Peer& peer);
  /// Errors: it cannot be read.
  Result<Unit> take(Peer& peer, const Bytes& payload);
  void show(const Peer& peer, std::uint32_t key,
            const std::vector<std::shared_ptr<KeySubscription>>& listeners);
  void show_all(const Peer& peer);
  /// The directory's surface is that of the incarnation whose updates we have.
  static bool fits(const Peer& peer);
  void tick();

  const std::shared_ptr<Executor> executor_;
  const std::shared_ptr<StreamSums> streams_;
  ListenerSums listeners_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::weak_ptr<bus::Link> owned_;
  std::vector<std::shared_ptr<KeySubscription>> early_;  // made before open()

  // Only on the loop thread.
  bus::Link* link_ = nullptr;
  std::shared_ptr<Outbox> outbox_;
  std::map<Uuid, Peer> peers_;
  std::vector<std::shared_ptr<KeySubscription>> subscriptions_;
};

}  // namespace tidemark::subsystem
