// actors/monitor_archiving.cpp
//
// What the monitor does about policies and the storage guard, beside publishing: it keeps the time
// for model/archiving, says what the guard decided, and answers questions about rates.

#include <algorithm>

#include "actors/monitor.h"
#include "model/packing.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;

constexpr Duration kTurn = std::chrono::seconds(1);
// What is due together is sent together; a policy's pauses are longer than this.
constexpr Duration kDueCoalesce = std::chrono::milliseconds(10);
// When a whole IOC goes wild, the journal needs some names, not all of them.
constexpr std::size_t kReportsMax = 20;
constexpr std::size_t kNamesMax = 5;

std::string per_second(const api::Rate& rate) {
  return std::to_string(static_cast<std::uint64_t>(rate.updates_per_s + 0.5)) + " updates/s, " +
         std::to_string(static_cast<std::uint64_t>(rate.bytes_per_s + 0.5)) + " B/s";
}

}  // namespace

const std::string& MonitorState::address_of(model::ChannelId channel) const {
  static const std::string kUnknown = "?";
  const auto found = followed.find(model::raw(channel));
  return found == followed.end() ? kUnknown : found->second;
}

void MonitorState::wake_when_due() {
  const auto due = archiving->next_due();
  if (!due || (wakes_at && *wakes_at <= *due + kDueCoalesce)) return;
  const auto now = steady_now();
  const auto wait = std::max<Duration>(*due - now, kDueCoalesce);
  wakes_at = now + wait;
  self->delayed_send(self, wait, due_atom_v);
}

void MonitorState::release_due() {
  const auto now = steady_now();
  if (wakes_at && *wakes_at > now) return;  // An earlier wake was asked for since, and comes.
  wakes_at.reset();
  archive(archiving->due(now));
  wake_when_due();
}

void MonitorState::turn() {
  const auto now = steady_now();
  if (now - turned_at < kTurn) return;
  turned_at = now;
  auto turn = archiving->turn(now);
  archive(std::move(turn.kept));
  for (std::size_t i = 0; i < std::min(turn.guarded.size(), kReportsMax); ++i) {
    report(turn.guarded[i]);
  }
  if (turn.guarded.size() > kReportsMax) {
    append_all(options.outbox,
               {model::LogMessage{model::Level::kWarning, options.link->self().name,
                                  "the storage guard changed its mind about " +
                                      std::to_string(turn.guarded.size() - kReportsMax) +
                                      " more PVs in the same second"}});
  }
  const auto held = archiving->held();
  std::string sentence;
  for (std::size_t i = 0; i < std::min(held.size(), kNamesMax); ++i) {
    sentence += (i == 0 ? "" : ", ") + address_of(held[i]);
  }
  if (held.size() > kNamesMax) {
    sentence += " and " + std::to_string(held.size() - kNamesMax) + " more";
  }
  if (!held.empty()) sentence = "the storage guard thins what is archived of " + sentence;
  options.board->warning("guard", sentence);
}

void MonitorState::report(const model::Archiving::Guarded& guarded) {
  const auto& budget = options.guard;
  const auto& address = address_of(guarded.channel);
  model::LogMessage message;
  message.source = options.link->self().name;
  if (guarded.held) {
    message.level = model::Level::kWarning;
    message.text = address + " exceeds the storage guard's budget with " +
                   per_second(guarded.rate) + ": from now on at most " +
                   per_second({budget.updates_per_s_max, budget.bytes_per_s_max}) +
                   " of it are archived, the newest";
  } else {
    message.text = address + " is within the storage guard's budget again with " +
                   per_second(guarded.rate) + ": all of it is archived, " +
                   std::to_string(guarded.hidden) + " updates were not";
  }
  append_all(options.outbox, {std::move(message)});
}

void MonitorState::answer_rates(const bus::Call& call) {
  const auto query = model::unpack<api::RatesQuery>(call.payload());
  if (!query) return call.fail({Code::kInvalidArgument, query.error().message});
  auto rates = archiving->rates(query.value());
  for (auto& each : rates.channels) each.address = address_of(each.channel);
  call.done(model::pack(rates));
}

void MonitorState::forecast(const bus::Call& call) {
  const auto query = model::unpack<api::ForecastQuery>(call.payload());
  if (!query) return call.fail({Code::kInvalidArgument, query.error().message});
  const auto is_array = [&](model::ChannelId channel) {
    const auto* entry = table.find(channel);
    return entry != nullptr && std::holds_alternative<model::SharedArray>(entry->value);
  };
  const auto forecast = archiving->forecast(query.value(), is_array);
  if (!forecast) return call.fail(forecast.error());
  call.done(model::pack(forecast.value()));
}

}  // namespace tidemark::actors
