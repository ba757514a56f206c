#include "subsystem/durable_keys.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "model/packing.h"
#include "model/record.h"
#include "subsystem/session.h"

namespace tidemark::subsystem {
namespace {

namespace api = model::api;

/// It may answer when it is asked again.
bool is_away(Code code) {
  return code == Code::kTimeout || code == Code::kUnavailable || code == Code::kNotFound;
}

}  // namespace

DurableKeys::DurableKeys(std::weak_ptr<Session> session, DurableWish wish)
    : session_(std::move(session)),
      wish_(std::move(wish)),
      pattern_(wish_.pattern),
      next_(wish_.from == 0 && wish_.since ? 1 : wish_.from) {}

void DurableKeys::ask(Session& session, bus::Link& link) {
  if (closed_) return;
  const auto journal = session.find("journal", steady_now());
  if (!journal) return away(session, link, journal.error());
  api::ReadRequest request;
  if (next_ == 0) {
    request.newest_first = true;
    request.from = 0;
    request.limit = 1;
  } else {
    request.from = next_;
    request.kinds = 1u << static_cast<unsigned>(model::RecordKind::kKvUpdate);
    request.since = wish_.since;
    request.subject = pattern_.text();
    request.limit = kPage;
    request.wait = away_ ? Duration{0} : kWait;
  }
  link.request(
      bus::node_number(journal.value().uuid), "journal.read", model::pack(request),
      {request.wait + kPatience, {}}, [self = shared_from_this(), at = &link](bus::Answer answer) {
        const auto on = self->session_.lock();
        if (self->closed_ || !on || !on->is_on_bus()) return;
        const auto taken =
            on->executor()->post([self, answer = std::move(answer)] { self->take(answer); });
        if (!taken) self->later(*at);  // Too much waits there: the same page again.
      });
}

void DurableKeys::again(Session& session) {
  if (const auto link = session.link()) ask(session, *link);
}

void DurableKeys::later(bus::Link& link) {
  link.after(kRetry, [self = shared_from_this(), at = &link] {
    const auto session = self->session_.lock();
    if (session && session->is_on_bus()) self->ask(*session, *at);
  });
}

void DurableKeys::take(const bus::Answer& answer) {
  const auto session = session_.lock();
  if (closed_ || !session) return;
  if (!answer) {
    if (is_away(answer.error().code)) {
      if (const auto link = session->link()) away(*session, *link, answer.error());
      return;
    }
    return say(answer.error());
  }
  const auto page = model::unpack<api::ReadReply>(answer.value());
  if (!page) return say(page.error());
  away_ = false;
  look(*session);
  if (next_ == 0) {
    next_ = page.value().last_line + 1;
    return again(*session);
  }
  if (page.value().last_line + 1 < next_ && !std::exchange(shorter_, true)) {
    say({Code::kConflict, "the journal ends at line " + std::to_string(page.value().last_line) +
                              ", before line " + std::to_string(next_ - 1) +
                              " that was seen: is it another one?"});
  }
  for (const auto& line : page.value().lines) {
    if (closed_ || !session->is_on_bus()) return;
    if (line.line < next_) continue;
    next_ = line.line + 1;
    run_guarded("a durable listener", [&] { show(line); });
  }
  next_ = std::max(next_, page.value().next);
  again(*session);
}

void DurableKeys::show(const api::LogLine& line) {
  const auto records = model::decode_records(line.record.bytes);
  if (!records || records.value().empty()) return;
  if (const auto* expired = std::get_if<model::Expired>(&records.value().front())) {
    return say({Code::kNotFound, model::describe(*expired)});
  }
  const auto* update = std::get_if<model::KvUpdate>(&records.value().front());
  if (update == nullptr) return;
  const auto slash = std::min(update->key.find('/'), update->key.size());
  if (!pattern_.matches(update->key.substr(0, slash),
                        update->key.substr(std::min(slash + 1, update->key.size())))) {
    return;
  }
  auto& told = told_[update->key];
  const bool goes_on = told.incarnation == line.incarnation && update->sequence > told.sequence;
  KeyEvent event{update->key,
                 update->value,
                 update->time,
                 update->sequence,
                 api::Quality::kGood,
                 update->writer,
                 line.incarnation,
                 goes_on ? update->sequence - told.sequence - 1 : 0,
                 line.line};
  told = {line.incarnation, update->sequence};
  wish_.on_event(event);
}

void DurableKeys::look(const Session& session) {
  const auto now = steady_now();
  if (looked_ != SteadyTime{} && now < looked_ + kLook) return;
  looked_ = now;
  for (const auto& node : session.directory().nodes) {
    const auto hash = std::hash<std::string>{}(node.surface.bytes);
    if (std::exchange(surfaces_[node.uuid], hash) == hash || node.surface.bytes.empty()) continue;
    const auto surface = model::unpack<api::Surface>(node.surface.bytes);
    if (!surface) continue;
    for (const auto& spec : surface.value().keys) {
      const auto name = node.name + "/" + spec.name;
      if (spec.journaled || !pattern_.matches(node.name, spec.name)) {
        unrecorded_.erase(name);
      } else if (unrecorded_.insert(name).second) {
        say({Code::kRefused, name + " is not journaled: only what others write to it is recorded"});
      }
    }
  }
}

void DurableKeys::away(Session& session, bus::Link& link, const Error& error) {
  if (!std::exchange(away_, true)) {
    session.executor()->post([self = shared_from_this(), why = error.message] {
      self->say({Code::kUnavailable, "the journal is away (" + why + "); waiting"});
    });
  }
  later(link);
}

void DurableKeys::say(const Error& problem) {
  if (closed_) return;
  run_guarded("a durable listener", [&] { wish_.on_problem(problem); });
}

}  // namespace tidemark::subsystem
