#include "epics/ca_client.h"

#include <cadef.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "base/check.h"
#include "epics/ca_client_impl.h"

namespace tidemark::epics {

using model::ChannelId;
using model::PvMeta;
using model::PvUpdate;

void CaClient::wake_worker() {
  const std::uint64_t one = 1;
  TIDEMARK_CHECK(::write(wake_fd_, &one, sizeof one) == sizeof one);
}

void CaClient::post(Command command) {
  bool wake = false;
  {
    const std::lock_guard lock(inbox_mutex_);
    commands_.push_back(std::move(command));
    wake = !std::exchange(woken_, true);
  }
  if (wake) wake_worker();
}

void CaClient::post_event(Channel& channel, Event::Kind kind, std::shared_ptr<const PvMeta> meta) {
  bool wake = false;
  {
    const std::lock_guard lock(inbox_mutex_);
    events_.push_back({kind, channel.shared_from_this(), channel.incarnation, std::move(meta)});
    wake = !std::exchange(woken_, true);
  }
  if (wake) wake_worker();
}

std::vector<ChannelPtr> CaClient::find(const std::vector<ChannelId>& ids) const {
  std::vector<ChannelPtr> found;
  found.reserve(ids.size());
  const std::lock_guard lock(mutex_);
  for (const auto id : ids) {
    const auto at = by_id_.find(id);
    found.push_back(at == by_id_.end() ? nullptr : at->second);
  }
  return found;
}

void CaClient::add(std::vector<ChannelSpec> specs) {
  AddCommand added;
  RemoveCommand replaced;
  std::vector<UpdateQueue::Tap*> taps;
  std::vector<ChannelId> ids;
  const std::lock_guard lock(mutex_);  // Also while posting: add and remove are in one order.
  for (auto& spec : specs) {
    auto& slot = by_id_[spec.id];
    if (slot) {
      taps.push_back(&slot->tap);
      ids.push_back(spec.id);
      replaced.channels.push_back(slot);
    }
    slot = std::make_shared<Channel>(*this, std::move(spec), next_lane_++);
    added.channels.push_back(slot);
  }
  never_connected_ += static_cast<std::uint32_t>(added.channels.size());
  if (!ids.empty()) {
    queue_.close(taps, ids);
    post(std::move(replaced));
  }
  post(std::move(added));
}

void CaClient::remove(std::vector<ChannelId> ids) {
  RemoveCommand removed;
  std::vector<UpdateQueue::Tap*> taps;
  const std::lock_guard lock(mutex_);
  for (const auto id : ids) {
    const auto at = by_id_.find(id);
    if (at == by_id_.end()) continue;
    taps.push_back(&at->second->tap);
    removed.channels.push_back(std::move(at->second));
    by_id_.erase(at);
  }
  queue_.close(taps, ids);
  post(std::move(removed));
}

void CaClient::read(std::vector<ChannelId> ids, Duration timeout,
                    std::function<void(std::vector<ReadOutcome>)> on_done) {
  auto channels = find(ids);
  post(
      ReadCommand{std::move(ids), std::move(channels), steady_now() + timeout, std::move(on_done)});
}

void CaClient::put(std::vector<Put> puts, Duration timeout,
                   std::function<void(std::vector<PutOutcome>)> on_outcomes) {
  std::vector<ChannelId> ids;
  ids.reserve(puts.size());
  for (const auto& each : puts) ids.push_back(each.channel);
  auto channels = find(ids);
  post(PutCommand{std::move(puts), std::move(channels), timeout, std::move(on_outcomes)});
}

ClientStatus CaClient::status() const {
  ClientStatus status;
  {
    const std::lock_guard lock(mutex_);
    status.channels = static_cast<std::uint32_t>(by_id_.size());
  }
  status.connected = connected_;
  status.never_connected = never_connected_;
  status.updates = queue_.pushed();
  status.hidden = queue_.hidden();
  status.puts_in_flight = puts_in_flight_;
  return status;
}

Result<Unit> CaClient::start() {
  wake_fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd_ < 0) return Error{Code::kFailed, "no eventfd"};
  if (!new_context() || !new_context()) return Error{Code::kFailed, "libca makes no context"};
  take_errlog();
  socket_ = SearchSocket::open();
  if (!socket_) spdlog::warn("epics: no address to search PV names at; libca searches alone");
  worker_ = std::thread([this] { run(); });
  return Unit{};
}

void CaClient::close() {
  {
    // Nothing is pushed after this, and so nobody is woken.
    const std::lock_guard lock(mutex_);
    std::vector<UpdateQueue::Tap*> taps;
    for (const auto& [id, channel] : by_id_) taps.push_back(&channel->tap);
    queue_.close(taps, {});
  }
  {
    const std::lock_guard lock(inbox_mutex_);
    stop_ = true;
  }
  wake_worker();
  worker_.join();
  leave_errlog();
}

CaClient::~CaClient() {
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

namespace {

void set_variable(const char* name, const std::string& value) {
  if (!value.empty()) ::setenv(name, value.c_str(), 1);
}

/// What the owner holds. The client itself may be kept a little longer by libca's threads.
class Handle final : public Client {
 public:
  explicit Handle(std::shared_ptr<CaClient> client) : client_(std::move(client)) {}
  ~Handle() override { client_->close(); }

  void add(std::vector<ChannelSpec> channels) override { client_->add(std::move(channels)); }
  void remove(std::vector<ChannelId> channels) override { client_->remove(std::move(channels)); }
  std::vector<PvUpdate> drain() override { return client_->drain(); }
  void read(std::vector<ChannelId> channels, Duration timeout,
            std::function<void(std::vector<ReadOutcome>)> on_done) override {
    client_->read(std::move(channels), timeout, std::move(on_done));
  }
  void put(std::vector<Put> puts, Duration timeout,
           std::function<void(std::vector<PutOutcome>)> on_outcomes) override {
    client_->put(std::move(puts), timeout, std::move(on_outcomes));
  }
  ClientStatus status() const override { return client_->status(); }

 private:
  const std::shared_ptr<CaClient> client_;
};

}  // namespace

Result<std::unique_ptr<Client>> open_ca_client(CaOptions options, std::function<void()> wake) {
  set_variable("EPICS_CA_ADDR_LIST", options.addr_list);
  if (!options.auto_addr_list) set_variable("EPICS_CA_AUTO_ADDR_LIST", "NO");
  if (options.server_port != 0) {
    set_variable("EPICS_CA_SERVER_PORT", std::to_string(options.server_port));
  }
  if (options.array_bytes_max != 0) {
    set_variable("EPICS_CA_AUTO_ARRAY_BYTES", "NO");
    set_variable("EPICS_CA_MAX_ARRAY_BYTES", std::to_string(options.array_bytes_max));
  }
  auto client = std::make_shared<CaClient>(std::move(options), std::move(wake));
  auto started = client->start();
  if (!started.ok()) return started.error();
  return std::unique_ptr<Client>(std::make_unique<Handle>(std::move(client)));
}

}  // namespace tidemark::epics
