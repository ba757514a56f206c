#include "actors/live.h"

#include <spdlog/spdlog.h>

#include "actors/live_value.h"
#include "base/glob.h"
#include "model/compare.h"
#include "model/restore_plan.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using Reader = bus::StreamReader;

constexpr std::size_t kFramesBytesMax = 64u << 20;
constexpr Duration kLiveTick = std::chrono::milliseconds(100);
constexpr Duration kSilenceMax = std::chrono::seconds(2);  // ten heartbeats
constexpr Duration kStateBudget = std::chrono::seconds(10);
constexpr Duration kAckBudget = std::chrono::seconds(2);

api::LiveValue live_value(const std::string& address, model::ChannelId channel,
                          const model::LiveEntry* entry) {
  api::LiveValue value;
  value.address = address;
  value.channel = channel;
  if (entry == nullptr) return value;
  value.state = entry->state;
  value.value = entry->value;
  value.alarm = entry->alarm;
  value.taken_at = entry->taken_at;
  value.received_at = entry->received_at;
  if (entry->meta) describe(value, *entry->meta);
  return value;
}

}  // namespace

void LiveActorState::act(Reader::Actions actions) {
  for (auto& action : actions) {
    if (const auto* again = std::get_if<Reader::AskAgain>(&action)) {
      ask_again(*again);
    } else if (std::holds_alternative<Reader::AskState>(action)) {
      ask_state();
    } else if (const auto* whole = std::get_if<Reader::Whole>(&action)) {
      table.reset();
      for (const auto& part : whole->parts) apply(part);
    } else if (auto* items = std::get_if<Reader::Apply>(&action)) {
      apply(items->payload);
    } else if (const auto* lost = std::get_if<Reader::Lost>(&action)) {
      if (on_lost) on_lost(*lost);
    }
  }
}

void LiveActorState::apply(const Bytes& payload) {
  const auto updates = model::decode_updates(payload);
  if (!updates) {
    ++bad_batches;
    spdlog::error("live stream: {}", updates.error().message);
    return;
  }
  const auto now = utc_now();
  for (const auto& update : updates.value()) table.apply(update, now);
}

void LiveActorState::ask_again(const Reader::AskAgain& wanted) {
  bus::ask_again(*link, source.stream, wanted, [from = wanted.from, to = me](AgainFrames found) {
    caf::anon_send(to, again_atom_v, from, share(std::move(found)));
  });
}

void LiveActorState::ask_state() {
  const auto parts = std::make_shared<std::vector<Bytes>>();  // touched by the loop thread only
  link->request(source.stream.node, source.method, source.request,
                {kStateBudget, [parts](Bytes part) { parts->push_back(std::move(part)); }},
                [parts, to = me](bus::Answer answer) {
                  StateAnswer state{answer ? model::unpack<api::StateEnd>(answer.value())
                                           : Result<api::StateEnd>(answer.error()),
                                    std::move(*parts)};
                  caf::anon_send(to, state_atom_v, share(std::move(state)));
                });
}

bool LiveActorState::live() const { return reader.live() && steady_now() - heard_at < kSilenceMax; }

api::LiveReply LiveActorState::answer(const api::LiveQuery& query) const {
  api::LiveReply reply;
  reply.live = live();
  if (query.addresses.empty()) {
    reply.values.reserve(channels.size());
    for (const auto& [address, channel] : channels) {
      reply.values.push_back(live_value(address, channel, table.find(channel)));
    }
    return reply;
  }
  for (const auto& wanted : query.addresses) {
    if (is_glob(wanted)) {
      for (const auto& [address, channel] : channels) {
        if (!glob_match(wanted, address)) continue;
        reply.values.push_back(live_value(address, channel, table.find(channel)));
      }
      continue;
    }
    const auto found = channels.find(wanted);
    if (found == channels.end()) {
      reply.unknown.push_back(wanted);
    } else {
      reply.values.push_back(live_value(wanted, found->second, table.find(found->second)));
    }
  }
  return reply;
}

void LiveActorState::show(Board& board) const {
  const auto& counters = reader.counters();
  board.gauge("tidemark_live_connected", "Channels connected, as this node sees it",
              static_cast<double>(table.connected()));
  board.gauge("tidemark_live_with_value", "Channels with a value in this node's live table",
              static_cast<double>(table.with_value()));
  board.gauge("tidemark_live_channels", "Channels defined", static_cast<double>(channels.size()));
  board.count("tidemark_live_gaps_total", "Holes seen in the live stream",
              static_cast<double>(counters.gaps));
  board.count("tidemark_live_repairs_total", "Of these, filled with the frames that were lost",
              static_cast<double>(counters.repaired));
  board.count("tidemark_live_states_total", "Whole states fetched",
              static_cast<double>(counters.states));
  board.count("tidemark_live_bad_batches_total", "Batches that could not be decoded",
              static_cast<double>(bad_batches));
  board.warning("live", live() ? "" : "the live table is not up to date: the monitor is silent");
}

void LiveActorState::subscribe() {
  frames = std::make_shared<HandoffQueue<bus::Frame>>(
      kFramesBytesMax, [to = me] { caf::anon_send(to, wake_atom_v); });
  link->subscribe(source.frame_class, source.stream, [queue = frames](bus::Frame frame) {
    // What finds no room is a hole, and the reader sees holes.
    const auto bytes = frame.payload.size() + 64;
    queue->push(std::move(frame), bytes);
  });
  caf::anon_send(me, tick_atom_v);
}

void LiveActorState::take_frames() {
  const auto now = steady_now();
  heard_at = now;
  for (auto& frame : frames->drain()) act(reader.on_frame(std::move(frame), now));
}

void LiveActorState::take_state(const StateAnswer& answer) {
  const auto now = steady_now();
  const auto failed = [&](const std::string& why) {
    spdlog::debug("{}: {}", source.method, why);
    act(reader.on_state_failed(now));
  };
  if (!answer.end) return failed(answer.end.error().message);
  const auto& end = answer.end.value();
  if (answer.parts.size() != end.parts) return failed("parts are missing");
  std::vector<Bytes> parts;
  for (const auto& packed : answer.parts) {
    auto part = model::unpack<api::StatePart>(packed);
    if (!part) return failed(part.error().message);
    parts.push_back(std::move(part.value().updates.bytes));
  }
  act(reader.on_state(end.incarnation, end.sequence, std::move(parts), now));
  spdlog::info("live table: {} channels with a value, at item {} of incarnation {}",
               table.with_value(), end.sequence, end.incarnation);
}

void LiveActorState::take_again(std::uint64_t from, const AgainFrames& found) {
  act(found ? reader.on_again(from, found.value()) : reader.on_again_failed(from));
}

void LiveActorState::learn(const Shared<api::Channels>& known) {
  if (!known) return;
  channels.clear();
  for (const auto& each : known->channels) channels.emplace(each.address, each.id);
}

Live::behavior_type live_actor(Live::stateful_pointer<LiveActorState> self, LiveOptions options) {
  auto& state = self->state;
  state.me = caf::actor_cast<Live>(self);
  state.link = options.link;
  state.source = {bus::FrameClass::kState,
                  {options.monitor, bus::kLiveStream},
                  "monitor.state",
                  model::pack(api::Empty{})};
  state.on_lost = [options](const Reader::Lost& lost) {
    spdlog::warn("live stream: updates {} to {} were lost on the way; fetching the state",
                 lost.from, lost.to);
    append_all(options.outbox,
               {model::StreamGap{options.link->self().name, "monitor", bus::kLiveStream,
                                 lost.incarnation, lost.from, lost.to}});
  };
  state.subscribe();

  return {
      [&state](wake_atom) { state.take_frames(); },
      [&state](state_atom, const Shared<StateAnswer>& answer) { state.take_state(*answer); },
      [&state](again_atom, std::uint64_t from, const Shared<AgainFrames>& found) {
        state.take_again(from, *found);
      },
      [self, &state, board = options.board](tick_atom) {
        self->delayed_send(self, kLiveTick, tick_atom_v);
        state.act(state.reader.on_tick(steady_now()));
        state.show(*board);
      },
      [&state](channels_atom, const Shared<api::Channels>& channels) { state.learn(channels); },
      [&state](live_atom, const api::LiveQuery& query) { return share(state.answer(query)); },
      [&state](capture_atom, const Draft& draft) {
        model::capture_values(*draft, state.table);
        draft->header.created_at = utc_now();
        draft->header.monitor_alive = state.live();
        return draft;
      },
      [&state](compare_atom, const Shared<model::Snapshot>& snapshot) {
        auto view = model::live_view(*snapshot, state.table);
        view.header.monitor_alive = state.live();
        return share(std::move(view));
      },
      [&state](
          plan_atom, const Shared<model::Snapshot>& snapshot, const model::RestoreOptions& how,
          const Shared<std::vector<bool>>& in_scope) -> caf::result<Shared<model::RestorePlan>> {
        if (!state.live()) {
          return to_caf(
              Error{Code::kUnavailable, "the monitor is silent, so nobody knows the live values"});
        }
        return share(model::restore_plan(*snapshot, state.table, how, in_scope.get()));
      },
  };
}

Table::behavior_type replay_table_actor(Table::stateful_pointer<LiveActorState> self,
                                        ReplayTableOptions options) {
  auto& state = self->state;
  const api::ReplayRead read{options.replay.id, false};
  state.me = caf::actor_cast<Table>(self);
  state.link = options.link;
  state.source = {bus::FrameClass::kReplayState,
                  {options.journal, options.replay.stream},
                  "journal.replay_state",
                  model::pack(read)};
  state.subscribe();
  const auto acknowledge = [&state, options] {
    if (!state.reader.live()) return;
    // It does not read the news, so it has them all.
    const api::ReplayAck ack{options.replay.id, options.reader, true, state.reader.applied(),
                             ~std::uint64_t{0}};
    options.link->request(options.journal, "journal.replay_ack", model::pack(ack), {kAckBudget, {}},
                          [](const bus::Answer&) {});
  };

  return {
      [&state, acknowledge](wake_atom) {
        state.take_frames();
        acknowledge();
      },
      [&state, acknowledge](state_atom, const Shared<StateAnswer>& answer) {
        state.take_state(*answer);
        acknowledge();
      },
      [&state](again_atom, std::uint64_t from, const Shared<AgainFrames>& found) {
        state.take_again(from, *found);
      },
      [self, &state, acknowledge](tick_atom) {
        self->delayed_send(self, kLiveTick, tick_atom_v);
        state.act(state.reader.on_tick(steady_now()));
        acknowledge();  // also as a sign of life
      },
      [&state](channels_atom, const Shared<api::Channels>& channels) { state.learn(channels); },
      [&state](live_atom, const api::LiveQuery& query) { return share(state.answer(query)); },
  };
}

}  // namespace tidemark::actors
