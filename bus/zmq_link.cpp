// bus/zmq_link.cpp
//
//   data      XPUB bound ──► SUB, one for all publishers
//   requests  ROUTER bound ◄─► DEALER, one per server
//
// XPUB and not PUB, because it says when a subscriber has come. A DEALER per server and not one
// for all, because a DEALER deals its messages out among its peers.

#include "bus/zmq_link.h"

#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "bus/engine.h"
#include "bus/wakeup.h"
#include "bus/zmq_context.h"
#include "bus/zmq_endpoint.h"
#include "bus/zmq_monitor.h"
#include "bus/zmq_socket.h"

namespace tidemark::bus {
namespace {

constexpr int kMessagesPerTurn = 256;  // of one socket, before the others have their turn
constexpr std::size_t kBytesPerTurn = 8u << 20;
constexpr std::size_t kHeaderSlack = 4096;  // a later version's longer header
// What a subscriber may say at once. A prefix has 8 bytes and a handshake some hundred, but ZeroMQ
// would keep a prefix of any length, in some 70 bytes of memory for each byte of it.
constexpr std::size_t kSubscriptionBytesMax = 4096;

class ZmqTransport final : public Transport {
 public:
  ZmqTransport(std::shared_ptr<ZmqContext> context, bool shares_context)
      : context_(std::move(context)), shares_context_(shares_context) {}

  Result<Unit> open(ZmqLinkOptions& options);

  std::function<void()> waker() override {
    return [wakeup = wakeup_] { wakeup->wake(); };
  }
  void receive(Receiver& receiver, Duration timeout) override;
  void subscribe(BytesView prefix) override { sub_.set(ZMQ_SUBSCRIBE, prefix); }
  void unsubscribe(BytesView prefix) override { sub_.set(ZMQ_UNSUBSCRIBE, prefix); }
  void connect_data(const NodeInfo& peer) override;
  void disconnect_data(NodeNumber peer) override;
  bool connect_requests(const NodeInfo& peer) override;
  void disconnect_requests(NodeNumber peer) override { dealers_.erase(peer); }
  void publish(const SharedBytes& frame) override;
  Sent send_request(NodeNumber server, Bytes& envelope) override;
  Sent send_answer(const Bytes& caller, Bytes& envelope) override;
  std::uint64_t refused() const override { return context_->refused(); }

 private:
  struct Dealer {
    ZmqSocket socket;
    bool blocked = false;  // wants to know when it can send
  };

  Result<Unit> bind(ZmqSocket& socket, HandshakeMonitor& monitor,
                    std::vector<std::string> endpoints, std::vector<std::string>& bound);
  void guard(ZmqSocket& socket, const std::string& endpoint);
  bool connect(ZmqSocket& socket, const std::string& endpoint, const NodeInfo& peer);
  const std::string* usable(const std::vector<std::string>& endpoints,
                            const std::string& host) const;
  template <class Handle>
  void drain(ZmqSocket& socket, Handle&& handle);

  const std::shared_ptr<ZmqContext> context_;
  const bool shares_context_;
  // Shared with every Call, which may outlive the link.
  const std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();

  // Only on the loop thread, once it runs.
  std::string host_;
  std::optional<CurveKeys> keys_;
  bool insecure_ = false;
  Bytes identity_;    // of our DEALERs: servers know by it what they answered already
  ZmqSocket pub_;     // empty when nothing is bound
  ZmqSocket router_;  // likewise
  HandshakeMonitor pub_monitor_;
  HandshakeMonitor router_monitor_;
  ZmqSocket sub_;
  std::map<NodeNumber, std::string> data_connections_;
  std::map<NodeNumber, Dealer> dealers_;
  std::vector<zmq_pollitem_t> items_;
  std::vector<NodeNumber> polled_;  // whose DEALERs are in items_, in that order
  std::vector<Bytes> parts_;
};

Result<Unit> ZmqTransport::open(ZmqLinkOptions& options) {
  host_ = options.self.host;
  // ZeroMQ keeps identities that begin with a zero byte for itself.
  identity_.assign(1, 'T');
  const auto& uuid = options.self.uuid.bytes;
  identity_.append(reinterpret_cast<const char*>(uuid.data()), uuid.size());
  append_le(identity_, options.self.incarnation);
  const auto random = Uuid::random();  // two programs may run under one UUID by mistake
  identity_.append(reinterpret_cast<const char*>(random.bytes.data()), 8);
  const bool binds = !options.bind_data.empty() || !options.bind_requests.empty();
  if (options.keys && binds) {
    const auto admitting = context_->admit_keys_of(options.key_directory);
    if (!admitting) return admitting.error();
  }
  keys_ = options.keys;
  insecure_ = options.insecure;
  options.self.public_key.bytes = keys_ ? keys_->public_key : Bytes();

  auto sub = ZmqSocket::open(context_->get(), ZMQ_SUB, kFrameBytesMax + kHeaderSlack);
  if (!sub) return sub.error();
  sub_ = std::move(sub).value();

  if (!options.bind_data.empty()) {
    auto pub = ZmqSocket::open(context_->get(), ZMQ_XPUB, kSubscriptionBytesMax);
    if (!pub) return pub.error();
    pub_ = std::move(pub).value();
    pub_.set(ZMQ_XPUB_VERBOSE, 1);
    const auto bound = bind(pub_, pub_monitor_, options.bind_data, options.self.data_endpoints);
    if (!bound) return bound.error();
  }
  if (!options.bind_requests.empty()) {
    auto router = ZmqSocket::open(context_->get(), ZMQ_ROUTER, kEnvelopeBytesMax);
    if (!router) return router.error();
    router_ = std::move(router).value();
    router_.set(ZMQ_ROUTER_MANDATORY, 1);
    // A caller whose cable was cut comes back under its identity before we notice that its old
    // connection is dead. Nobody else can take it over: 8 bytes of it are random.
    router_.set(ZMQ_ROUTER_HANDOVER, 1);
    const auto bound =
        bind(router_, router_monitor_, options.bind_requests, options.self.request_endpoints);
    if (!bound) return bound.error();
  }
  return Unit{};
}

Result<Unit> ZmqTransport::bind(ZmqSocket& socket, HandshakeMonitor& monitor,
                                std::vector<std::string> endpoints,
                                std::vector<std::string>& bound) {
  bound.clear();
  // Those without keys first, see use_server_keys(). They are the better ones, too.
  const auto tcp = std::stable_partition(
      endpoints.begin(), endpoints.end(),
      [](const auto& endpoint) { return endpoint_kind(endpoint) != EndpointKind::kTcp; });
  if (tcp != endpoints.end()) {  // nobody is refused elsewhere
    const auto watched = monitor.open(context_->get(), socket);
    if (!watched) return watched.error();
  }
  for (const auto& endpoint : endpoints) {
    const auto ready = prepare_endpoint(endpoint, keys_ || insecure_);
    if (!ready) return ready.error();
    if (endpoint_kind(endpoint) == EndpointKind::kInproc && !shares_context_) {
      return Error{Code::kInvalidArgument,
                   "cannot bind " + endpoint + ": nobody shares this link's context"};
    }
    guard(socket, endpoint);
    const int error = socket.bind(endpoint);
    if (error == EADDRINUSE) return Error{Code::kConflict, endpoint + " is in use"};
    if (error != 0) {
      return Error{Code::kInvalidArgument, "cannot bind " + endpoint + ": " + zmq_strerror(error)};
    }
    protect_endpoint(endpoint);
    bound.push_back(endpoint_kind(endpoint) == EndpointKind::kTcp ? socket.last_endpoint()
                                                                  : endpoint);
  }
  return Unit{};
}

/// Who may connect to `endpoint`, which is bound next.
void ZmqTransport::guard(ZmqSocket& socket, const std::string& endpoint) {
  const auto kind = endpoint_kind(endpoint);
  if (kind == EndpointKind::kTcp && keys_) return socket.use_server_keys(*keys_);
  socket.use_no_keys();
  if (kind != EndpointKind::kIpc) return;
  // The file's mode says the same, but only after bind().
  socket.set(ZMQ_IPC_FILTER_UID, static_cast<int>(::getuid()));
  socket.set(ZMQ_IPC_FILTER_UID, 0);
}

/// False: not possible, or a peer on tcp whose key we should know and do not.
bool ZmqTransport::connect(ZmqSocket& socket, const std::string& endpoint, const NodeInfo& peer) {
  if (endpoint_kind(endpoint) != EndpointKind::kTcp || !keys_) {
    socket.use_no_keys();
  } else if (peer.public_key.bytes.size() == kCurveKeyBytes) {
    socket.use_client_keys(*keys_, peer.public_key.bytes);
  } else {
    return false;
  }
  return socket.connect(endpoint) == 0;
}

const std::string* ZmqTransport::usable(const std::vector<std::string>& endpoints,
                                        const std::string& host) const {
  const auto found = std::find_if(endpoints.begin(), endpoints.end(), [&](const auto& endpoint) {
    switch (endpoint_kind(endpoint)) {
      case EndpointKind::kIpc: return host.empty() || host_.empty() || host == host_;
      case EndpointKind::kTcp: return true;
      case EndpointKind::kInproc: return shares_context_;
      case EndpointKind::kOther: break;
    }
    return false;
  });
  return found == endpoints.end() ? nullptr : &*found;
}

void ZmqTransport::connect_data(const NodeInfo& peer) {
  const auto number = node_number(peer.uuid);
  if (data_connections_.contains(number)) return;
  const auto* endpoint = usable(peer.data_endpoints, peer.host);
  if (endpoint == nullptr || !connect(sub_, *endpoint, peer)) return;
  data_connections_.emplace(number, *endpoint);
}

void ZmqTransport::disconnect_data(NodeNumber peer) {
  const auto found = data_connections_.find(peer);
  if (found == data_connections_.end()) return;
  sub_.disconnect(found->second);
  data_connections_.erase(found);
}

bool ZmqTransport::connect_requests(const NodeInfo& peer) {
  const auto number = node_number(peer.uuid);
  if (dealers_.contains(number)) return true;
  const auto* endpoint = usable(peer.request_endpoints, peer.host);
  if (endpoint == nullptr) return false;
  auto socket = ZmqSocket::open(context_->get(), ZMQ_DEALER, kEnvelopeBytesMax);
  if (!socket) return false;
  Dealer dealer{std::move(socket).value()};
  dealer.socket.set(ZMQ_ROUTING_ID, identity_);
  dealer.socket.set(ZMQ_IMMEDIATE, 1);
  if (!connect(dealer.socket, *endpoint, peer)) return false;
  dealers_.emplace(number, std::move(dealer));
  return true;
}

void ZmqTransport::publish(const SharedBytes& frame) {
  int error = 0;
  if (pub_) pub_.send_shared(frame, error);  // a PUB socket drops by itself, and never says no
}

Transport::Sent ZmqTransport::send_request(NodeNumber server, Bytes& envelope) {
  const auto found = dealers_.find(server);
  if (found == dealers_.end()) return Sent::kNotNow;
  int error = 0;
  found->second.blocked = !found->second.socket.send_owned(envelope, error);
  return found->second.blocked ? Sent::kNotNow : Sent::kYes;
}

Transport::Sent ZmqTransport::send_answer(const Bytes& caller, Bytes& envelope) {
  int error = 0;
  // A ROUTER decides with the first part whether the whole message goes.
  if (router_.send(caller, true, error)) {
    return router_.send_owned(envelope, error) ? Sent::kYes : Sent::kNever;
  }
  return error == EAGAIN ? Sent::kNotNow : Sent::kNever;
}

template <class Handle>
void ZmqTransport::drain(ZmqSocket& socket, Handle&& handle) {
  std::size_t bytes = 0;
  for (int i = 0; i < kMessagesPerTurn && bytes < kBytesPerTurn; ++i) {
    if (!socket.receive(parts_)) return;
    bytes += parts_.back().size();
    handle();
  }
}

void ZmqTransport::receive(Receiver& receiver, Duration timeout) {
  items_.clear();
  polled_.clear();
  const auto poll = [this](void* socket, short events) {
    items_.push_back({socket, 0, events, 0});
    return items_.size() - 1;
  };
  items_.push_back({nullptr, wakeup_->fd(), ZMQ_POLLIN, 0});  // at 0, which so means: no socket
  const auto sub = poll(sub_.get(), ZMQ_POLLIN);
  const auto pub = pub_ ? poll(pub_.get(), ZMQ_POLLIN) : 0;
  const auto pub_monitor = pub_monitor_ ? poll(pub_monitor_.get(), ZMQ_POLLIN) : 0;
  const auto router = router_ ? poll(router_.get(), ZMQ_POLLIN) : 0;
  const auto router_monitor = router_monitor_ ? poll(router_monitor_.get(), ZMQ_POLLIN) : 0;
  const std::size_t first_dealer = items_.size();
  for (auto& [number, dealer] : dealers_) {
    poll(dealer.socket.get(), static_cast<short>(ZMQ_POLLIN | (dealer.blocked ? ZMQ_POLLOUT : 0)));
    polled_.push_back(number);
  }

  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
  if (zmq_poll(items_.data(), static_cast<int>(items_.size()), static_cast<long>(wait)) <= 0) {
    return;
  }
  const auto ready = [this](std::size_t item) { return item != 0 && items_[item].revents != 0; };
  if (items_[0].revents != 0) wakeup_->clear();

  if (ready(sub)) {
    drain(sub_, [&] {
      if (parts_.size() != 1) return receiver.on_malformed("a publisher", "frame in many parts");
      receiver.on_frame(parts_[0]);
    });
  }
  if (ready(pub)) {
    drain(pub_, [&] {
      if (parts_.size() != 1 || parts_[0].empty() || parts_[0][0] < 0 || parts_[0][0] > 1) {
        return receiver.on_malformed("a subscriber", "no subscription");
      }
      if (parts_[0][0] == 0) return;  // it unsubscribed
      receiver.on_subscribed(BytesView(parts_[0]).substr(1));
    });
  }
  if (ready(router)) {
    drain(router_, [&] {
      if (parts_.size() != 2) return receiver.on_malformed("a caller", "envelope in many parts");
      receiver.on_request(parts_[0], parts_[1]);
    });
  }
  if (ready(pub_monitor)) context_->add_refused(pub_monitor_.take());
  if (ready(router_monitor)) context_->add_refused(router_monitor_.take());
  for (std::size_t i = 0; i < polled_.size(); ++i) {
    if ((items_[first_dealer + i].revents & ZMQ_POLLIN) == 0) continue;
    const auto number = polled_[i];
    drain(dealers_.find(number)->second.socket, [&] {
      if (parts_.size() != 1) return receiver.on_malformed("a server", "envelope in many parts");
      receiver.on_answer(number, parts_[0]);
    });
  }
}

}  // namespace

std::shared_ptr<ZmqContext> make_zmq_context() { return std::make_shared<ZmqContext>(); }

Result<std::unique_ptr<Link>> open_zmq_link(ZmqLinkOptions options) {
  const bool shares_context = options.context != nullptr;
  auto transport = std::make_unique<ZmqTransport>(
      shares_context ? options.context : make_zmq_context(), shares_context);
  const auto opened = transport->open(options);
  if (!opened) return opened.error();
  return std::unique_ptr<Link>(
      std::make_unique<Engine>(std::move(options.self), std::move(transport)));
}

}  // namespace tidemark::bus
