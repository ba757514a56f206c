#include "tools/live_follower.h"

#include <utility>

#include "bus/ask_again.h"
#include "model/api/monitor.h"
#include "model/api/node.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kQueueBytesMax = 64u
                                       << 20;  // a paused terminal; more is a hole, then a state
constexpr auto kStateBudget = 10s;

}  // namespace

LiveFollower::LiveFollower(Client& client, const bus::NodeInfo& monitor)
    : client_(client),
      monitor_(bus::node_number(monitor.uuid)),
      inbox_(std::make_shared<Mailbox<Event>>(kQueueBytesMax)) {
  client_.link().subscribe(bus::FrameClass::kState, {monitor_, bus::kLiveStream},
                           [inbox = inbox_](bus::Frame frame) {
                             const auto bytes = frame.payload.size() + bus::kFrameHeaderBytes;
                             inbox->push(Event(std::move(frame)), bytes);
                           });
}

void LiveFollower::ask_state() {
  auto parts = std::make_shared<std::vector<Bytes>>();
  bus::RequestOptions options;
  options.budget = kStateBudget;
  options.on_progress = [parts](Bytes part) { parts->push_back(std::move(part)); };
  client_.link().request(monitor_, "monitor.state", model::pack(model::api::Empty{}),
                         std::move(options), [inbox = inbox_, parts](bus::Answer answer) {
                           // Weight 0: a state is asked for once, and must not be refused.
                           inbox->push(Event(State{std::move(*parts), std::move(answer)}), 0);
                         });
}

void LiveFollower::ask_again(const bus::StreamReader::AskAgain& hole) {
  bus::ask_again(client_.link(), {monitor_, bus::kLiveStream}, hole,
                 [inbox = inbox_, from = hole.from](Result<std::vector<bus::Frame>> frames) {
                   inbox->push(Event(Again{from, std::move(frames)}), 0);
                 });
}

bus::StreamReader::Actions LiveFollower::take(State state) {
  const auto end = state.end ? model::unpack<model::api::StateEnd>(state.end.value())
                             : Result<model::api::StateEnd>(state.end.error());
  if (!end || end.value().parts != state.parts.size()) {
    return reader_.on_state_failed(steady_now());
  }
  std::vector<Bytes> parts;
  for (const auto& packed : state.parts) {
    auto part = model::unpack<model::api::StatePart>(packed);
    if (part) parts.push_back(std::move(part.value().updates.bytes));
  }
  return reader_.on_state(end.value().incarnation, end.value().sequence, std::move(parts),
                          steady_now());
}

bus::StreamReader::Actions LiveFollower::react(Event event) {
  if (auto* frame = std::get_if<bus::Frame>(&event)) {
    return reader_.on_frame(std::move(*frame), steady_now());
  }
  if (auto* again = std::get_if<Again>(&event)) {
    if (!again->frames) return reader_.on_again_failed(again->from);
    return reader_.on_again(again->from, std::move(again->frames).value());
  }
  return take(std::move(std::get<State>(event)));
}

std::vector<LiveUpdate> LiveFollower::next(Duration wait) {
  std::vector<LiveUpdate> out;
  for (auto& event : inbox_->take(wait)) carry_out(react(std::move(event)), out);
  carry_out(reader_.on_tick(steady_now()), out);
  return out;
}

void LiveFollower::carry_out(const bus::StreamReader::Actions& actions,
                             std::vector<LiveUpdate>& out) {
  const auto apply = [&](const Bytes& payload, bool from_state) {
    auto updates = model::decode_updates(payload);
    if (!updates) return;
    for (auto& update : updates.value()) out.push_back({std::move(update), from_state});
  };
  for (const auto& action : actions) {
    if (std::holds_alternative<bus::StreamReader::AskState>(action)) ask_state();
    if (const auto* hole = std::get_if<bus::StreamReader::AskAgain>(&action)) ask_again(*hole);
    if (const auto* items = std::get_if<bus::StreamReader::Apply>(&action)) {
      apply(items->payload, false);
    }
    if (const auto* whole = std::get_if<bus::StreamReader::Whole>(&action)) {
      for (const auto& part : whole->parts) apply(part, true);
    }
  }
}

}  // namespace tidemark::tools
