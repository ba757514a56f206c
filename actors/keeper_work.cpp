// actors/keeper_work.cpp
//
// The steps of the keeper's jobs. keeper.cpp says which message begins which.

#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/keeper.h"
namespace tidemark::actors {
namespace {

namespace api = model::api;
using model::Job;
using model::JobState;

/// Which PVs of `snapshot` are in `scope`.
Shared<std::vector<bool>> in_scope(const model::Snapshot& snapshot, const PvSet& scope) {
  std::vector<bool> chosen(snapshot.pvs.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = scope.contains(snapshot.pvs[i].pv);
  return share(std::move(chosen));
}

}  // namespace

void KeeperState::announce_channels() {
  self->request(options.catalog, caf::infinite, channels_atom_v)
      .then([this](const Shared<api::Channels>& channels) {
        self->send(options.live, channels_atom_v, channels);
        options.link->publish(bus::FrameClass::kEvent, bus::kCatalogStream, 1,
                              model::pack(api::CatalogChange{channels->revision}));
        options.board->gauge("tidemark_keeper_channels", "Channels defined",
                             static_cast<double>(channels->channels.size()));
      });
}

void KeeperState::journal_channels(std::function<void()> then) {
  self->request(options.catalog, caf::infinite, find_atom_v).then([this, then](Records& records) {
    if (records.empty()) {
      announce_channels();
      return then();
    }
    const auto last = model::raw(std::get<model::PvDefined>(records.back()).channel);
    self->request(options.outbox, caf::infinite, append_atom_v, std::move(records))
        .then([this, then, last](std::uint64_t) {
          self->request(options.catalog, caf::infinite, journaled_atom_v, last)
              .then([this, then](const Unit&) { journal_channels(then); });
        });
  });
}

void KeeperState::accept(const Job& job, const Uuid& idempotency, const std::string& detail,
                         std::function<void(std::uint64_t)> then, Failed failed) {
  running[job.id].job = job;
  const auto give_up = [this, id = job.id, failed](const caf::error& error) {
    unlock(id);
    running.erase(id);
    failed(error);
  };
  self->request(options.outbox, caf::infinite, append_atom_v,
                Records{model::JobAccepted{job.id, job.type, job.title, job.user, detail}})
      .then(
          [this, job, idempotency, then, give_up](std::uint64_t line) {
            auto& kept = running[job.id].job;
            kept.line_before = line;
            self->request(options.catalog, caf::infinite, put_atom_v, share(kept), idempotency)
                .then([then, line](const Unit&) { then(line); }, give_up);
          },
          give_up);
}

void KeeperState::once(const Uuid& idempotency, JobPromise promise,
                       std::function<void(Settle)> make) {
  if (idempotency.is_nil()) {
    return make({[promise](const Job& job) { JobPromise(promise).deliver(job); },
                 [promise](const caf::error& error) { JobPromise(promise).deliver(error); }});
  }
  auto& askers = making[idempotency];
  askers.push_back(promise);
  if (askers.size() > 1) return;
  const Settle settle{[this, idempotency](const Job& job) {
                        auto settled = making.extract(idempotency);
                        for (auto& each : settled.mapped()) each.deliver(job);
                      },
                      [this, idempotency](const caf::error& error) {
                        auto settled = making.extract(idempotency);
                        for (auto& each : settled.mapped()) each.deliver(error);
                      }};
  self->request(options.catalog, caf::infinite, find_atom_v, idempotency)
      .then(
          [this, make, settle](const Shared<Job>& known) {
            if (known->id.is_nil()) return make(settle);
            const auto found = running.find(known->id);
            settle.done(found == running.end() ? *known : found->second.job);
          },
          settle.failed);
}

void KeeperState::take_snapshot(const Job& job, const api::SnapshotRequest& request) {
  auto started = job;
  started.state = JobState::kRunning;
  started.started_at = utc_now();
  started.message = "capturing";
  update(started);
  const auto failed = [this, started](const caf::error& error) {
    auto ended = started;
    ended.state = JobState::kFailed;
    ended.error = from_caf(error).message;
    ended.message = "no snapshot was made: " + ended.error;
    finish(std::move(ended));
  };
  const auto kept = [this, started](const model::SnapshotHeader& header) {
    auto ended = started;
    ended.state = JobState::kCompleted;
    ended.result = header.id;
    ended.done = ended.total = header.pvs;
    ended.message =
        std::to_string(header.values) + " values, " + std::to_string(header.missing) + " missing";
    if (!header.monitor_alive) ended.message += "; the monitor was silent: last known values";
    finish(std::move(ended));
  };
  const auto captured = [this, started, failed, kept](const Draft& filled) {
    const auto& header = filled->header;
    self->request(options.outbox, caf::infinite, append_atom_v,
                  Records{model::SnapshotTaken{header.id, header.title, header.values,
                                               header.missing, started.id}})
        .then(
            [this, filled, failed, kept](std::uint64_t line) {
              filled->header.line = line;
              self->request(options.catalog, caf::infinite, add_atom_v,
                            Shared<model::Snapshot>(filled))
                  .then([kept, filled](const Unit&) { kept(filled->header); }, failed);
            },
            failed);
  };
  self->request(options.catalog, caf::infinite, select_atom_v, request.scope)
      .then(
          [this, request, started, failed, captured](const Draft& draft) {
            draft->header.id = Uuid::random();
            draft->header.title = request.title;
            draft->header.description = request.description;
            draft->header.author = request.user;
            draft->header.job = started.id;
            self->request(options.live, caf::infinite, capture_atom_v, draft)
                .then(captured, failed);
          },
          failed);
}

void KeeperState::plan(
    const api::RestoreRequest& request,
    std::function<void(Shared<model::Snapshot>, Shared<model::RestorePlan>)> then, Failed failed) {
  const auto ask = [this, request, then, failed](Shared<model::Snapshot> snapshot,
                                                 Shared<std::vector<bool>> chosen) {
    self->request(options.live, caf::infinite, plan_atom_v, snapshot, request.options, chosen)
        .then([then, snapshot](const Shared<model::RestorePlan>& plan) { then(snapshot, plan); },
              failed);
  };
  self->request(options.catalog, caf::infinite, load_atom_v, request.snapshot)
      .then(
          [this, request, ask, failed](const Shared<model::Snapshot>& snapshot) {
            if (request.scope.all()) return ask(snapshot, nullptr);
            self->request(options.catalog, caf::infinite, scope_atom_v, request.scope)
                .then(
                    [ask, snapshot](const Shared<PvSet>& scope) {
                      ask(snapshot, in_scope(*snapshot, *scope));
                    },
                    failed);
          },
          failed);
}

Result<Unit> KeeperState::lock(const Job& job, const model::RestorePlan& plan) {
  auto& mine = running[job.id];
  for (const auto& step : plan.steps) {
    if (step.action != model::StepAction::kWrite) continue;
    const auto channel = model::raw(step.channel);
    const auto holder = written_by.find(channel);
    if (holder == written_by.end()) {
      written_by.emplace(channel, job.id);
      mine.channels.push_back(channel);
      continue;
    }
    const auto& other = running[holder->second].job;
    Error error{Code::kConflict, step.address + " is being written by job " + other.id.text() +
                                     " ('" + other.title + "' of " + other.user + ")"};
    unlock(job.id);
    running.erase(job.id);
    return error;
  }
  return Unit{};
}

void KeeperState::unlock(const Uuid& job) {
  const auto found = running.find(job);
  if (found == running.end()) return;
  for (const auto channel : found->second.channels) written_by.erase(channel);
  found->second.channels.clear();
}

void KeeperState::start_restore(const Uuid& job, Shared<model::RestorePlan> plan,
                                Duration put_timeout, bool verify) {
  auto& mine = running[job];
  mine.restore = self->home_system().spawn(
      restore_actor, RestoreActorOptions{options.link, options.monitor, options.outbox,
                                         caf::actor_cast<JobListener>(self), mine.job,
                                         std::move(plan), put_timeout, verify});
  self->send(mine.restore, start_atom_v);
}

void KeeperState::update(const Job& job) {
  const auto found = running.find(job.id);
  if (found != running.end()) found->second.job = job;
  options.link->publish(bus::FrameClass::kEvent, bus::kJobStream, 1, model::pack(job));
}

void KeeperState::finish(Job job) {
  if (job.ended_at == UtcTime{}) job.ended_at = utc_now();
  const auto done = [this, job] {
    unlock(job.id);
    running.erase(job.id);
    ++jobs_ended;
    spdlog::info("job {} ({} '{}'): {}, {}", job.id.text(), job.type, job.title,
                 model::to_string(job.state), job.message);
    options.link->publish(bus::FrameClass::kEvent, bus::kJobStream, 1, model::pack(job));
    std::erase_if(waiting, [&](Waiting& each) {
      if (each.job != job.id) return false;
      each.promise.deliver(job);
      return true;
    });
  };
  self->request(options.outbox, caf::infinite, append_atom_v,
                Records{model::JobFinished{job.id, std::string(model::to_string(job.state)),
                                           job.message}})
      .then([this, job, done](std::uint64_t) {
        self->request(options.catalog, caf::infinite, put_atom_v, share(job), Uuid{})
            .then([done](const Unit&) { done(); },
                  [done](const caf::error& error) {
                    spdlog::error("keeping a job: {}", from_caf(error).message);
                    done();
                  });
      });
}

}  // namespace tidemark::actors
