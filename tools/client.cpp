#include "tools/client.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>

#include "bus/zmq_link.h"
#include "config/endpoints.h"
#include "model/api/node.h"
#include "site/bus_options.h"
#include "tools/interrupt.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;

constexpr auto kInterruptPoll = 50ms;
/// How much longer the registries before one that has answered are waited for.
constexpr auto kOthersPatience = 200ms;

/// What several registries say to one question.
class RegistryAnswers {
 public:
  explicit RegistryAnswers(std::size_t registries) : answers_(registries) {}

  void put(std::size_t registry, bus::Answer answer) {
    {
      const std::lock_guard lock(mutex_);
      if (answer && !since_) since_ = steady_now();
      answers_[registry] = std::move(answer);
    }
    changed_.notify_one();
  }

  /// The one that counts; none when all are silent. kTimeout "interrupted" on Ctrl-C.
  std::optional<bus::Answer> wait() {
    std::unique_lock lock(mutex_);
    while (!Interrupt::came()) {
      const bool late = since_ && steady_now() - *since_ > kOthersPatience;
      auto at = answers_.begin();
      while (at != answers_.end() && (*at ? is_silent(**at) : late)) ++at;
      if (at == answers_.end()) return std::nullopt;
      if (*at) return *at;
      changed_.wait_for(lock, kInterruptPoll);
    }
    return Error{Code::kTimeout, "interrupted"};
  }

 private:
  static bool is_silent(const bus::Answer& answer) {
    return !answer &&
           (answer.error().code == Code::kTimeout || answer.error().code == Code::kUnavailable);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::vector<std::optional<bus::Answer>> answers_;
  std::optional<SteadyTime> since_;  // when the first of them answered
};

/// Sockets that are not there need no waiting for.
bool none_is_bound(const std::vector<config::RegistryEndpoint>& registries) {
  constexpr std::string_view kIpc = "ipc://";
  return std::none_of(registries.begin(), registries.end(), [&](const auto& each) {
    return !each.endpoint.starts_with(kIpc) ||
           std::filesystem::exists(each.endpoint.substr(kIpc.size()));
  });
}

}  // namespace

void Pending::on_progress(Bytes payload) {
  {
    const std::lock_guard lock(mutex_);
    progress_.push_back(std::move(payload));
  }
  changed_.notify_one();
}

void Pending::on_answer(bus::Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  changed_.notify_one();
}

bus::Answer Pending::wait(const std::function<void(Bytes)>& progress) {
  std::unique_lock lock(mutex_);
  while (true) {
    while (!progress_.empty()) {
      auto payload = std::move(progress_.front());
      progress_.pop_front();
      lock.unlock();
      if (progress) progress(std::move(payload));
      lock.lock();
    }
    if (answer_) return std::move(*answer_);
    if (Interrupt::came()) return Error{Code::kTimeout, "interrupted"};
    changed_.wait_for(lock, kInterruptPoll);
  }
}

Client::Client(std::unique_ptr<bus::Link> link, std::vector<bus::NodeInfo> registries,
               std::string hint)
    : registries_(std::move(registries)), hint_(std::move(hint)), link_(std::move(link)) {}

Result<std::unique_ptr<Client>> Client::connect(const config::Site& site, Duration budget,
                                                const std::string& key) {
  auto hint = "no registry at " + config::registry_endpoint(site) + ": is `tidemark up -c " +
              site.file + "` running?";
  if (none_is_bound(config::registry_endpoints(site))) return Error{Code::kUnavailable, hint};

  auto options = site::client_options(site, "cli-" + std::to_string(::getpid()), key);
  if (!options) return options.error();
  options.value().self.kind = "cli";
  if (site.bus.uses_keys()) hint += " Does it allow the key '" + key + "'?";
  auto registries = site::registries_of(site);
  if (!registries) return registries.error();
  auto link = bus::open_zmq_link(std::move(options).value());
  if (!link) return link.error();
  return join(std::move(link).value(), std::move(registries).value(), hint, budget);
}

Result<std::unique_ptr<Client>> Client::join(std::unique_ptr<bus::Link> link,
                                             std::vector<bus::NodeInfo> registries,
                                             std::string hint, Duration budget) {
  for (const auto& registry : registries) link->set_peer(registry);
  auto client =
      std::unique_ptr<Client>(new Client(std::move(link), std::move(registries), std::move(hint)));
  const auto known = client->refresh(budget);
  if (!known) return known.error();
  return client;
}

Result<Unit> Client::refresh(Duration budget) {
  // All at once: the first in the list counts, unless another one has answered long before it.
  const auto answers = std::make_shared<RegistryAnswers>(registries_.size());
  for (std::size_t i = 0; i < registries_.size(); ++i) {
    bus::RequestOptions options;
    options.budget = budget;
    link_->request(bus::node_number(registries_[i].uuid), "registry.directory",
                   model::pack(model::api::Empty{}), std::move(options),
                   [answers, i](bus::Answer answer) { answers->put(i, std::move(answer)); });
  }
  auto answer = answers->wait();
  if (!answer) return Error{Code::kUnavailable, hint_};
  auto directory = unpacked<bus::Directory>("registry.directory", std::move(*answer));
  if (!directory) return directory.error();
  learn(std::move(directory).value());
  return Unit{};
}

Result<Unit> Client::settle(Duration budget) {
  const auto deadline = steady_now() + budget;
  while (true) {
    const auto settles_in = directory().settles_in;
    if (settles_in <= Duration{0}) return Unit{};
    if (steady_now() + settles_in > deadline) {
      return Error{Code::kUnavailable,
                   "directory not settled: the registry has just started, and does not know "
                   "everybody yet"};
    }
    const auto told = steady_now() + settles_in;
    while (steady_now() < told) {
      if (Interrupt::came()) return Error{Code::kTimeout, "interrupted"};
      std::this_thread::sleep_for(std::min<Duration>(kInterruptPoll, told - steady_now()));
    }
    if (const auto known = refresh(std::max(deadline - steady_now(), Duration{0})); !known) {
      return known;
    }
  }
}

void Client::follow_directory() {
  bus::MembershipOptions options;
  options.registries = registries_;
  options.registers = false;
  options.on_directory = [this](const bus::Directory& directory) { learn(directory); };
  membership_ = bus::Membership::start(*link_, std::move(options));
}

void Client::learn(bus::Directory directory) {
  {
    const std::lock_guard lock(mutex_);
    const auto& known = directory_;
    if (directory.registry == known.registry && directory.revision < known.revision) {
      return;  // An answer that a newer frame overtook.
    }
    directory_ = directory;
  }
  for (const auto& node : directory.nodes) link_->set_peer(node);
}

bus::Directory Client::directory() const {
  const std::lock_guard lock(mutex_);
  return directory_;
}

std::optional<bus::NodeInfo> Client::node(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto* found = directory_.find(name);
  if (found == nullptr) return std::nullopt;
  return *found;
}

std::shared_ptr<Pending> Client::begin_bytes(const std::string& node, const std::string& method,
                                             Bytes payload, Duration budget) {
  auto pending = std::make_shared<Pending>();
  const auto info = this->node(node);
  if (!info) {
    pending->on_answer(Error{Code::kUnavailable, "no node '" + node + "' has registered"});
    return pending;
  }
  if (info->state != bus::NodeState::kAlive && info->state != bus::NodeState::kSuspect) {
    pending->on_answer(Error{Code::kUnavailable, "node '" + node + "' is " +
                                                     std::string(bus::to_string(info->state)) +
                                                     " since " + to_iso(info->state_since, 0)});
    return pending;
  }
  bus::RequestOptions options;
  options.budget = budget;
  options.on_progress = [pending](Bytes part) { pending->on_progress(std::move(part)); };
  link_->request(bus::node_number(info->uuid), method, std::move(payload), std::move(options),
                 [pending, node, method](bus::Answer answer) {
                   if (!answer && answer.error().code == Code::kTimeout) {
                     const auto& said = answer.error().message;
                     answer = Error{Code::kTimeout, "no answer from node '" + node + "' to " +
                                                        method + ": " + said};
                   }
                   pending->on_answer(std::move(answer));
                 });
  return pending;
}

bus::Answer Client::ask_bytes(const std::string& node, const std::string& method, Bytes payload,
                              Duration budget, const std::function<void(Bytes)>& progress) {
  return begin_bytes(node, method, std::move(payload), budget)->wait(progress);
}

}  // namespace tidemark::tools
