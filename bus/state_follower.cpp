#include "bus/state_follower.h"

#include <utility>

#include "bus/ask_again.h"

namespace tidemark::bus {
namespace {

constexpr Duration kFollowerTick = std::chrono::milliseconds(100);
constexpr Duration kStateBudget = std::chrono::seconds(5);

}  // namespace

std::shared_ptr<StateFollower> StateFollower::start(Link& link, StateFollowerOptions options) {
  const std::shared_ptr<StateFollower> made(new StateFollower(link, std::move(options)));
  const std::weak_ptr<StateFollower> weak = made;
  made->subscription_ =
      link.subscribe(made->options_.frame_class, made->options_.stream, [weak](Frame frame) {
        const auto self = weak.lock();
        if (!self || self->stopped_) return;
        self->heard_at_ = self->link_.now();
        self->act(self->reader_.on_frame(std::move(frame), self->heard_at_));
      });
  link.after(kFollowerTick, [weak] {
    if (const auto self = weak.lock()) self->tick();
  });
  return made;
}

void StateFollower::stop() {
  stopped_ = true;
  link_.unsubscribe(subscription_);
}

void StateFollower::tick() {
  if (stopped_) return;
  link_.after(kFollowerTick, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->tick();
  });
  act(reader_.on_tick(link_.now()));
}

void StateFollower::act(StreamReader::Actions actions) {
  for (auto& action : actions) {
    if (const auto* again = std::get_if<StreamReader::AskAgain>(&action)) {
      ask_again(link_, options_.stream, *again,
                [weak = weak_from_this(), from = again->from](Result<std::vector<Frame>> frames) {
                  const auto self = weak.lock();
                  if (!self || self->stopped_) return;
                  self->act(frames ? self->reader_.on_again(from, std::move(frames).value())
                                   : self->reader_.on_again_failed(from));
                });
    } else if (std::holds_alternative<StreamReader::AskState>(action)) {
      ask_state();
    } else if (auto* apply = std::get_if<StreamReader::Apply>(&action)) {
      const auto taken = options_.on_items(apply->payload);
      if (taken) continue;
      unreadable(taken.error());
      act(reader_.on_unreadable(apply->from, apply->to, link_.now()));
    } else if (auto* whole = std::get_if<StreamReader::Whole>(&action)) {
      options_.on_state(std::move(whole->parts));
    } else if (const auto* lost = std::get_if<StreamReader::Lost>(&action)) {
      if (options_.on_lost) options_.on_lost(*lost);
    }
  }
}

void StateFollower::unreadable(const Error& why) {
  const auto& stream = options_.stream;
  link_.malformed("stream " + std::to_string(stream.stream) + " of " + hex(stream.node),
                  why.message);
}

void StateFollower::ask_state() {
  const auto progress = std::make_shared<std::vector<Bytes>>();
  link_.request(options_.stream.node, options_.method, options_.payload,
                {kStateBudget, [progress](Bytes part) { progress->push_back(std::move(part)); }},
                [progress, weak = weak_from_this()](Answer answer) {
                  const auto self = weak.lock();
                  if (!self || self->stopped_) return;
                  auto state = answer ? self->options_.read_state(std::move(*progress),
                                                                  std::move(answer).value())
                                      : Result<WholeState>(answer.error());
                  if (!state) {
                    if (answer && state.error().code != Code::kUnavailable) {
                      self->unreadable(state.error());
                    }
                    return self->act(self->reader_.on_state_failed(self->link_.now()));
                  }
                  auto& whole = state.value();
                  self->act(self->reader_.on_state(whole.incarnation, whole.sequence,
                                                   std::move(whole.parts), self->link_.now()));
                });
}

}  // namespace tidemark::bus
