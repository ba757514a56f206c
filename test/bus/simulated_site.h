// test/bus/simulated_site.h
//
// Engines on a SimulatedBus that fails where a test says so: seconds pass at once.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bus/engine.h"
#include "bus/membership.h"
#include "test/bus/registry_on_link.h"
#include "test/support/simulated_bus.h"

namespace tidemark::bus {

class SimulatedSite {
 public:
  struct Node {
    test::ProcessId id{};
    bool frozen = false;
    std::unique_ptr<RegistryOnLink> registry;
    std::shared_ptr<Membership> membership;
    std::shared_ptr<Engine> link;  // goes before what its callbacks use
  };

  explicit SimulatedSite(std::uint64_t seed = 1) : bus_(seed) {}
  ~SimulatedSite() {
    for (const auto& node : nodes_) crash(*node);
  }

  static NodeInfo info(const std::string& name, Incarnation incarnation = 0) {
    NodeInfo info;
    info.name = name;
    info.uuid = node_uuid("test", name);
    info.incarnation = incarnation;
    info.host = "host";
    info.pid = 1000 + incarnation;
    return info;
  }
  static NodeNumber number(const std::string& name) { return node_number(info(name).uuid); }

  /// A process; an older one of that name goes on beside it.
  Node& start(const std::string& name, Incarnation incarnation = 1) {
    nodes_.push_back(std::make_unique<Node>());
    auto& node = *nodes_.back();
    node.id = test::ProcessId{nodes_.size()};
    EngineOptions options;
    options.clock = bus_.clock(Duration{0});
    options.has_thread = false;
    node.link = std::make_shared<Engine>(info(name, incarnation), bus_.open(node.id, number(name)),
                                         options);
    return node;
  }
  Node& start_registry(const std::string& name, Incarnation incarnation) {
    auto& node = start(name, incarnation);
    node.registry = std::make_unique<RegistryOnLink>(*node.link);
    return node;
  }
  void crash(Node& node) {
    bus_.crash(node.id);
    node.link.reset();
  }

  test::SimulatedBus& bus() { return bus_; }
  /// What gets lost, or held back, on its way from one to the other for so long.
  void lose(const std::string& from, const std::string& to, Duration lasts) {
    bus_.cut(number(from), number(to), bus_.now() + lasts, false);
  }
  void hold(const std::string& from, const std::string& to, Duration lasts) {
    bus_.cut(number(from), number(to), bus_.now() + lasts, true);
  }

  void pass(Duration duration) {
    const auto until = bus_.now() + duration;
    while (bus_.now() < until) {
      bus_.step();
      for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (nodes_[i]->link && !nodes_[i]->frozen) nodes_[i]->link->turn(Duration{0});
      }
    }
  }

 private:
  test::SimulatedBus bus_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace tidemark::bus
