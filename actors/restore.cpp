#include "actors/restore.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "epics/client.h"
#include "model/compare.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using model::JobState;
using Outcome = RestoreState::Outcome;

constexpr std::uint32_t kChunkPuts = 1000;
constexpr std::uint32_t kChunksMax = 4;
constexpr std::size_t kVerifyAtOnce = 20'000;
constexpr Duration kReportEvery = std::chrono::milliseconds(100);
// A chunk may wait behind others at one slow IOC; a monitor that dies ends it at once.
constexpr Duration kChunkBudget = std::chrono::minutes(10);
constexpr Duration kVerifyBudget = std::chrono::seconds(10);

std::string plural(std::uint32_t count, const std::string& what) {
  return std::to_string(count) + " " + what;
}

}  // namespace

void RestoreState::begin_chunks() {
  while (!cancelled && chunks_away < kChunksMax && next < writes.size()) {
    const auto begin = static_cast<std::uint32_t>(next);
    const auto end =
        static_cast<std::uint32_t>(std::min<std::size_t>(next + kChunkPuts, writes.size()));
    next = end;
    ++chunks_away;
    Records intents;
    for (auto i = begin; i < end; ++i) {
      const auto& step = *writes[i].step;
      intents.push_back(
          model::PutIntended{step.channel, step.address, step.target, options.job.id});
    }
    self->request(options.outbox, caf::infinite, append_atom_v, std::move(intents))
        .then([this, begin, end](std::uint64_t) { send_chunk(begin, end); },
              [this, begin, end](const caf::error& error) {
                // Not durable, so nothing was sent.
                for (auto i = begin; i < end; ++i) {
                  writes[i].outcome = Outcome::kRefused;
                  writes[i].reason =
                      "the journal did not take the intent: " + from_caf(error).message;
                }
                end_chunk(begin, "");
              });
  }
}

void RestoreState::send_chunk(std::uint32_t begin, std::uint32_t end) {
  if (cancelled) {  // While the intents were written: nothing was sent yet.
    for (auto i = begin; i < end; ++i) {
      writes[i].outcome = Outcome::kRefused;
      writes[i].reason = "cancelled before it was sent";
    }
    cut_short = true;
    return end_chunk(begin, "");
  }
  api::PutChannels puts;
  puts.timeout = options.put_timeout;
  for (auto i = begin; i < end; ++i) {
    puts.puts.push_back({writes[i].step->channel, writes[i].step->target});
  }
  const auto me = caf::actor_cast<Restore>(self);
  options.link->request(
      options.monitor, "monitor.put", model::pack(puts),
      {kChunkBudget,
       [me, begin](Bytes part) { caf::anon_send(me, results_atom_v, begin, std::move(part)); }},
      [me, begin](bus::Answer answer) {
        caf::anon_send(me, answered_atom_v, begin, std::move(answer));
      });
}

void RestoreState::end_chunk(std::uint32_t begin, const std::string& reason) {
  --chunks_away;
  auto& outcome = *options.job.restore;
  const auto end = std::min<std::size_t>(begin + kChunkPuts, writes.size());
  Records records;
  for (std::size_t i = begin; i < end; ++i) {
    auto& write = writes[i];
    const auto& step = *write.step;
    if (write.outcome == Outcome::kNone) {
      write.outcome = Outcome::kUnknown;
      write.reason = reason.empty() ? "the monitor did not say" : reason;
    }
    const auto& job = options.job.id;
    if (write.outcome == Outcome::kConfirmed) {
      ++outcome.confirmed;
      to_verify.push_back(i);
      records.push_back(model::PutConfirmed{step.channel, step.address, job});
    } else if (write.outcome == Outcome::kRefused) {
      ++outcome.refused;
      add_failure(write, "refused");
      records.push_back(model::PutRefused{step.channel, step.address, job, write.reason});
    } else {
      ++outcome.unknown;
      add_failure(write, "unknown");
      records.push_back(model::PutUnknown{step.channel, step.address, job, write.reason});
    }
  }
  options.job.done += static_cast<std::uint32_t>(end - begin);
  records.push_back(model::JobProgress{options.job.id, options.job.done, options.job.total});
  caf::anon_send(options.outbox, append_atom_v, std::move(records));
  report(false);
  begin_chunks();
  if (chunks_away == 0) verify_more();
}

void RestoreState::verify_more() {
  if (!options.verify || verified_through == to_verify.size()) return finish();
  const auto begin = verified_through;
  const auto end = std::min(begin + kVerifyAtOnce, to_verify.size());
  api::ReadChannels read;
  for (auto i = begin; i < end; ++i) read.channels.push_back(writes[to_verify[i]].step->channel);
  options.job.message = "verifying";
  report(true);
  options.link->request(
      options.monitor, "monitor.read", model::pack(read), {kVerifyBudget, {}},
      [me = caf::actor_cast<Restore>(self), begin = static_cast<std::uint32_t>(begin)](
          bus::Answer answer) { caf::anon_send(me, read_atom_v, begin, std::move(answer)); });
}

void RestoreState::finish() {
  auto& job = options.job;
  auto& outcome = *job.restore;
  if (cancelled && next < writes.size()) {
    cut_short = true;
    for (; next < writes.size(); ++next) {
      ++outcome.refused;
      writes[next].reason = "cancelled before it was sent";
      add_failure(writes[next], "refused");
    }
  }
  const bool clean = outcome.refused == 0 && outcome.unknown == 0 && outcome.unverified == 0;
  if (cut_short) {
    job.state = JobState::kCancelled;
  } else if (clean) {
    job.state = JobState::kCompleted;
  } else {
    job.state = outcome.confirmed + outcome.skipped == 0 ? JobState::kFailed : JobState::kPartial;
  }
  // What went wrong comes first.
  job.message.clear();
  if (outcome.unknown > 0) job.message += plural(outcome.unknown, "unknown, ");
  if (outcome.refused > 0) job.message += plural(outcome.refused, "refused, ");
  if (outcome.unverified > 0) job.message += plural(outcome.unverified, "read back different, ");
  job.message += plural(outcome.confirmed, "written");
  if (options.verify) job.message += " (" + plural(outcome.verified, "verified") + ")";
  if (outcome.skipped > 0) job.message += ", " + plural(outcome.skipped, "there already");
  if (job.state == JobState::kFailed) job.error = job.message;
  job.ended_at = utc_now();
  self->send(options.listener, job_atom_v, share(job));
  self->quit();
}

void RestoreState::report(bool always) {
  const auto now = steady_now();
  if (!always && now - reported_at < kReportEvery) return;
  reported_at = now;
  self->send(options.listener, job_atom_v, share(options.job));
}

void RestoreState::add_failure(const Step& step, const char* state) {
  auto& failures = options.job.restore->failures;
  if (failures.size() < model::RestoreOutcome::kFailuresMax) {
    failures.push_back({step.step->pv, step.step->address, state, step.reason});
  }
}

Restore::behavior_type restore_actor(Restore::stateful_pointer<RestoreState> self,
                                     RestoreActorOptions asked) {
  auto& state = self->state;
  state.options = std::move(asked);
  return {
      [&state](start_atom) {
        auto& job = state.options.job;
        const auto& plan = *state.options.plan;
        job.state = JobState::kRunning;
        job.started_at = utc_now();
        auto& outcome = job.restore.emplace();
        outcome.total = static_cast<std::uint32_t>(plan.steps.size());
        outcome.skipped = plan.skips;
        Records refused;
        for (const auto& step : plan.steps) {
          if (step.action == model::StepAction::kWrite) {
            state.by_channel.emplace(model::raw(step.channel), state.writes.size());
            state.writes.push_back({&step, Outcome::kNone, {}});
          } else if (step.action == model::StepAction::kRefuse) {
            ++outcome.refused;
            state.add_failure({&step, Outcome::kRefused, step.reason}, "refused");
            refused.push_back(model::PutRefused{step.channel, step.address, job.id, step.reason});
          }
        }
        job.total = static_cast<std::uint32_t>(state.writes.size());
        job.message = "writing";
        append_all(state.options.outbox, std::move(refused));
        state.report(true);
        state.begin_chunks();
        if (state.chunks_away == 0) state.finish();
      },
      [&state](cancel_atom) { state.cancelled = true; },
      [&state](results_atom, std::uint32_t, const Bytes& packed) {
        const auto results = model::unpack<api::PutResults>(packed);
        if (!results) {
          spdlog::error("results of puts: {}", results.error().message);
          return;
        }
        for (const auto& each : results.value().results) {
          // One result per put, and the first that has none yet: puts of a channel keep their
          // order.
          const auto [begin, end] = state.by_channel.equal_range(model::raw(each.channel));
          const auto open = std::find_if(begin, end, [&](const auto& entry) {
            return state.writes[entry.second].outcome == Outcome::kNone;
          });
          if (open == end) continue;
          auto& write = state.writes[open->second];
          switch (static_cast<epics::PutState>(each.state)) {
            case epics::PutState::kConfirmed: write.outcome = Outcome::kConfirmed; break;
            case epics::PutState::kRefused: write.outcome = Outcome::kRefused; break;
            default: write.outcome = Outcome::kUnknown; break;
          }
          write.reason = each.reason;
        }
      },
      [&state](answered_atom, std::uint32_t begin, const bus::Answer& answer) {
        state.end_chunk(begin, answer ? "" : answer.error().message);
      },
      [&state](read_atom, std::uint32_t begin, const bus::Answer& answer) {
        auto& outcome = *state.options.job.restore;
        const auto end = std::min(begin + kVerifyAtOnce, state.to_verify.size());
        std::vector<model::PvUpdate> updates;
        std::vector<std::string> errors;
        std::string failure = answer ? "" : answer.error().message;
        if (answer) {
          auto values = model::unpack<api::ChannelValues>(answer.value());
          if (values) {
            auto decoded = model::decode_updates(values.value().updates.bytes);
            if (decoded) updates = std::move(decoded).value();
            errors = std::move(values.value().errors);
          }
          if (updates.size() != end - begin || errors.size() != end - begin) {
            failure = "the values read back cannot be understood";
          }
        }
        for (std::size_t i = begin; i < end; ++i) {
          auto& write = state.writes[state.to_verify[i]];
          const auto& step = *write.step;
          const auto at = i - begin;
          if (!failure.empty()) {
            write.reason = "could not be read back: " + failure;
          } else if (!errors[at].empty()) {
            write.reason = "could not be read back: " + errors[at];
          } else {
            const auto difference = model::compare_values(step.target, {}, updates[at].value, {},
                                                          {step.abs_tolerance, step.rel_tolerance});
            if (model::matches(difference)) {
              ++outcome.verified;
              continue;
            }
            write.reason = "wrote " + model::to_text(step.target) + ", reads " +
                           model::to_text(updates[at].value);
          }
          ++outcome.unverified;
          state.add_failure(write, "not verified");
        }
        state.verified_through = end;
        state.verify_more();
      },
  };
}

}  // namespace tidemark::actors
