#include <cadef.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "epics/ca_client_impl.h"

namespace tidemark::epics {
namespace {

constexpr std::size_t kContextChannelsMax = 12'500;  // of an IOC, before it has another circuit
constexpr std::size_t kMainContextsMax = 8;
constexpr std::size_t kAsksMax = 8'192;  // in one batch: libca blocks from 256 KiB unsent

}  // namespace

void CaClient::attach(std::size_t context) {
  if (attached_ == context) return;
  if (attached_) ca_detach_context();
  attached_ = context;
  ca_attach_context(contexts_[context].ca);
}

bool CaClient::new_context() {
  if (ca_context_create(ca_enable_preemptive_callback) != ECA_NORMAL) return false;
  install_handlers();
  contexts_.push_back({ca_current_context(), 0, false});
  ca_detach_context();
  return true;
}

/// Where the next channel of this IOC goes.
std::size_t CaClient::main_context_for(const std::string& server) {
  auto& place = servers_[server];
  if (place.context == kQuarantine || place.channels >= kContextChannelsMax) {
    const auto emptiest = [this] {
      return static_cast<std::size_t>(
          std::min_element(contexts_.begin() + 1, contexts_.end(),
                           [](const auto& a, const auto& b) { return a.channels < b.channels; }) -
          contexts_.begin());
    };
    place.context = emptiest();
    const bool full = contexts_[place.context].channels >= kContextChannelsMax;
    if (full && contexts_.size() <= kMainContextsMax) {
      if (attached_) ca_detach_context();
      attached_.reset();
      if (new_context()) place.context = emptiest();
    }
    place.channels = 0;
  }
  ++place.channels;
  return place.context;
}

void CaClient::create(Channel& channel, Channel::Place place, std::size_t context) {
  channel.place = place;
  channel.context = context;
  channel.created_at = steady_now();
  channel.incarnation = next_incarnation_++;
  attach(context);
  const int status = ca_create_channel(channel.address.c_str(), on_connection, &channel,
                                       CA_PRIORITY_DEFAULT, &channel.ca);
  if (status != ECA_NORMAL) {
    spdlog::error("epics: {}: {}", channel.address, ca_message(status));
    channel.ca = nullptr;
    return;
  }
  ca_replace_access_rights_event(channel.ca, on_rights);
  ++contexts_[context].channels;
  contexts_[context].dirty = true;
}

/// After this no callback of the channel runs.
void CaClient::clear(Channel& channel) {
  if (channel.ca == nullptr) return;
  attach(channel.context);
  ca_clear_channel(channel.ca);
  --contexts_[channel.context].channels;
  contexts_[channel.context].dirty = true;
  channel.ca = nullptr;
  while (channel.open_asks > 0) ask_answered(channel);
  channel.subscribed = false;
  channel.incarnation = 0;
  channel.announced.reset();
  channel.held.clear();
  channel.meta.reset();
  if (std::exchange(channel.connected, false)) --connected_;
}

/// Looks for the name from now on.
void CaClient::seek(const ChannelPtr& channel) {
  channel->search = SearchId{next_search_++};
  sought_.emplace(channel->search, channel);
}

void CaClient::quarantine(Channel& channel) {
  channel.server.clear();
  channel.asked_at = nullptr;
  create(channel, Channel::Place::kInQuarantine, kQuarantine);
}

void CaClient::take(AddCommand command) {
  const auto now = steady_now();
  for (auto& channel : command.channels) {
    if (socket_) {
      seek(channel);
      search_.add(channel->search, now);
    } else {
      create(*channel, Channel::Place::kInMain, main_context_for(""));
    }
  }
}

void CaClient::take(RemoveCommand command) {
  for (auto& channel : command.channels) {
    channel->removed = true;
    lose_puts(*channel, "removed");
    search_.remove(channel->search);
    sought_.erase(channel->search);
    clear(*channel);
    if (!channel->ever_connected) --never_connected_;
  }
}

void CaClient::take(Event event) {
  auto& channel = *event.channel;
  if (channel.removed || channel.incarnation != event.incarnation) return;
  switch (event.kind) {
    case Event::Kind::kUp:
      if (!std::exchange(channel.connected, true)) ++connected_;
      if (!std::exchange(channel.ever_connected, true)) --never_connected_;
      if (channel.place == Channel::Place::kInQuarantine) {
        search_.remove(channel.search);
        sought_.erase(channel.search);
      }
      ask(event.channel, 0);
      return;
    case Event::Kind::kMeta:
      channel.meta = std::move(event.meta);
      ask_answered(channel);
      return;
    case Event::Kind::kDown: {
      // libca would wait some seconds before it searches again, and then for ever longer.
      const auto host = channel.meta ? channel.meta->host : channel.server;
      lose_puts(channel, "the connection was lost before it was sent");
      if (!socket_) {
        channel.meta.reset();
        if (std::exchange(channel.connected, false)) --connected_;
        return;
      }
      clear(channel);
      channel.place = Channel::Place::kNowhere;
      if (channel.server.empty()) quarantine(channel);  // libca alone has found it before.
      seek(event.channel);
      search_.add_lost(channel.search, host, steady_now());
      return;
    }
  }
}

void CaClient::flush() {
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    if (!std::exchange(contexts_[i].dirty, false)) continue;
    attach(i);
    ca_flush_io();
  }
}

// ---- what is asked of an IOC

void CaClient::ask(const ChannelPtr& channel, std::uint64_t read) {
  Ask ask{channel, channel->incarnation, read};
  auto* server = channel->asked_at;
  if (server == nullptr) {
    send_ask(ask);
    return;
  }
  server->waiting[channel->context].push_back(std::move(ask));
  if (!std::exchange(server->asking, true)) asking_.push_back(server);
}

void CaClient::send_asks() {
  std::erase_if(asking_, [&](Server* server) {
    if (server->open > 0) return false;
    while (server->open == 0 && !server->waiting.empty()) {
      auto next = server->waiting.upper_bound(server->last_asked);
      if (next == server->waiting.end()) next = server->waiting.begin();
      server->last_asked = next->first;
      auto& asks = next->second;
      for (; server->open < kAsksMax && !asks.empty(); asks.pop_front()) {
        if (!send_ask(asks.front())) continue;
        ++server->open;
        ++asks.front().channel->open_asks;
      }
      if (asks.empty()) server->waiting.erase(next);
    }
    server->asking = server->open > 0;
    return !server->asking;
  });
}

/// True when an answer is to come.
bool CaClient::send_ask(const Ask& ask) {
  auto& channel = *ask.channel;
  const bool here = !channel.removed && channel.connected && channel.incarnation == ask.incarnation;
  if (ask.read == 0) return here && subscribe(channel);
  if (here) return get(channel, ask.read);
  take(ReadDone{ask.read, ECA_DISCONN, {}, nullptr});
  return false;
}

void CaClient::ask_answered(Channel& channel) {
  if (channel.open_asks == 0) return;
  --channel.open_asks;
  --channel.asked_at->open;
}

/// Reads whose deadline has come are not sent any more.
void CaClient::drop_late_asks() {
  for (auto* server : asking_) {
    for (auto& [context, asks] : server->waiting) {
      std::erase_if(asks, [this](const Ask& ask) {
        return ask.read != 0 && !reads_.contains(ask.read >> 32);
      });
    }
  }
}

/// Asks for what the IOC says about the PV, then for its values: they are answered in order.
bool CaClient::subscribe(Channel& channel) {
  attach(channel.context);
  contexts_[channel.context].dirty = true;
  const auto field = ca_field_type(channel.ca);
  const auto count = ca_element_count(channel.ca);
  if (field < 0 || count == 0) return false;  // Gone meanwhile: kDown follows.
  bool asked = false;
  if (ca_read_access(channel.ca) != 0) {
    asked = ca_array_get_callback(dbr::ctrl_type(field), 1, channel.ca, on_ctrl, &channel) ==
            ECA_NORMAL;
  }
  if (channel.subscribed) return asked;
  channel.subscribed = true;
  // 0: as many as there are.
  unsigned long wanted = count == 1 ? 1 : 0;
  if (count > options_.array_elements_max) {
    spdlog::warn("epics: {} has {} elements; only {} are taken", channel.address, count,
                 options_.array_elements_max);
    wanted = options_.array_elements_max;
  }
  const int status = ca_create_subscription(dbr::time_type(field), wanted, channel.ca,
                                            DBE_VALUE | DBE_ALARM, on_value, &channel, nullptr);
  if (status != ECA_NORMAL && status != ECA_DISCONN) {
    spdlog::error("epics: {}: {}", channel.address, ca_message(status));
  }
  return asked;
}

bool CaClient::get(Channel& channel, std::uint64_t token) {
  const auto batch = reads_.find(token >> 32);
  if (batch == reads_.end()) return false;  // Its deadline has come.
  attach(channel.context);
  contexts_[channel.context].dirty = true;
  const auto count = ca_element_count(channel.ca);
  unsigned long wanted = count == 1 ? 1 : 0;
  if (count > options_.array_elements_max) wanted = options_.array_elements_max;
  const auto field = ca_field_type(channel.ca);
  const int status = field < 0 ? ECA_DISCONN
                               : ca_array_get_callback(dbr::time_type(field), wanted, channel.ca,
                                                       on_read, as_user(token));
  if (status == ECA_NORMAL) return true;
  take(ReadDone{token, status, {}, nullptr});
  return false;
}

// ---- names

void CaClient::search() {
  if (!socket_) return;
  const auto now = steady_now();
  for (auto& answer : socket_->receive()) {
    const auto at = sought_.find(answer.id);
    if (at == sought_.end()) continue;  // Answered twice.
    const auto channel = std::move(at->second);
    sought_.erase(at);
    search_.answered(answer.id, now);
    clear(*channel);  // From the quarantine.
    channel->server = std::move(answer.server);
    channel->asked_at = &servers_[channel->server];
    create(*channel, Channel::Place::kInMain, main_context_for(channel->server));
    unproven_.push_back(channel);
  }
  const auto step = search_.step(now);
  SearchDatagram datagram;
  for (const auto id : step.ask) {
    const auto& name = sought_.at(id)->address;
    if (datagram.add(id, name)) continue;
    socket_->send(datagram.bytes());
    datagram = {};
    datagram.add(id, name);
  }
  if (!datagram.empty()) socket_->send(datagram.bytes());
  for (const auto id : step.silent) quarantine(*sought_.at(id));
}

/// A name that answered and does not connect would slow down the search of its whole context.
void CaClient::check_patience(SteadyTime now) {
  if (unproven_.empty() || now < unproven_.front()->created_at + kConnectPatience) return;
  std::vector<ChannelPtr> still;
  for (auto& channel : std::exchange(unproven_, {})) {
    const bool waits =
        !channel->removed && !channel->connected && channel->place == Channel::Place::kInMain;
    if (!waits) continue;
    if (now < channel->created_at + kConnectPatience) {
      still.push_back(std::move(channel));
      continue;
    }
    const auto server = channel->server;
    clear(*channel);
    quarantine(*channel);
    seek(channel);
    search_.add_lost(channel->search, server, now);
  }
  unproven_ = std::move(still);
}

}  // namespace tidemark::epics
