// actors/keeper.h
//
// Carries out what people ask for: imports, snapshots, comparisons, restores, single puts. Knows
// the jobs that run; what is defined and kept is the catalog actor's.
//
//   JobAccepted durable ─► job kept ─► answer with the job ─► work ─► JobFinished durable ─► kept

#pragma once

#include <unordered_map>

#include "actors/board.h"
#include "actors/catalog.h"
#include "actors/live.h"
#include "actors/messages.h"
#include "actors/outbox.h"
#include "actors/restore.h"

namespace tidemark::actors {

using Keeper = caf::typed_actor<
    caf::replies_to<import_atom, model::api::ImportRequest>::with<model::api::ImportReport>,
    caf::replies_to<snapshot_atom, model::api::SnapshotRequest>::with<model::Job>,
    caf::replies_to<remove_atom, model::api::SnapshotDelete>::with<model::api::Empty>,
    caf::replies_to<compare_atom,
                    model::api::CompareRequest>::with<Shared<model::api::CompareReply>>,
    caf::replies_to<plan_atom, model::api::RestoreRequest>::with<Shared<model::RestorePlan>>,
    caf::replies_to<restore_atom, model::api::RestoreRequest>::with<model::Job>,
    caf::replies_to<put_atom, model::api::PutRequest>::with<model::Job>,
    /// Waits up to JobQuery::wait for the job's end.
    caf::replies_to<job_atom, model::api::JobQuery>::with<model::Job>,
    caf::replies_to<cancel_atom, model::api::JobQuery>::with<model::Job>,

    caf::replies_to<put_atom, model::api::PolicySet>::with<model::api::Empty>,
    caf::replies_to<remove_atom, model::api::PolicyRemove>::with<model::api::Empty>,
    caf::replies_to<forecast_atom, model::api::PolicyPreviewQuery>::with<model::api::PolicyPreview>,

    /// The monitor's rates, or why not, for a preview that was asked for.
    caf::reacts_to<answered_atom, std::uint64_t, bus::Answer>,

    /// A restore's progress or end, as a JobListener.
    caf::reacts_to<job_atom, Shared<model::Job>>,

    /// Picks up where the last incarnation ended: channels that the journal does not know yet,
    /// jobs that did not end.
    caf::reacts_to<start_atom>,

    /// Ends waits that are over. Only ever sent by the actor to itself.
    caf::reacts_to<tick_atom>>;

struct KeeperOptions {
  std::shared_ptr<bus::Link> link;
  std::shared_ptr<Board> board;
  Outbox outbox;
  CatalogActor catalog;
  Live live;
  bus::NodeNumber monitor{};
  bus::NodeNumber journal{};
};

struct KeeperState {
  static inline const char* name = "keeper";

  explicit KeeperState(Keeper::pointer actor) : self(actor) {}

  using JobPromise = caf::typed_response_promise<model::Job>;
  using Failed = std::function<void(const caf::error&)>;
  using PreviewPromise = caf::typed_response_promise<model::api::PolicyPreview>;

  struct Running {
    model::Job job;
    Restore restore;                      // of restores and puts
    std::vector<std::uint32_t> channels;  // that it writes
  };
  struct Waiting {
    Uuid job;
    SteadyTime until;
    JobPromise promise;
  };

  Keeper::pointer self;
  KeeperOptions options;
  std::unordered_map<Uuid, Running> running;
  std::vector<Waiting> waiting;
  std::unordered_map<std::uint32_t, Uuid> written_by;        // channel → the job that writes it
  std::unordered_map<Uuid, std::vector<JobPromise>> making;  // by idempotency key
  std::uint64_t jobs_ended = 0;

  struct Previewing {
    Shared<PolicyChange> change;
    std::uint32_t limit;
    PreviewPromise promise;
  };
  std::unordered_map<std::uint64_t, Previewing> previewing;  // questions to the monitor
  std::uint64_t previews = 0;

  /// Makes the channels that the journal does not know yet known to it, then to everybody.
  void journal_channels(std::function<void()> then);
  void announce_channels();
  /// Accepts a job: durable in journal and catalog, then `then`.
  void accept(const model::Job& job, const Uuid& idempotency, const std::string& detail,
              std::function<void(std::uint64_t line)> then, Failed failed);
  /// Answers whoever asked for a job, also those who asked with the same key meanwhile.
  struct Settle {
    std::function<void(const model::Job&)> done;
    Failed failed;
  };
  /// Answers with the job of that idempotency key, or makes one: never two.
  void once(const Uuid& idempotency, JobPromise promise, std::function<void(Settle)> make);
  void take_snapshot(const model::Job& job, const model::api::SnapshotRequest& request);
  void plan(const model::api::RestoreRequest& request,
            std::function<void(Shared<model::Snapshot>, Shared<model::RestorePlan>)> then,
            Failed failed);
  /// Locks the channels and starts; an Error names the job that holds one.
  Result<Unit> lock(const model::Job& job, const model::RestorePlan& plan);
  void start_restore(const Uuid& job, Shared<model::RestorePlan> plan, Duration put_timeout,
                     bool verify);
  void update(const model::Job& job);
  void finish(model::Job job);
  void unlock(const Uuid& job);
  // keeper_policies.cpp
  /// Records a change of the catalog, and tells everybody of it.
  void record_policy(model::PolicyChanged change,
                     caf::typed_response_promise<model::api::Empty> promise);
  caf::result<model::api::Empty> set_policy(const model::api::PolicySet& request);
  caf::result<model::api::Empty> remove_policy(const model::api::PolicyRemove& request);
  caf::result<model::api::PolicyPreview> preview(const model::api::PolicyPreviewQuery& query);
  void answer_preview(std::uint64_t number, const bus::Answer& answer);
};

/// Hands an error on. Promises are handles: a copy delivers as well, so continuations need not be
/// mutable.
template <class Promise>
KeeperState::Failed fails(Promise promise) {
  return [promise](const caf::error& error) { Promise(promise).deliver(error); };
}

Keeper::behavior_type keeper_actor(Keeper::stateful_pointer<KeeperState> self,
                                   KeeperOptions options);

}  // namespace tidemark::actors
