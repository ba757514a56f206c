#include "actors/outbox.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

namespace tidemark::actors {
namespace {

constexpr Duration kRetryMin = std::chrono::milliseconds(20);
constexpr Duration kRetryMax = std::chrono::milliseconds(500);
constexpr Duration kAppendBudget = std::chrono::seconds(5);

}  // namespace

void OutboxState::send() {
  if (waiting_to_retry) return;
  for (;;) {
    const auto request = queue->next();
    if (request.sections.empty()) return;
    options.link->request(
        options.journal, "journal.append", model::pack(request), {kAppendBudget, {}},
        [actor = caf::actor_cast<Outbox>(self), generation = generation](bus::Answer answer) {
          caf::anon_send(actor, answered_atom_v, generation, std::move(answer));
        });
  }
}

void OutboxState::settle(std::uint64_t through, std::uint64_t line) {
  if (queue->acknowledged(through)) ++generation;
  while (!waiters.empty() && waiters.front().through <= queue->acknowledged_through()) {
    waiters.front().promise.deliver(line);
    waiters.pop_front();
  }
  if (queue->idle()) {
    for (auto& promise : drained) promise.deliver(Unit{});
    drained.clear();
  }
}

void OutboxState::fail(const Error& error) {
  if (journal::is_final(error.code) && queue->give_up()) {
    spdlog::error("what an earlier life left for the journal is lost: {}", error.message);
    ++generation;
    return send();
  }
  if (retry == Duration{0}) {
    spdlog::warn("the journal does not take our records ({}); they are held back", error.message);
  }
  ++generation;
  queue->rewind();
  retry = std::clamp(retry * 2, kRetryMin, kRetryMax);
  waiting_to_retry = true;
  self->delayed_send(self, retry, tick_atom_v);
}

void OutboxState::show() {
  options.board->gauge("tidemark_outbox_bytes", "Bytes held back until the journal has them",
                       static_cast<double>(queue->bytes()));
  options.board->gauge("tidemark_outbox_spool_bytes", "Of them, records that are also on disk",
                       static_cast<double>(queue->spool_bytes()));
  options.board->count("tidemark_outbox_dropped_total",
                       "PV updates dropped because too much was held back",
                       static_cast<double>(queue->dropped()));
}

void append_all(const Outbox& outbox, Records records) {
  constexpr std::size_t kAtOnce = 10'000;
  for (std::size_t begin = 0; begin < records.size(); begin += kAtOnce) {
    const auto end = std::min(begin + kAtOnce, records.size());
    const auto at = [&](std::size_t i) {
      return std::make_move_iterator(records.begin() + static_cast<std::ptrdiff_t>(i));
    };
    caf::anon_send(outbox, append_atom_v, Records(at(begin), at(end)));
  }
}

Outbox::behavior_type outbox_actor(Outbox::stateful_pointer<OutboxState> self,
                                   OutboxOptions options) {
  auto& state = self->state;
  const auto& me = options.link->self();
  state.queue = std::make_unique<journal::OutboxLives>(
      options.limits, journal::SpoolOwner{me.uuid, me.name, me.incarnation}, options.spool);
  state.options = std::move(options);
  state.send();
  return {
      [self, &state](append_atom, const Records& records) -> caf::result<std::uint64_t> {
        TIDEMARK_CHECK(!records.empty());
        const auto through = state.queue->push(
            journal::SectionFormat::kRecords, journal::Worth::kRecords,
            static_cast<std::uint32_t>(records.size()), utc_now(), model::encode_records(records));
        state.waiters.push_back({through, self->make_response_promise<std::uint64_t>()});
        auto promise = state.waiters.back().promise;
        state.send();
        return promise;
      },
      [&state](batch_atom, UpdateBatch& batch) {
        state.queue->push(journal::SectionFormat::kUpdates, journal::Worth::kUpdates, batch.count,
                          batch.sent_at, std::move(batch.payload));
        state.send();
      },
      [&state](answered_atom, std::uint64_t generation, bus::Answer& answer) {
        if (generation != state.generation) return;
        if (!answer) return state.fail(answer.error());
        const auto reply = model::unpack<model::api::AppendReply>(answer.value());
        if (!reply) return state.fail(reply.error());
        if (state.retry != Duration{0}) {
          spdlog::info("the journal takes our records again");
          state.retry = Duration{0};
        }
        state.settle(reply.value().through, reply.value().last_line);
        state.send();
        state.show();
      },
      [&state](tick_atom) {
        state.waiting_to_retry = false;
        state.send();
        state.show();
      },
      [&state](wake_atom) {
        state.waiting_to_retry = false;
        state.send();
      },
      [self, &state](stop_atom) -> caf::result<Unit> {
        if (state.queue->idle()) return Unit{};
        state.drained.push_back(self->make_response_promise<Unit>());
        return state.drained.back();
      },
  };
}

}  // namespace tidemark::actors
