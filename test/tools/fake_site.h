// test/tools/fake_site.h
//
// A registry and whatever nodes a test starts, in memory, with canned answers; and the command
// line run against them. The client and the link's rules are the real ones.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "base/check.h"
#include "bus/memory_link.h"
#include "model/api/node.h"
#include "model/packing.h"
#include "test/tools/watched_output.h"
#include "tools/cli.h"

namespace tidemark::tools {

struct Ran {
  int exit;
  std::string out;
  std::string err;
};

class FakeSite {
 public:
  FakeSite() { start("registry"); }

  /// Starts a node, or starts it again in a new incarnation, with no methods.
  void start(const std::string& name) {
    {
      const std::lock_guard lock(mutex_);
      auto& info = infos_[name];
      info.name = name;
      info.kind = name;
      info.uuid = bus::node_uuid("test", name);
      info.incarnation += 1;
      info.state = bus::NodeState::kAlive;
      info.state_since = utc_now();
    }
    links_.erase(name);
    links_[name] = bus_.open(infos_[name]);
    {
      const std::lock_guard lock(mutex_);
      infos_[name] = links_[name]->self();
    }
    if (name == "registry") {
      links_[name]->declare_stream(bus::FrameClass::kDirectory, bus::kDirectoryStream);
      links_[name]->serve("registry.directory",
                          [this](bus::Call call) { call.done(model::pack(directory())); });
    }
    announce();
  }

  /// Takes a node off the bus; the registry says so.
  void stop(const std::string& name, bus::NodeState state = bus::NodeState::kDisconnected) {
    links_.erase(name);
    {
      const std::lock_guard lock(mutex_);
      infos_[name].state = state;
      infos_[name].state_since = utc_now();
    }
    announce();
  }

  /// `answer` is called on the node's loop thread.
  template <class Request, class Reply>
  void serve(const std::string& node, const std::string& method,
             std::function<Result<Reply>(const Request&)> answer) {
    links_.at(node)->serve(method, [answer](bus::Call call) {
      const auto request = model::unpack<Request>(call.payload());
      TIDEMARK_CHECK(request.ok());
      auto reply = answer(request.value());
      if (reply) {
        call.done(model::pack(reply.value()));
      } else {
        call.fail(reply.error());
      }
    });
  }

  bus::Link& link(const std::string& node) { return *links_.at(node); }
  bus::MemoryBus& bus() { return bus_; }

  /// What a person has: answers on standard input, a terminal or not.
  std::string input;
  bool terminal = false;

  /// `on_output` is called whenever the command has shown something, before it goes on.
  Ran run(std::vector<std::string> arguments, std::function<void()> on_output = {}) {
    WatchedOutput shown(std::move(on_output));
    std::ostream out(&shown);
    std::ostringstream err;
    std::istringstream in(input);
    Context context(out, err, in);
    context.in_terminal = terminal;
    context.err_terminal = terminal;
    context.no_color = true;
    context.user = "ada@console";
    context.connect = [this](Context& asking) { return connect(asking.budget(Duration{kBudget})); };
    const int exit = run_cli(context, std::move(arguments));
    return {exit, shown.str(), err.str()};
  }

 private:
  static constexpr auto kBudget = std::chrono::seconds(2);

  Result<std::unique_ptr<Client>> connect(Duration budget) {
    bus::NodeInfo self;
    self.name = "cli-1";
    self.kind = "cli";
    self.uuid = Uuid::random();
    self.incarnation = 1;
    bus::NodeInfo registry;
    registry.name = "registry";
    registry.uuid = bus::node_uuid("test", "registry");
    registry.request_endpoints = {"memory://registry.requests"};
    return Client::join(bus_.open(self), {registry}, "no registry: is `tidemark up` running?",
                        budget);
  }

  bus::Directory directory() {
    const std::lock_guard lock(mutex_);
    bus::Directory all;
    all.revision = revision_;
    all.registry = infos_["registry"].incarnation;
    for (const auto& [name, info] : infos_) all.nodes.push_back(info);
    return all;
  }

  void announce() {
    const auto registry = links_.find("registry");
    if (registry == links_.end()) return;
    const auto sequence = registry->second->publish(
        bus::FrameClass::kDirectory, bus::kDirectoryStream, 1, model::pack(directory().nodes));
    const std::lock_guard lock(mutex_);
    revision_ = sequence;
  }

  bus::MemoryBus bus_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, bus::NodeInfo> infos_;
  std::uint64_t revision_ = 0;

  std::map<std::string, std::unique_ptr<bus::Link>> links_;  // gone before what they call
};

}  // namespace tidemark::tools
