#include "subsystem/event_calls.h"

#include <utility>

#include "model/packing.h"

namespace tidemark::subsystem {
namespace {

namespace api = model::api;

std::vector<std::string> names_of(const EventWish& wish) {
  std::vector<std::string> names;
  for (const auto& target : wish.targets) names.push_back(target.name);
  return names;
}

}  // namespace

EventCallRun::EventCallRun(const std::shared_ptr<bus::Link>& link, std::shared_ptr<Outbox> outbox,
                           EventWish wish)
    : link_(*link),
      owned_(link),
      outbox_(std::move(outbox)),
      wish_(std::move(wish)),
      state_(names_of(wish_)) {}

std::shared_ptr<EventCallRun> EventCallRun::start(const std::shared_ptr<bus::Link>& link,
                                                  std::shared_ptr<Outbox> outbox, EventWish wish) {
  std::shared_ptr<EventCallRun> made(new EventCallRun(link, std::move(outbox), std::move(wish)));
  link->after(Duration{0}, [made] { made->begin(); });
  return made;
}

void EventCallRun::record(model::Record record) {
  if (outbox_) (void)outbox_->append(std::move(record));
}

void EventCallRun::begin() {
  record(model::EventCalled{id_, wish_.event, wish_.caller, names_of(wish_), wish_.argument});
  const auto payload = model::pack(api::EventCall{id_, wish_.event, wish_.argument, wish_.caller});
  for (const auto& target : wish_.targets) {
    const auto& name = target.name;
    if (!target.node) {
      answered(name, Error{Code::kNotFound, "no subsystem of that name is there"});
      continue;
    }
    asked_.push_back(link_.request(*target.node, "event.call", payload,
                                   {wish_.budget,
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
    self->state_.cancel();
    for (const auto& call : self->asked_) self->link_.cancel(call);
  });
}

}  // namespace tidemark::subsystem
