#include "actors/monitor.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "bus/change.h"
#include "model/packing.h"

namespace tidemark::actors {
namespace {

using model::PvUpdate;
namespace api = model::api;

// Between two drains. An IOC sends what one scan changed in a burst, and the first update of it
// starts a drain: the rest should follow soon, unless there is so much that larger batches save
// more.
constexpr Duration kCoalesce = std::chrono::microseconds(200);
constexpr Duration kCoalesceBusy = std::chrono::milliseconds(1);
constexpr std::size_t kBusyDrain = 256;  // updates
constexpr Duration kMonitorTick = std::chrono::milliseconds(200);
// A batch of 4096 scalars is some 100 KiB: a late gap costs little, and a frame stays far from
// its limit also with strings in it.
constexpr std::size_t kBatchUpdatesMax = 4096;
constexpr std::size_t kBatchBytesMax = 4u << 20;
constexpr std::size_t kStateUpdatesMax = 8192;

/// Cuts `updates` into batches; arrays decide where.
template <class Each>
void in_batches(std::vector<PvUpdate> updates, Each&& each) {
  std::vector<PvUpdate> batch;
  std::size_t bytes = 0;
  for (auto& update : updates) {
    const auto more = model::row_bytes(update);
    if (!batch.empty() && (batch.size() == kBatchUpdatesMax || bytes + more > kBatchBytesMax)) {
      each(batch);
      batch.clear();
      bytes = 0;
    }
    bytes += more;
    batch.push_back(std::move(update));
  }
  if (!batch.empty()) each(batch);
}

}  // namespace

void MonitorState::publish(const std::vector<PvUpdate>& updates) {
  const auto now = utc_now();
  for (const auto& update : updates) table.apply(update, now);
  const auto count = static_cast<std::uint32_t>(updates.size());
  auto payload = model::encode_updates(updates);
  published =
      options.link->publish(bus::FrameClass::kState, bus::kLiveStream, count, payload) + count - 1;
  ++batches;
  if (auto kept = archiving->take(updates, drained_at)) {
    archive(std::move(*kept));
    return wake_when_due();
  }
  self->send(options.outbox, batch_atom_v, UpdateBatch{std::move(payload), count, now});
}

void MonitorState::archive(std::vector<PvUpdate> updates) {
  in_batches(std::move(updates), [&](const std::vector<PvUpdate>& batch) {
    self->send(options.outbox, batch_atom_v,
               UpdateBatch{model::encode_updates(batch), static_cast<std::uint32_t>(batch.size()),
                           utc_now()});
  });
}

void MonitorState::drain() {
  auto updates = options.client->drain();
  drained_at = steady_now();
  coalesce = updates.size() < kBusyDrain ? kCoalesce : kCoalesceBusy;
  std::erase_if(updates, [&](const PvUpdate& update) {
    return !followed.contains(model::raw(update.channel));
  });
  in_batches(std::move(updates), [&](const std::vector<PvUpdate>& batch) { publish(batch); });
}

void MonitorState::follow(const api::Channels& channels) {
  channels_revision = channels.revision;
  std::unordered_map<std::uint32_t, std::string> wanted;
  std::vector<epics::ChannelSpec> fresh;
  for (const auto& channel : channels.channels) {
    wanted.emplace(model::raw(channel.id), channel.address);
    const auto known = followed.find(model::raw(channel.id));
    if (known == followed.end() || known->second != channel.address) {
      fresh.push_back({channel.id, channel.address});
    }
  }
  std::vector<model::ChannelId> gone;
  for (const auto& [id, address] : followed) {
    if (!wanted.contains(id)) gone.push_back(model::ChannelId{id});
  }
  followed = std::move(wanted);
  if (!gone.empty()) options.client->remove(std::move(gone));
  if (!fresh.empty()) {
    spdlog::info("following {} more channels, {} in all", fresh.size(), followed.size());
    options.client->add(std::move(fresh));
  }
  archive(archiving->follow(channels, steady_now()));
  wake_when_due();
}

void MonitorState::ask_channels() {
  if (asking || !stale) return;
  asking = true;
  stale = false;
  options.link->request(options.keeper, "keeper.channels", model::pack(api::Empty{}),
                        {std::chrono::seconds(5), {}},
                        [me = caf::actor_cast<Monitor>(self)](bus::Answer answer) {
                          Shared<api::Channels> channels;
                          if (answer) {
                            auto read = model::unpack<api::Channels>(answer.value());
                            if (read) channels = share(std::move(read).value());
                          }
                          caf::anon_send(me, channels_atom_v, channels);
                        });
}

void MonitorState::answer_state(const bus::Call& call) {
  // Between two batches the table is exactly the state after `published` items.
  api::StateEnd end{options.link->self().incarnation, published, 0};
  for (const auto& group : table.as_updates(kStateUpdatesMax)) {
    call.progress(model::pack(api::StatePart{model::Blob{model::encode_updates(group)}}));
    ++end.parts;
  }
  call.done(model::pack(end));
}

void MonitorState::read(const bus::Call& call) {
  auto request = model::unpack<api::ReadChannels>(call.payload());
  if (!request) return call.fail({Code::kInvalidArgument, request.error().message});
  const auto count = request.value().channels.size();
  if (count > model::UpdateLimits{}.updates_max) {
    return call.fail(
        {Code::kInvalidArgument, std::to_string(count) + " channels in one read; at most " +
                                     std::to_string(model::UpdateLimits{}.updates_max)});
  }
  options.client->read(std::move(request.value().channels), request.value().timeout,
                       [call](std::vector<epics::ReadOutcome> outcomes) {
                         std::vector<PvUpdate> updates;
                         api::ChannelValues values;
                         updates.reserve(outcomes.size());
                         values.errors.reserve(outcomes.size());
                         for (auto& outcome : outcomes) {
                           updates.push_back(std::move(outcome.update));
                           values.errors.push_back(std::move(outcome.error));
                         }
                         values.updates.bytes = model::encode_updates(updates);
                         call.done(model::pack(values));
                       });
}

void MonitorState::put(const bus::Call& call) {
  auto request = model::unpack<api::PutChannels>(call.payload());
  if (!request) return call.fail({Code::kInvalidArgument, request.error().message});
  std::vector<epics::Put> puts;
  puts.reserve(request.value().puts.size());
  for (auto& each : request.value().puts) puts.push_back({each.channel, std::move(each.value)});
  if (puts.empty()) return call.done(model::pack(api::Empty{}));
  const auto left = std::make_shared<std::atomic<std::size_t>>(puts.size());
  options.client->put(
      std::move(puts), request.value().timeout,
      [call, left](std::vector<epics::PutOutcome> outcomes) {
        const auto count = outcomes.size();
        api::PutResults results;
        results.results.reserve(count);
        for (auto& each : outcomes) {
          results.results.push_back(
              {each.channel, static_cast<std::uint8_t>(each.state), std::move(each.reason)});
        }
        call.progress(model::pack(results));
        if (left->fetch_sub(count) == count) call.done(model::pack(api::Empty{}));
      });
}

void MonitorState::show() {
  const auto status = options.client->status();
  auto& board = *options.board;
  board.gauge("tidemark_monitor_channels", "Channels followed", status.channels);
  board.gauge("tidemark_monitor_connected", "Channels connected", status.connected);
  board.gauge("tidemark_monitor_never_connected", "Channels that never answered",
              status.never_connected);
  board.gauge("tidemark_monitor_with_value", "Channels with a value",
              static_cast<double>(table.with_value()));
  board.count("tidemark_monitor_updates_total", "Updates received from IOCs",
              static_cast<double>(status.updates));
  board.count("tidemark_monitor_published_total", "Updates published on the live stream",
              static_cast<double>(published));
  board.count("tidemark_monitor_batches_total", "Batches published", static_cast<double>(batches));
  board.count("tidemark_monitor_hidden_total", "Updates hidden by newer ones in the full queue",
              static_cast<double>(status.hidden));
  board.count("tidemark_monitor_thinned_total",
              "Updates not archived because a policy or the storage guard hid them",
              static_cast<double>(archiving->hidden()));
  board.gauge("tidemark_monitor_thinned_channels", "Channels that a policy or the guard thins",
              static_cast<double>(archiving->thinned()));
  board.gauge("tidemark_monitor_guarded_channels", "Channels that the storage guard thins",
              static_cast<double>(archiving->held().size()));
  board.gauge("tidemark_monitor_puts_in_flight", "Puts sent and not completed",
              status.puts_in_flight);
}

Monitor::behavior_type monitor_actor(Monitor::stateful_pointer<MonitorState> self,
                                     MonitorOptions options) {
  auto& state = self->state;
  state.options = std::move(options);
  state.archiving = std::make_unique<model::Archiving>(state.options.guard);
  const auto me = caf::actor_cast<Monitor>(self);
  state.options.link->declare_stream(bus::FrameClass::kState, bus::kLiveStream);
  bus::on_change(*state.options.link, bus::FrameClass::kEvent,
                 {state.options.keeper, bus::kCatalogStream},
                 [me] { caf::anon_send(me, start_atom_v); });
  self->send(self, tick_atom_v);
  self->send(self, start_atom_v);

  return {
      [self, &state](wake_atom) {
        if (state.draining) return;
        const auto since = steady_now() - state.drained_at;
        if (since >= state.coalesce) return state.drain();
        state.draining = true;
        self->delayed_send(self, state.coalesce - since, commit_atom_v);
      },
      [&state](commit_atom) {
        state.draining = false;
        state.drain();
      },
      [self, &state](tick_atom) {
        self->delayed_send(self, kMonitorTick, tick_atom_v);
        state.ask_channels();
        state.turn();
        state.show();
      },
      [&state](due_atom) { state.release_due(); },
      [&state](channels_atom, const Shared<api::Channels>& channels) {
        state.asking = false;
        if (channels) {
          state.follow(*channels);
        } else {
          state.stale = true;  // Again at the next tick.
        }
      },
      [&state](start_atom) {
        state.stale = true;
        state.ask_channels();
      },
      [&state](state_atom, const bus::Call& call) { state.answer_state(call); },
      [&state](read_atom, const bus::Call& call) { state.read(call); },
      [&state](put_atom, const bus::Call& call) { state.put(call); },
      [&state](rates_atom, const bus::Call& call) { state.answer_rates(call); },
      [&state](forecast_atom, const bus::Call& call) { state.forecast(call); },
      [self, &state](stop_atom) {
        state.drain();
        state.archive(state.archiving->due(SteadyTime::max()));
        state.options.client.reset();
        self->quit();
        return Unit{};
      },
  };
}

}  // namespace tidemark::actors
