// test/support/simulated_bus.h
//
// A network in one thread, with a clock that a test turns by hand: what happens follows from one
// seed. Processes are connected as ZeroMQ connects them:
//
//   publisher ── data connection ──► subscriber      subscriptions travel the other way
//   server ◄──── request connection ──► caller       has an identity that outlives a reconnection
//
// A connection keeps its order, and has no more: what it carries may be late, lost or doubled. One
// that breaks comes back by itself, to whoever is bound there by then; what was under way is lost
// or overtaken. A process that is not turned (frozen) finds everything in its inbox later.

#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "bus/clock.h"
#include "bus/transport.h"

namespace tidemark::test {

enum class ProcessId : std::uint64_t {};

struct SimulatedFaults {
  unsigned loss_percent = 0;       // of frames and envelopes
  unsigned duplicate_percent = 0;  // of frames and requests; a connection doubles no answer
  unsigned break_permyriad = 0;    // of connections, at each step
  Duration delay_max = std::chrono::milliseconds(1);
};

class SimulatedBus {
 public:
  static constexpr Duration kStep = std::chrono::milliseconds(10);
  static constexpr std::size_t kPacketsPerTurn = 256;
  static constexpr std::size_t kUnderWayMax = 2000;  // of one connection, as ZeroMQ's mark

  explicit SimulatedBus(std::uint64_t seed) : random_(seed) {}

  // ---- What a test does.

  SteadyTime now() const { return now_; }
  bus::Clock clock(Duration skew) {
    return {[this] { return now_; },
            [this, skew] {
              return UtcTime{std::chrono::seconds(1'767'225'600)} + now_.time_since_epoch() + skew;
            }};
  }
  /// The transport of a process that begins now: it takes its node's endpoints over.
  std::unique_ptr<bus::Transport> open(ProcessId process, bus::NodeNumber number);
  /// Not a word leaves it any more.
  void crash(ProcessId process);
  void set_faults(SimulatedFaults faults) { faults_ = faults; }
  /// Nothing gets from `from` to `to` until then. It waits on the way (`holds`), or is lost.
  void cut(bus::NodeNumber from, bus::NodeNumber to, SteadyTime until, bool holds) {
    cuts_[{from, to}] = Cut{until, holds};
  }
  void heal() { cuts_.clear(); }
  void step();

  std::uint64_t random(std::uint64_t below) { return random_() % below; }
  bool chance(unsigned percent) { return random(100) < percent; }
  std::size_t inbox_max() const { return inbox_max_; }

 private:
  class Wire;
  enum class Kind { kSubscribe, kUnsubscribe, kFrame, kRequest, kAnswer };
  struct Connection {
    ProcessId client{};
    bus::NodeNumber client_number{};
    bus::NodeNumber server{};
    bool is_data = false;
    Bytes identity;
    std::optional<ProcessId> attached;
    std::uint64_t epoch = 0;       // counts its connections
    std::uint64_t lost_below = 0;  // what was under way in those epochs is lost
    std::multiset<Bytes> wanted;   // prefixes that the server has heard of
    SteadyTime up_at{};            // when the last one under way arrives, to the server
    SteadyTime down_at{};          // and to the client
    SteadyTime retry_at{};
    std::size_t under_way = 0;
    bool closed = false;
  };
  using Link = std::shared_ptr<Connection>;
  struct Packet {
    Kind kind;
    Link link;
    std::uint64_t epoch;
    Bytes bytes;
  };
  struct Process {
    bus::NodeNumber number{};
    std::multimap<SteadyTime, Packet> inbox;
    std::multiset<Bytes> prefixes;
    std::map<bus::NodeNumber, Link> data;
    std::map<bus::NodeNumber, Link> requests;
  };
  struct Cut {
    SteadyTime until;
    bool holds;
  };

  Process* find(ProcessId process) {
    const auto found = processes_.find(process);
    return found == processes_.end() ? nullptr : &found->second;
  }
  const Cut* cut_between(bus::NodeNumber from, bus::NodeNumber to) const {
    const auto found = cuts_.find({from, to});
    return found == cuts_.end() || found->second.until <= now_ || from == to ? nullptr
                                                                             : &found->second;
  }
  void send(const Link& link, Kind kind, Bytes bytes);
  void attach(const Link& link);
  void detach(const Link& link);
  void close(std::map<bus::NodeNumber, Link>& links, bus::NodeNumber server);
  Link connect(ProcessId client, bus::NodeNumber server, bool is_data);
  void deliver(ProcessId process, bus::Transport::Receiver& receiver);

  std::mt19937_64 random_;
  SteadyTime now_ = SteadyTime{} + std::chrono::hours(1);
  SimulatedFaults faults_;
  std::map<ProcessId, Process> processes_;
  std::map<bus::NodeNumber, ProcessId> bound_;
  std::vector<Link> links_;
  std::map<std::pair<bus::NodeNumber, bus::NodeNumber>, Cut> cuts_;
  std::size_t inbox_max_ = 0;
};

/// One process's end of it.
class SimulatedBus::Wire final : public bus::Transport {
 public:
  Wire(SimulatedBus& bus, ProcessId process) : bus_(bus), process_(process) {}

  std::function<void()> waker() override {
    return [] {};  // Everybody is turned at every step.
  }
  void receive(Receiver& receiver, Duration) override { bus_.deliver(process_, receiver); }

  void subscribe(BytesView prefix) override {
    auto* self = bus_.find(process_);
    if (self == nullptr) return;
    self->prefixes.insert(Bytes(prefix));
    for (auto& [server, link] : self->data) {
      if (link->attached) bus_.send(link, Kind::kSubscribe, Bytes(prefix));
    }
  }
  void unsubscribe(BytesView prefix) override {
    auto* self = bus_.find(process_);
    if (self == nullptr) return;
    const auto found = self->prefixes.find(Bytes(prefix));
    if (found != self->prefixes.end()) self->prefixes.erase(found);
    for (auto& [server, link] : self->data) {
      if (link->attached) bus_.send(link, Kind::kUnsubscribe, Bytes(prefix));
    }
  }

  void connect_data(const bus::NodeInfo& peer) override {
    auto* self = bus_.find(process_);
    const auto number = bus::node_number(peer.uuid);
    if (self == nullptr || self->data.contains(number)) return;
    const auto link = bus_.connect(process_, number, true);
    self->data[number] = link;
    bus_.attach(link);
  }
  void disconnect_data(bus::NodeNumber peer) override {
    if (auto* self = bus_.find(process_)) bus_.close(self->data, peer);
  }
  bool connect_requests(const bus::NodeInfo& peer) override {
    auto* self = bus_.find(process_);
    const auto number = bus::node_number(peer.uuid);
    if (self == nullptr || self->requests.contains(number)) return true;
    const auto link = bus_.connect(process_, number, false);
    self->requests[number] = link;
    bus_.attach(link);
    return true;
  }
  void disconnect_requests(bus::NodeNumber peer) override {
    if (auto* self = bus_.find(process_)) bus_.close(self->requests, peer);
  }

  void publish(const bus::SharedBytes& frame) override {
    if (bus_.find(process_) == nullptr) return;
    const Bytes prefix = frame->substr(0, 8);
    for (const auto& link : bus_.links_) {
      if (!link->is_data || link->attached != process_ || !link->wanted.contains(prefix)) continue;
      bus_.send(link, Kind::kFrame, *frame);
    }
  }
  Sent send_request(bus::NodeNumber server, Bytes& envelope) override {
    auto* self = bus_.find(process_);
    if (self == nullptr) return Sent::kNever;
    const auto found = self->requests.find(server);
    if (found == self->requests.end() || !found->second->attached ||
        found->second->under_way >= kUnderWayMax) {
      return Sent::kNotNow;
    }
    bus_.send(found->second, Kind::kRequest, std::move(envelope));
    return Sent::kYes;
  }
  Sent send_answer(const Bytes& caller, Bytes& envelope) override {
    if (bus_.find(process_) == nullptr) return Sent::kNever;
    for (const auto& link : bus_.links_) {
      if (link->is_data || link->attached != process_ || link->identity != caller) continue;
      bus_.send(link, Kind::kAnswer, std::move(envelope));
      return Sent::kYes;
    }
    return Sent::kNever;
  }

 private:
  SimulatedBus& bus_;
  const ProcessId process_;
};

inline std::unique_ptr<bus::Transport> SimulatedBus::open(ProcessId process,
                                                          bus::NodeNumber number) {
  processes_[process].number = number;
  bound_[number] = process;
  return std::make_unique<Wire>(*this, process);
}

inline void SimulatedBus::crash(ProcessId process) {
  auto* gone = find(process);
  if (gone == nullptr) return;
  const auto bound = bound_.find(gone->number);
  if (bound != bound_.end() && bound->second == process) bound_.erase(bound);
  for (const auto& link : links_) {
    if (link->client == process) link->closed = true;
    if (link->attached == process) detach(link);
  }
  std::erase_if(links_, [](const Link& link) { return link->closed; });
  for (const auto& [at, packet] : gone->inbox) --packet.link->under_way;
  processes_.erase(process);
}

inline void SimulatedBus::step() {
  now_ += kStep;
  const auto links = links_;
  for (const auto& link : links) {
    if (link->attached && random(10'000) < faults_.break_permyriad) detach(link);
    if (!link->attached && link->retry_at <= now_) attach(link);
  }
  for (const auto& [id, process] : processes_) {
    inbox_max_ = std::max(inbox_max_, process.inbox.size());
  }
}

inline SimulatedBus::Link SimulatedBus::connect(ProcessId client, bus::NodeNumber server,
                                                bool is_data) {
  auto link = std::make_shared<Connection>();
  link->client = client;
  link->client_number = find(client)->number;
  link->server = server;
  link->is_data = is_data;
  link->identity = "caller " + std::to_string(static_cast<std::uint64_t>(client));
  links_.push_back(link);
  return link;
}

inline void SimulatedBus::close(std::map<bus::NodeNumber, Link>& links, bus::NodeNumber server) {
  const auto found = links.find(server);
  if (found == links.end()) return;
  // A SUB socket may still read what had arrived; a DEALER of its own is gone.
  found->second->closed = true;
  found->second->attached.reset();
  std::erase(links_, found->second);
  links.erase(found);
}

inline void SimulatedBus::attach(const Link& link) {
  link->retry_at = now_ + std::chrono::milliseconds(100 + random(200));
  const auto bound = bound_.find(link->server);
  if (bound == bound_.end() || cut_between(link->client_number, link->server) != nullptr ||
      cut_between(link->server, link->client_number) != nullptr) {
    return;
  }
  link->attached = bound->second;
  ++link->epoch;
  if (!link->is_data) return;
  for (const auto& prefix : find(link->client)->prefixes) {
    send(link, Kind::kSubscribe, prefix);
  }
}

inline void SimulatedBus::detach(const Link& link) {
  link->attached.reset();
  link->wanted.clear();
  link->retry_at = now_ + std::chrono::milliseconds(random(300));
  link->up_at = link->down_at = now_;  // What comes after the next one may overtake.
  if (chance(50)) link->lost_below = link->epoch + 1;
}

inline void SimulatedBus::send(const Link& link, Kind kind, Bytes bytes) {
  const bool goes_up = kind != Kind::kFrame && kind != Kind::kAnswer;
  const bool is_control = kind == Kind::kSubscribe || kind == Kind::kUnsubscribe;
  auto* to = find(goes_up ? *link->attached : link->client);
  if (to == nullptr) return;
  auto arrives = now_ + Duration(random(static_cast<std::uint64_t>(faults_.delay_max.count()) + 1));
  const auto* cut = goes_up ? cut_between(link->client_number, link->server)
                            : cut_between(link->server, link->client_number);
  if (cut != nullptr) {
    if (!cut->holds && is_control) return detach(link);
    if (!cut->holds) return;
    arrives += cut->until - now_;
  }
  if (!is_control && chance(faults_.loss_percent)) return;
  if (link->under_way >= kUnderWayMax && kind == Kind::kFrame) return;
  auto& last = goes_up ? link->up_at : link->down_at;
  last = std::max(last, arrives);
  const bool twice =
      (kind == Kind::kFrame || kind == Kind::kRequest) && chance(faults_.duplicate_percent);
  for (int i = 0; i < (twice ? 2 : 1); ++i) {
    to->inbox.emplace(last, Packet{kind, link, link->epoch, bytes});
    ++link->under_way;
  }
}

inline void SimulatedBus::deliver(ProcessId process, bus::Transport::Receiver& receiver) {
  for (std::size_t i = 0; i < kPacketsPerTurn; ++i) {
    auto* self = find(process);
    if (self == nullptr || self->inbox.empty() || self->inbox.begin()->first > now_) return;
    const auto packet = std::move(self->inbox.begin()->second);
    self->inbox.erase(self->inbox.begin());
    auto& link = *packet.link;
    --link.under_way;
    if (packet.epoch < link.lost_below) continue;
    const bool is_now = packet.epoch == link.epoch && link.attached == process;
    switch (packet.kind) {
      case Kind::kSubscribe:
        if (!is_now) break;
        link.wanted.insert(packet.bytes);
        receiver.on_subscribed(packet.bytes);
        break;
      case Kind::kUnsubscribe:
        if (const auto found = link.wanted.find(packet.bytes);
            is_now && found != link.wanted.end()) {
          link.wanted.erase(found);
        }
        break;
      case Kind::kFrame:
        if (self->prefixes.contains(packet.bytes.substr(0, 8))) receiver.on_frame(packet.bytes);
        break;
      case Kind::kRequest: receiver.on_request(link.identity, packet.bytes); break;
      case Kind::kAnswer:
        if (!link.closed) receiver.on_answer(link.server, packet.bytes);
        break;
    }
  }
}

}  // namespace tidemark::test
