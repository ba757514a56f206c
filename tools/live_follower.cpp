#include "tools/live_follower.h"

#include <utility>

#include "model/api/monitor.h"
#include "model/api/node.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kQueueBytesMax = 64u
                                       << 20;  // a paused terminal; more is a hole, then a state
constexpr auto kStateBudget = 10s;

}  // namespace

LiveFollower::Inbox::Inbox()
    : queue(kQueueBytesMax, [this] {
        {
          const std::lock_guard lock(mutex);
          woken = true;
        }
        changed.notify_one();
      }) {}

LiveFollower::LiveFollower(Client& client, const bus::NodeInfo& monitor)
    : client_(client), monitor_(bus::node_number(monitor.uuid)) {
  client_.link().subscribe(bus::FrameClass::kState, {monitor_, bus::kLiveStream},
                           [inbox = inbox_](bus::Frame frame) {
                             const auto bytes = frame.payload.size() + bus::kFrameHeaderBytes;
                             inbox->queue.push(Event(std::move(frame)), bytes);
                           });
}

void LiveFollower::ask_state() {
  auto parts = std::make_shared<std::vector<Bytes>>();
  bus::RequestOptions options;
  options.budget = kStateBudget;
  options.on_progress = [parts](Bytes part) { parts->push_back(std::move(part)); };
  client_.link().request(monitor_, "monitor.state", model::pack(model::api::Empty{}),
                         std::move(options), [inbox = inbox_, parts](bus::Answer answer) {
                           // Weight 1: a state is asked for once, and must not be refused.
                           inbox->queue.push(Event(State{std::move(*parts), std::move(answer)}), 1);
                         });
}

std::vector<LiveUpdate> LiveFollower::next(Duration wait) {
  {
    std::unique_lock lock(inbox_->mutex);
    inbox_->changed.wait_for(lock, wait, [&] { return inbox_->woken; });
    inbox_->woken = false;
  }
  std::vector<LiveUpdate> out;
  for (auto& event : inbox_->queue.drain()) {
    if (auto* frame = std::get_if<bus::Frame>(&event)) {
      carry_out(reader_.on_frame(std::move(*frame), steady_now()), 0, out);
      continue;
    }
    auto& state = std::get<State>(event);
    const auto end = state.end ? model::unpack<model::api::StateEnd>(state.end.value())
                               : Result<model::api::StateEnd>(state.end.error());
    if (!end || end.value().parts != state.parts.size()) {
      carry_out(reader_.on_state_failed(steady_now()), 0, out);
      continue;
    }
    std::vector<Bytes> parts;
    for (const auto& packed : state.parts) {
      auto part = model::unpack<model::api::StatePart>(packed);
      if (part) parts.push_back(std::move(part.value().updates.bytes));
    }
    const auto count = parts.size();
    carry_out(reader_.on_state(end.value().incarnation, end.value().sequence, std::move(parts),
                               steady_now()),
              count, out);
  }
  carry_out(reader_.on_tick(steady_now()), 0, out);
  return out;
}

void LiveFollower::carry_out(bus::StreamReader::Actions actions, std::size_t state_parts,
                             std::vector<LiveUpdate>& out) {
  std::size_t applied = 0;  // of this state: its parts come first
  for (auto& action : actions) {
    if (std::holds_alternative<bus::StreamReader::AskState>(action)) ask_state();
    auto* apply = std::get_if<bus::StreamReader::Apply>(&action);
    if (apply == nullptr) continue;
    const bool from_state = applied++ < state_parts;
    auto updates = model::decode_updates(apply->payload);
    if (!updates) continue;
    for (auto& update : updates.value()) out.push_back({std::move(update), from_state});
  }
}

}  // namespace tidemark::tools
