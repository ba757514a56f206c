#include "actors/journal.h"

#include <spdlog/spdlog.h>

namespace tidemark::actors {
namespace {

// Half of the store's limits, so that one more request always fits.
constexpr std::size_t kGroupBytesMax = 8u << 20;
constexpr std::size_t kGroupSectionsMax = 2048;

/// Of a request: its sections wait for the next block, or it is answered why not.
void take_in(JournalState& state, const bus::Call& call) {
  const auto request = model::unpack<model::api::AppendRequest>(call.payload());
  if (!request) return call.fail({Code::kInvalidArgument, request.error().message});
  auto taken = state.intake->take(request.value(), utc_now());
  if (!taken) {
    spdlog::debug("append refused: {}", taken.error().message);
    return call.fail(taken.error());
  }
  for (auto& section : taken.value().sections) {
    state.group_bytes += section.section().payload.size();
    state.group.push_back(std::move(section));
  }
  state.waiting.push_back({call, taken.value().through});
}

void commit(JournalState& state);

/// The store wrote nothing, since something in the block does not go with what is there. Who sent
/// it is told; nobody else must suffer for it.
void find_the_bad_one(JournalState& state, const std::vector<JournalState::Waiting>& waiting,
                      const Error& why) {
  state.begin_intake();
  if (waiting.size() == 1) {
    spdlog::warn("append refused: {}", why.message);
    return waiting.front().call.fail({Code::kCorruption, "journal: " + why.message});
  }
  for (const auto& each : waiting) {
    take_in(state, each.call);
    if (!state.waiting.empty()) commit(state);
    if (state.broken) return;
  }
}

void commit(JournalState& state) {
  const auto group = std::exchange(state.group, {});
  auto waiting = std::exchange(state.waiting, {});
  state.group_bytes = 0;
  if (!group.empty()) {
    const auto began = steady_now();
    const auto appended = state.store->append(group);
    if (!appended) {
      const auto code = appended.error().code;
      if (code == Code::kConflict || code == Code::kInvalidArgument) {
        return find_the_bad_one(state, waiting, appended.error());
      }
      for (const auto& each : waiting) {
        each.call.fail({Code::kUnavailable, "journal: " + appended.error().message});
      }
      // The intake is ahead of the store now. Where nothing was written the store knows the truth,
      // and origins send again until there is room; else only a new start does.
      if (code == Code::kUnavailable) {
        state.board->warning("journal", appended.error().message);
        return state.begin_intake();
      }
      state.broken = true;
      return state.on_broken(appended.error());
    }
    state.board->warning("journal", "");
    ++state.blocks;
    state.board->gauge("tidemark_journal_commit_seconds", "Time of the last commit, synced",
                       std::chrono::duration<double>(steady_now() - began).count());
    caf::anon_send(state.reader, wake_atom_v);
    if (state.on_durable) state.on_durable();
  }
  const auto last = journal::raw(state.store->last());
  for (const auto& each : waiting) {
    each.call.done(model::pack(model::api::AppendReply{each.through, last}));
  }
  state.board->count("tidemark_journal_last_line", "The newest durable line",
                     static_cast<double>(last));
  state.board->count("tidemark_journal_blocks_total", "Blocks written since the node began",
                     static_cast<double>(state.blocks));
  state.board->count("tidemark_journal_duplicates_total", "Sections that came twice, stored once",
                     static_cast<double>(state.intake->duplicates()));
  state.board->count("tidemark_journal_gaps_total", "Gap records made since the node began",
                     static_cast<double>(state.intake->gaps()));
}

}  // namespace

void JournalState::begin_intake() {
  const auto mark = store->mark_of(gaps_origin);
  intake = std::make_unique<Intake>(*store, gaps_origin, mark ? mark->incarnation + 1 : 1);
}

Journal::behavior_type journal_actor(Journal::stateful_pointer<JournalState> self,
                                     std::shared_ptr<journal::Store> store,
                                     std::shared_ptr<Board> board, JournalReader reader, Uuid me,
                                     std::function<void(Error)> on_broken,
                                     std::function<void()> on_durable) {
  auto& state = self->state;
  state.store = std::move(store);
  state.board = std::move(board);
  state.reader = std::move(reader);
  state.on_broken = std::move(on_broken);
  state.on_durable = std::move(on_durable);
  // The journal's own gap records: an origin of its own, beside the node's outbox.
  state.gaps_origin = Uuid::derive(me.text() + "/gaps");
  state.begin_intake();
  state.board->count("tidemark_journal_last_line", "The newest durable line",
                     static_cast<double>(journal::raw(state.store->last())));

  return {
      [self, &state](append_atom, const bus::Call& call) {
        if (state.broken) return call.fail({Code::kUnavailable, "the journal is about to end"});
        const bool is_first = state.waiting.empty();
        take_in(state, call);
        if (is_first && !state.waiting.empty()) self->send(self, commit_atom_v);
        if (state.group_bytes >= kGroupBytesMax || state.group.size() >= kGroupSectionsMax) {
          commit(state);
        }
      },
      [&state](commit_atom) {
        if (!state.waiting.empty()) commit(state);
      },
  };
}

}  // namespace tidemark::actors
