// bus/memory_link.cpp

#include "bus/memory_link.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "bus/engine.h"

namespace tidemark::bus {

/// What one link has received and not yet read. Has no limit: a test that floods a link means it.
struct MemoryInbox {
  enum class Kind { kFrame, kSubscribed, kRequest, kAnswer };
  struct Item {
    Kind kind;
    Bytes from;         // requests: the caller
    NodeNumber server;  // answers
    Bytes bytes;
  };

  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  std::deque<Item> items;
  bool woken = false;

  void put(Item item) {
    {
      const std::lock_guard lock(mutex);
      items.push_back(std::move(item));
    }
    changed.notify_one();
  }
  void wake() {
    {
      const std::lock_guard lock(mutex);
      woken = true;
    }
    changed.notify_one();
  }
};

/// Who is there, and who listens to what. Its lock may be held while an inbox is locked.
class MemoryHub {
 public:
  void add(NodeNumber number, const Bytes& identity, std::shared_ptr<MemoryInbox> inbox) {
    const std::lock_guard lock(mutex_);
    links_[identity].inbox = std::move(inbox);
    links_[identity].number = number;
    holders_[number] = identity;
    for (auto& [each, link] : links_) link.inbox->wake();  // requests may wait for this node
  }

  void remove(const Bytes& identity) {
    const std::lock_guard lock(mutex_);
    const auto number = links_[identity].number;
    links_.erase(identity);
    if (holders_[number] == identity) holders_.erase(number);
  }

  void subscribe(const Bytes& identity, Bytes prefix) {
    const std::lock_guard lock(mutex_);
    auto& link = links_[identity];
    link.prefixes.insert(prefix);
    for (const auto publisher : link.reads) announce(publisher, prefix);
  }

  void unsubscribe(const Bytes& identity, const Bytes& prefix) {
    const std::lock_guard lock(mutex_);
    auto& prefixes = links_[identity].prefixes;
    const auto found = prefixes.find(prefix);
    if (found != prefixes.end()) prefixes.erase(found);
  }

  void connect(const Bytes& identity, NodeNumber publisher) {
    const std::lock_guard lock(mutex_);
    auto& link = links_[identity];
    link.reads.insert(publisher);
    for (const auto& prefix : link.prefixes) announce(publisher, prefix);
  }

  void disconnect(const Bytes& identity, NodeNumber publisher) {
    const std::lock_guard lock(mutex_);
    links_[identity].reads.erase(publisher);
  }

  void publish(NodeNumber publisher, const Bytes& frame) {
    const std::lock_guard lock(mutex_);
    const Bytes prefix = frame.substr(0, 8);
    const auto dropping = drops_.find(prefix.substr(2));
    if (dropping != drops_.end() && dropping->second > 0 &&
        frame[0] != static_cast<char>(FrameClass::kHeartbeat)) {
      --dropping->second;
      return;
    }
    for (auto& [identity, link] : links_) {
      if (!link.reads.contains(publisher) || !link.prefixes.contains(prefix)) continue;
      link.inbox->put({MemoryInbox::Kind::kFrame, {}, {}, frame});
    }
  }

  bool ask(const Bytes& caller, NodeNumber server, Bytes& envelope) {
    const std::lock_guard lock(mutex_);
    const auto holder = holders_.find(server);
    if (holder == holders_.end()) return false;
    links_[holder->second].inbox->put(
        {MemoryInbox::Kind::kRequest, caller, {}, std::move(envelope)});
    return true;
  }

  bool answer(NodeNumber server, const Bytes& caller, Bytes& envelope) {
    const std::lock_guard lock(mutex_);
    const auto found = links_.find(caller);
    if (found == links_.end()) return false;
    found->second.inbox->put({MemoryInbox::Kind::kAnswer, {}, server, std::move(envelope)});
    return true;
  }

  void drop_next(StreamId stream, std::size_t count) {
    const std::lock_guard lock(mutex_);
    drops_[subscription_prefix(FrameClass::kState, stream).substr(2)] += count;
  }

 private:
  struct Entry {
    NodeNumber number{};
    std::shared_ptr<MemoryInbox> inbox;
    std::multiset<Bytes> prefixes;  // as often as subscribed
    std::set<NodeNumber> reads;
  };

  void announce(NodeNumber publisher, const Bytes& prefix) {
    const auto holder = holders_.find(publisher);
    if (holder == holders_.end()) return;
    links_[holder->second].inbox->put({MemoryInbox::Kind::kSubscribed, {}, {}, prefix});
  }

  std::mutex mutex_;
  // Guarded by mutex_.
  std::map<Bytes, Entry> links_;  // by identity: one process, so to speak
  std::map<NodeNumber, Bytes> holders_;
  std::map<Bytes, std::size_t> drops_;  // by node and stream, as in a prefix
};

namespace {

class MemoryTransport final : public Transport {
 public:
  MemoryTransport(const NodeInfo& self, std::shared_ptr<MemoryHub> hub)
      : number_(node_number(self.uuid)),
        identity_(Uuid::random().text()),
        hub_(std::move(hub)),
        inbox_(std::make_shared<MemoryInbox>()) {
    hub_->add(number_, identity_, inbox_);
  }
  ~MemoryTransport() override { hub_->remove(identity_); }

  std::function<void()> waker() override {
    return [inbox = inbox_] { inbox->wake(); };
  }

  void receive(Receiver& receiver, Duration timeout) override {
    std::deque<MemoryInbox::Item> items;
    {
      std::unique_lock lock(inbox_->mutex);
      inbox_->changed.wait_for(lock, timeout,
                               [&] { return inbox_->woken || !inbox_->items.empty(); });
      inbox_->woken = false;
      items.swap(inbox_->items);
    }
    for (auto& item : items) {
      switch (item.kind) {
        case MemoryInbox::Kind::kFrame: receiver.on_frame(item.bytes); break;
        case MemoryInbox::Kind::kSubscribed: receiver.on_subscribed(item.bytes); break;
        case MemoryInbox::Kind::kRequest: receiver.on_request(item.from, item.bytes); break;
        case MemoryInbox::Kind::kAnswer: receiver.on_answer(item.server, item.bytes); break;
      }
    }
  }

  void subscribe(BytesView prefix) override { hub_->subscribe(identity_, Bytes(prefix)); }
  void unsubscribe(BytesView prefix) override { hub_->unsubscribe(identity_, Bytes(prefix)); }
  void connect_data(const NodeInfo& peer) override {
    hub_->connect(identity_, node_number(peer.uuid));
  }
  void disconnect_data(NodeNumber peer) override { hub_->disconnect(identity_, peer); }
  bool connect_requests(const NodeInfo&) override { return true; }
  void disconnect_requests(NodeNumber) override {}
  void publish(const SharedBytes& frame) override { hub_->publish(number_, *frame); }
  Sent send_request(NodeNumber server, Bytes& envelope) override {
    return hub_->ask(identity_, server, envelope) ? Sent::kYes : Sent::kNotNow;
  }
  Sent send_answer(const Bytes& caller, Bytes& envelope) override {
    return hub_->answer(number_, caller, envelope) ? Sent::kYes : Sent::kNever;
  }

 private:
  const NodeNumber number_;
  const Bytes identity_;
  const std::shared_ptr<MemoryHub> hub_;
  const std::shared_ptr<MemoryInbox> inbox_;
};

}  // namespace

MemoryBus::MemoryBus() : hub_(std::make_shared<MemoryHub>()) {}

std::unique_ptr<Link> MemoryBus::open(NodeInfo self) {
  self.data_endpoints = {"memory://" + self.name + ".data"};
  self.request_endpoints = {"memory://" + self.name + ".requests"};
  auto transport = std::make_unique<MemoryTransport>(self, hub_);
  return std::make_unique<Engine>(std::move(self), std::move(transport));
}

void MemoryBus::drop_next(StreamId stream, std::size_t count) { hub_->drop_next(stream, count); }

}  // namespace tidemark::bus
