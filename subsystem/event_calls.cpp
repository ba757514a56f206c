#include "subsystem/event_calls.h"

#include <algorithm>
#include <utility>

#include "model/packing.h"

namespace tidemark::subsystem {
namespace {

namespace api = model::api;

/// How often a call looks whether it is known by now whom it is for.
constexpr Duration kChooseAgain = std::chrono::milliseconds(20);

std::vector<std::string> names_of(const std::vector<EventWish::Target>& targets) {
  std::vector<std::string> names;
  for (const auto& target : targets) names.push_back(target.name);
  return names;
}

}  // namespace

EventCallRun::EventCallRun(const std::shared_ptr<bus::Link>& link, std::shared_ptr<Outbox> outbox,
                           EventWish wish)
    : link_(*link),
      owned_(link),
      outbox_(std::move(outbox)),
      wish_(std::move(wish)),
      targets_(wish_.targets),
      state_(names_of(targets_)) {}

std::shared_ptr<EventCallRun> EventCallRun::start(const std::shared_ptr<bus::Link>& link,
                                                  std::shared_ptr<Outbox> outbox, EventWish wish) {
  std::shared_ptr<EventCallRun> made(new EventCallRun(link, std::move(outbox), std::move(wish)));
  link->after(Duration{0}, [made] { made->begin(); });
  return made;
}

void EventCallRun::record(model::Record record) {
  if (outbox_) (void)outbox_->append(std::move(record));
}

EventCallRun::~EventCallRun() {
  if (told_ || !wish_.on_ended) return;
  const Error why{Code::kUnavailable, wish_.caller + " has left the bus meanwhile"};
  if (targets_.empty()) state_ = model::EventCallState(why);
  for (const auto& target : targets_) state_.error(target.name, why);
  wish_.on_ended(state_);
}

void EventCallRun::begin() {
  if (!wish_.choose) return ask(wish_.budget);
  choose(link_.now() + wish_.budget);
}

void EventCallRun::choose(SteadyTime deadline) {
  const auto left = deadline - link_.now();
  if (cancelled_) return nobody({Code::kCancelled, "cancelled before anybody was asked"});
  if (auto chosen = wish_.choose()) {
    targets_ = std::move(*chosen);
    if (targets_.empty()) {
      return nobody({Code::kNotFound, "nobody handles '" + wish_.event + "'"});
    }
    state_ = model::EventCallState(names_of(targets_));
    return ask(left);
  }
  if (left <= Duration{0}) {
    return nobody(
        {Code::kUnavailable, "directory not settled: the registry does not know everybody yet"});
  }
  link_.after(std::min(left, kChooseAgain),
              [self = shared_from_this(), deadline] { self->choose(deadline); });
}

void EventCallRun::nobody(Error why) {
  record(model::EventCalled{id_, wish_.event, wish_.caller, {}, wish_.argument});
  state_ = model::EventCallState(std::move(why));
  look();
}

void EventCallRun::ask(Duration budget) {
  record(model::EventCalled{id_, wish_.event, wish_.caller, names_of(targets_), wish_.argument});
  const auto payload = model::pack(api::EventCall{id_, wish_.event, wish_.argument, wish_.caller});
  for (const auto& target : targets_) {
    const auto& name = target.name;
    if (!target.node) {
      answered(name, Error{Code::kNotFound, "no subsystem of that name is there"});
      continue;
    }
    asked_.push_back(link_.request(*target.node, "event.call", payload,
                                   {budget,
                                    [self = shared_from_this(), name](const Bytes& packed) {
                                      auto feedback = model::unpack<api::EventFeedback>(packed);
                                      if (!feedback) return;
                                      const auto& said = feedback.value();
                                      self->state_.feedback(name, said.text, said.value);
                                      self->record(model::EventFeedback{self->id_,
                                                                        self->wish_.event, name,
                                                                        said.text, said.value});
                                      if (self->wish_.on_feedback)
                                        self->wish_.on_feedback(name, said);
                                    }},
                                   [self = shared_from_this(), name](const bus::Answer& answer) {
                                     self->answered(name, answer);
                                   }));
  }
  look();
}

void EventCallRun::answered(const std::string& target, const bus::Answer& answer) {
  const auto result = answer ? model::unpack<api::EventResult>(answer.value())
                             : Result<api::EventResult>(answer.error());
  if (result) {
    state_.done(target, result.value().value);
  } else {
    state_.error(target, result.error());
  }
  const auto& now = state_.targets().at(target);
  record(model::EventAnswered{id_, wish_.event, target, std::string(to_string(now.state)), now.text,
                              now.value});
  look();
}

void EventCallRun::look() {
  if (told_ || !state_.ended()) return;
  told_ = true;
  if (wish_.on_ended) wish_.on_ended(state_);
}

void EventCallRun::cancel() {
  const auto at = owned_.lock();
  if (!at) return;
  at->after(Duration{0}, [self = shared_from_this()] {
    self->cancelled_ = true;
    self->state_.cancel();
    for (const auto& call : self->asked_) self->link_.cancel(call);
  });
}

}  // namespace tidemark::subsystem
