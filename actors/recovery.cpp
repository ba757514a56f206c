#include "actors/recovery.h"

#include <spdlog/spdlog.h>

namespace tidemark::actors {
namespace {

namespace api = model::api;

constexpr Duration kRetry = std::chrono::milliseconds(500);
constexpr Duration kReadBudget = std::chrono::seconds(10);
constexpr const char* kReason = "the keeper ended before it knew";

constexpr std::uint32_t bit(model::RecordKind kind) { return 1u << static_cast<unsigned>(kind); }

api::ReadRequest read_request(const RecoveryState& state) {
  api::ReadRequest read;
  read.from = state.next_line;
  read.kinds = bit(model::RecordKind::kPutIntended) | bit(model::RecordKind::kPutConfirmed) |
               bit(model::RecordKind::kPutRefused) | bit(model::RecordKind::kPutUnknown);
  read.text = state.options.job.id.text();
  read.limit = api::ReadRequest::kReadLinesMax;
  return read;
}

void close(Recovery::stateful_pointer<RecoveryState> self) {
  auto& state = self->state;
  auto& job = state.options.job;
  Records unknown;
  for (const auto& [channel, intent] : state.open) {
    unknown.push_back(model::PutUnknown{intent.channel, intent.address, intent.job, kReason});
    ++state.outcome.unknown;
    if (state.outcome.failures.size() < model::RestoreOutcome::kFailuresMax) {
      state.outcome.failures.push_back({{}, intent.address, "unknown", kReason});
    }
  }
  append_all(state.options.outbox, std::move(unknown));
  job.state = model::JobState::kInterrupted;
  if (job.type == "snapshot_create") {
    job.message = "the keeper ended while it ran; take the snapshot again";
  } else {
    job.restore = state.outcome;
    job.message = "the keeper ended while it ran: " + std::to_string(state.outcome.unknown) +
                  " unknown, " + std::to_string(state.outcome.confirmed) +
                  " written; nothing is sent again";
  }
  self->send(state.options.listener, job_atom_v, share(job));
  self->quit();
}

}  // namespace

void RecoveryState::account(const model::Record& record) {
  if (const auto* intent = std::get_if<model::PutIntended>(&record)) {
    open.insert_or_assign(model::raw(intent->channel), *intent);
    ++outcome.total;
  } else if (const auto* confirmed = std::get_if<model::PutConfirmed>(&record)) {
    open.erase(model::raw(confirmed->channel));
    ++outcome.confirmed;
  } else if (const auto* refused = std::get_if<model::PutRefused>(&record)) {
    open.erase(model::raw(refused->channel));
    ++outcome.refused;
  } else if (const auto* lost = std::get_if<model::PutUnknown>(&record)) {
    open.erase(model::raw(lost->channel));
    ++outcome.unknown;
  }
}

Recovery::behavior_type recovery_actor(Recovery::stateful_pointer<RecoveryState> self,
                                       RecoveryOptions options) {
  auto& state = self->state;
  state.options = std::move(options);
  state.next_line = state.options.job.line_before;
  spdlog::warn("job {} ({} '{}') was running when the keeper ended; closing it",
               state.options.job.id.text(), state.options.job.type, state.options.job.title);
  return {
      [self, &state](start_atom) {
        if (state.options.job.type == "snapshot_create") return close(self);
        state.options.link->request(state.options.journal, "journal.read",
                                    model::pack(read_request(state)), {kReadBudget, {}},
                                    [me = caf::actor_cast<Recovery>(self)](bus::Answer answer) {
                                      caf::anon_send(me, answered_atom_v, std::move(answer));
                                    });
      },
      [self, &state](answered_atom, const bus::Answer& answer) {
        const auto reply = answer ? model::unpack<api::ReadReply>(answer.value())
                                  : Result<api::ReadReply>(answer.error());
        if (!reply) {  // The journal may come up after us: what it knows is needed.
          self->delayed_send(self, kRetry, start_atom_v);
          return;
        }
        for (const auto& line : reply.value().lines) {
          const auto records = model::decode_records(line.record.bytes);
          if (records && !records.value().empty()) state.account(records.value().front());
        }
        state.next_line = reply.value().next;
        if (!reply.value().end) return self->send(self, start_atom_v);
        close(self);
      },
  };
}

}  // namespace tidemark::actors
