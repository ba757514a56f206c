#include "actors/keeper.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/recovery.h"
#include "actors/restore_detail.h"
#include "model/compare.h"
#include "model/parse_value.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using model::Job;
using model::JobState;

constexpr Duration kKeeperTick = std::chrono::milliseconds(100);
constexpr Duration kJobWaitMax = std::chrono::seconds(30);

Job new_job(std::string type, std::string title, const std::string& user) {
  Job job;
  job.id = Uuid::random();
  job.type = std::move(type);
  job.title = std::move(title);
  job.user = user;
  job.created_at = utc_now();
  return job;
}

Result<Unit> check_title(const std::string& title) {
  if (!title.empty() && title.size() <= model::kCatalogTextBytesMax) return Unit{};
  return Error{Code::kInvalidArgument, "title of " + std::to_string(title.size()) +
                                           " bytes; expected 1 to " +
                                           std::to_string(model::kCatalogTextBytesMax)};
}

/// The PVs of `snapshot` that are in `scope`; values stay where they are.
model::Snapshot narrowed(const model::Snapshot& snapshot, const PvSet& scope) {
  model::Snapshot part;
  part.header = snapshot.header;
  part.values = snapshot.values;
  for (const auto& pv : snapshot.pvs) {
    if (scope.contains(pv.pv)) part.pvs.push_back(pv);
  }
  return part;
}

/// Promises are handles: a copy delivers as well, so continuations need not be mutable.
template <class Promise, class T>
void deliver(Promise promise, T&& value) {
  promise.deliver(std::forward<T>(value));
}

/// A plan of one step: what the operator asked for, whatever is there now.
model::RestorePlan plan_of_put(const api::LiveValue& live, model::PvValue target) {
  model::RestorePlan plan;
  auto& step = plan.steps.emplace_back();
  step.action = model::StepAction::kWrite;
  step.channel = live.channel;
  step.address = live.address;
  step.units = live.units;
  step.target = std::move(target);
  step.live = live.value;
  plan.writes = 1;
  return plan;
}

caf::result<api::ImportReport> import_csv(KeeperState& state, const api::ImportRequest& request) {
  auto promise = state.self->make_response_promise<api::ImportReport>();
  state.self->request(state.options.catalog, caf::infinite, import_atom_v, request)
      .then(
          [&state, promise, user = request.user](const api::ImportReport& report) {
            if (!report.imported) return deliver(promise, report);
            const auto what = std::to_string(report.created) + " PVs created, " +
                              std::to_string(report.updated) + " updated, " +
                              std::to_string(report.tags_created) + " tags created";
            state.journal_channels([&state, promise, report, what, user]() {
              state.self
                  ->request(state.options.outbox, caf::infinite, append_atom_v,
                            Records{model::CatalogChanged{"import", what, user}})
                  .then([promise, report](std::uint64_t) { deliver(promise, report); });
            });
          },
          fails(promise));
  return promise;
}

caf::result<Job> create_snapshot(KeeperState& state, const api::SnapshotRequest& request) {
  const auto title = check_title(request.title);
  if (!title) return to_caf(title.error());
  auto promise = state.self->make_response_promise<Job>();
  state.once(request.idempotency, promise, [&state, request](const KeeperState::Settle& settle) {
    const auto job = new_job("snapshot_create", request.title, request.user);
    state.accept(
        job, request.idempotency, request.description,
        [&state, request, settle, id = job.id](std::uint64_t) {
          const auto accepted = state.running[id].job;
          settle.done(accepted);
          state.take_snapshot(accepted, request);
        },
        settle.failed);
  });
  return promise;
}

caf::result<Shared<api::CompareReply>> compare(KeeperState& state,
                                               const api::CompareRequest& request) {
  auto promise = state.self->make_response_promise<Shared<api::CompareReply>>();
  const auto failed = fails(promise);
  const auto answer = [promise, request](const model::Snapshot& left, const model::Snapshot& right,
                                         bool live) {
    auto found = model::compare(left, right, request.only_different);
    api::CompareReply reply;
    reply.left = left.header;
    if (request.right != "live") reply.right = right.header;
    reply.pvs = std::move(found.pvs);
    if (request.limit != 0 && reply.pvs.size() > request.limit) reply.pvs.resize(request.limit);
    reply.matching = found.matching;
    reply.different = found.different;
    reply.live = live;
    deliver(promise, share(std::move(reply)));
  };
  const auto with_left = [&state, request, answer, failed](const Shared<model::Snapshot>& left) {
    if (request.right == "live") {
      state.self->request(state.options.live, caf::infinite, compare_atom_v, left)
          .then(
              [left, answer](const Shared<model::Snapshot>& right) {
                answer(*left, *right, right->header.monitor_alive);
              },
              failed);
      return;
    }
    state.self->request(state.options.catalog, caf::infinite, load_atom_v, request.right)
        .then([left, answer](const Shared<model::Snapshot>& right) { answer(*left, *right, true); },
              failed);
  };
  state.self->request(state.options.catalog, caf::infinite, load_atom_v, request.left)
      .then(
          [&state, request, with_left, failed](const Shared<model::Snapshot>& left) {
            if (request.scope.all()) return with_left(left);
            state.self->request(state.options.catalog, caf::infinite, scope_atom_v, request.scope)
                .then(
                    [left, with_left](const Shared<PvSet>& scope) {
                      with_left(share(narrowed(*left, *scope)));
                    },
                    failed);
          },
          failed);
  return promise;
}

/// Begins the restore that was planned, or says why not.
void begin_restore(KeeperState& state, const api::RestoreRequest& request,
                   const KeeperState::Settle& settle, const model::Snapshot& snapshot,
                   const Shared<model::RestorePlan>& plan) {
  if (!request.plan_hash.empty() && request.plan_hash != plan->hash) {
    return settle.failed(to_caf(Error{Code::kConflict, "the plan is another by now: " + plan->hash +
                                                           ", not " + request.plan_hash +
                                                           "; look at it again with a dry run"}));
  }
  auto job = new_job("snapshot_restore", snapshot.header.title, request.user);
  job.result = snapshot.header.id;
  const auto locked = state.lock(job, *plan);
  if (!locked) return settle.failed(to_caf(locked.error()));
  state.accept(
      job, request.idempotency, restore_detail(snapshot.header.id, *plan, request.comment),
      [&state, settle, plan, id = job.id, timeout = request.put_timeout](std::uint64_t) {
        settle.done(state.running[id].job);
        state.start_restore(id, plan, timeout, true);
      },
      settle.failed);
}

caf::result<Job> restore(KeeperState& state, const api::RestoreRequest& request) {
  auto promise = state.self->make_response_promise<Job>();
  state.once(request.idempotency, promise, [&state, request](const KeeperState::Settle& settle) {
    state.plan(
        request,
        [&state, request, settle](const Shared<model::Snapshot>& snapshot,
                                  const Shared<model::RestorePlan>& plan) {
          begin_restore(state, request, settle, *snapshot, plan);
        },
        settle.failed);
  });
  return promise;
}

/// The catalog allows it: writes, if the IOC does too.
void put_now(KeeperState& state, const api::PutRequest& request, KeeperState::JobPromise promise) {
  state.self
      ->request(state.options.live, caf::infinite, live_atom_v, api::LiveQuery{{request.address}})
      .then(
          [&state, request, promise](const Shared<api::LiveReply>& found) {
            if (found->values.size() != 1) {
              return deliver(promise, to_caf(Error{Code::kNotFound, "no PV has the address '" +
                                                                        request.address + "'"}));
            }
            const auto& live = found->values.front();
            if (live.state != model::LiveState::kConnected) {
              return deliver(promise, to_caf(Error{Code::kUnavailable,
                                                   request.address + " is " +
                                                       std::string(model::to_string(live.state))}));
            }
            if (!live.writable) {
              return deliver(promise,
                             to_caf(Error{Code::kRefused,
                                          request.address + ": the IOC gives no write access"}));
            }
            auto target = model::parse_value(request.value, live.native_type, live.labels);
            if (!target) {
              return deliver(promise,
                             to_caf(Error{target.error().code,
                                          request.address + ": " + target.error().message}));
            }
            auto plan = share(plan_of_put(live, std::move(target).value()));
            auto job = new_job("pv_put", request.address, request.user);
            const auto locked = state.lock(job, *plan);
            if (!locked) return deliver(promise, to_caf(locked.error()));
            state.accept(
                job, {}, request.comment,
                [&state, promise, plan, id = job.id, timeout = request.timeout](std::uint64_t) {
                  deliver(promise, state.running[id].job);
                  state.start_restore(id, plan, timeout, false);
                },
                fails(promise));
          },
          fails(promise));
}

caf::result<Job> put(KeeperState& state, const api::PutRequest& request) {
  auto promise = state.self->make_response_promise<Job>();
  state.self->request(state.options.catalog, caf::infinite, put_atom_v, request.address)
      .then([&state, request, promise](const Unit&) { put_now(state, request, promise); },
            fails(promise));
  return promise;
}

caf::result<Job> wait_for_job(KeeperState& state, const api::JobQuery& query) {
  const auto found = state.running.find(query.job);
  if (found != state.running.end()) {
    if (query.wait <= Duration{0}) return found->second.job;
    auto promise = state.self->make_response_promise<Job>();
    const auto until = steady_now() + std::min(query.wait, kJobWaitMax);
    state.waiting.push_back({query.job, until, promise});
    return promise;
  }
  auto promise = state.self->make_response_promise<Job>();
  state.self->request(state.options.catalog, caf::infinite, job_atom_v, query.job)
      .then([promise](const Shared<Job>& job) { deliver(promise, *job); }, fails(promise));
  return promise;
}

caf::result<api::Empty> remove_snapshot(KeeperState& state, const api::SnapshotDelete& request) {
  auto promise = state.self->make_response_promise<api::Empty>();
  state.self->request(state.options.catalog, caf::infinite, remove_atom_v, request.snapshot)
      .then(
          [&state, promise, user = request.user](const model::SnapshotHeader& header) {
            const model::CatalogChanged change{"snapshot " + header.id.text(),
                                               "'" + header.title + "' deleted", user};
            state.self->request(state.options.outbox, caf::infinite, append_atom_v, Records{change})
                .then([promise](std::uint64_t) { deliver(promise, api::Empty{}); });
          },
          fails(promise));
  return promise;
}

void recover(KeeperState& state) {
  state.journal_channels([] {});
  state.self->request(state.options.catalog, caf::infinite, jobs_atom_v, api::JobsQuery{0})
      .then([&state](const api::JobList& list) {
        for (const auto& job : list.jobs) {
          if (model::ended(job.state) || state.running.contains(job.id)) continue;
          state.running[job.id].job = job;
          const auto recovery = state.self->home_system().spawn(
              recovery_actor,
              RecoveryOptions{state.options.link, state.options.journal, state.options.outbox,
                              caf::actor_cast<JobListener>(state.self), job});
          state.self->send(recovery, start_atom_v);
        }
      });
}

void tick(KeeperState& state) {
  const auto now = steady_now();
  std::erase_if(state.waiting, [&](KeeperState::Waiting& each) {
    if (each.until > now) return false;
    const auto found = state.running.find(each.job);
    if (found != state.running.end()) each.promise.deliver(found->second.job);
    return true;
  });
  auto& board = *state.options.board;
  board.gauge("tidemark_keeper_jobs_running", "Jobs that run now",
              static_cast<double>(state.running.size()));
  board.count("tidemark_keeper_jobs_ended_total", "Jobs that ended since the node began",
              static_cast<double>(state.jobs_ended));
}

}  // namespace

Keeper::behavior_type keeper_actor(Keeper::stateful_pointer<KeeperState> self,
                                   KeeperOptions asked) {
  auto& state = self->state;
  state.options = std::move(asked);
  auto& link = *state.options.link;
  link.declare_stream(bus::FrameClass::kEvent, bus::kCatalogStream);
  link.declare_stream(bus::FrameClass::kEvent, bus::kJobStream);
  self->send(self, start_atom_v);
  self->send(self, tick_atom_v);
  return {
      [&state](import_atom, const api::ImportRequest& request) {
        return import_csv(state, request);
      },
      [&state](snapshot_atom, const api::SnapshotRequest& request) {
        return create_snapshot(state, request);
      },
      [&state](remove_atom, const api::SnapshotDelete& request) {
        return remove_snapshot(state, request);
      },
      [&state](compare_atom, const api::CompareRequest& request) {
        return compare(state, request);
      },
      [self, &state](plan_atom, const api::RestoreRequest& request)
          -> caf::result<Shared<model::RestorePlan>> {
        auto promise = self->make_response_promise<Shared<model::RestorePlan>>();
        state.plan(
            request,
            [promise](const Shared<model::Snapshot>&, const Shared<model::RestorePlan>& plan) {
              deliver(promise, plan);
            },
            fails(promise));
        return promise;
      },
      [&state](restore_atom, const api::RestoreRequest& request) {
        return restore(state, request);
      },
      [&state](put_atom, const api::PutRequest& request) { return put(state, request); },
      [&state](job_atom, const api::JobQuery& query) { return wait_for_job(state, query); },
      [self, &state](cancel_atom, const api::JobQuery& query) -> caf::result<Job> {
        const auto found = state.running.find(query.job);
        if (found == state.running.end() || !found->second.restore) {
          return to_caf(Error{Code::kNotFound,
                              "no running job " + query.job.text() + " that can be cancelled"});
        }
        spdlog::info("job {} cancelled by {}", query.job.text(), query.user);
        self->send(found->second.restore, cancel_atom_v);
        return found->second.job;
      },
      [&state](put_atom, const api::PolicySet& request) { return state.set_policy(request); },
      [&state](remove_atom, const api::PolicyRemove& request) {
        return state.remove_policy(request);
      },
      [&state](forecast_atom, const api::PolicyPreviewQuery& query) {
        return state.preview(query);
      },
      [&state](answered_atom, std::uint64_t number, const bus::Answer& answer) {
        state.answer_preview(number, answer);
      },
      [&state](job_atom, const Shared<Job>& job) {
        if (model::ended(job->state)) {
          state.finish(*job);
        } else {
          state.update(*job);
        }
      },
      [&state](start_atom) { recover(state); },
      [self, &state](tick_atom) {
        self->delayed_send(self, kKeeperTick, tick_atom_v);
        tick(state);
      },
  };
}

}  // namespace tidemark::actors
