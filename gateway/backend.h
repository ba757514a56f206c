// gateway/backend.h
//
// What the gateway needs from the rest: it asks, and is answered later, on any thread. nodes/
// implements it by asking actors, tests by a fake. The gateway itself knows HTTP and JSON only.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/api/keeper.h"
#include "model/api/node.h"

namespace tidemark::gateway {

template <class T>
using Reply = std::function<void(Result<T>)>;

class Backend {
 public:
  virtual ~Backend() = default;

  // Each returns at once and calls `reply` exactly once, on any thread, within ten seconds.
  virtual void list_pvs(model::api::PvQuery query, Reply<model::api::PvPage> reply) = 0;
  virtual void live(model::api::LiveQuery query, Reply<model::api::LiveReply> reply) = 0;
  virtual void create_snapshot(model::api::SnapshotRequest request, Reply<model::Job> reply) = 0;
  virtual void list_snapshots(model::api::SnapshotQuery query,
                              Reply<model::api::SnapshotList> reply) = 0;
  virtual void get_snapshot(model::api::SnapshotGet query, Reply<model::Snapshot> reply) = 0;
  virtual void tags(Reply<model::api::Tags> reply) = 0;
  virtual void job(model::api::JobQuery query, Reply<model::Job> reply) = 0;
  /// Figures of every node that answers, with the node's name: for /metrics.
  virtual void node_statuses(Reply<std::vector<model::api::NodeStatus>> reply) = 0;
};

}  // namespace tidemark::gateway
