#include "actors/registry.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tidemark::actors {
namespace {

using model::api::Empty;
using model::api::Exited;
using model::api::kLease;

constexpr Duration kLook = std::chrono::milliseconds(250);

bool gone(bus::NodeState state) {
  return state == bus::NodeState::kDisconnected || state == bus::NodeState::kStopped;
}

/// Whether two registrations differ in what anybody else needs to know.
bool same_place(const bus::NodeInfo& a, const bus::NodeInfo& b) {
  return a.incarnation == b.incarnation && a.data_endpoints == b.data_endpoints &&
         a.request_endpoints == b.request_endpoints && a.pid == b.pid && a.host == b.host;
}

}  // namespace

bus::NodeInfo* RegistryState::find(const std::string& node) {
  const auto found = std::find_if(directory.nodes.begin(), directory.nodes.end(),
                                  [&](const bus::NodeInfo& each) { return each.name == node; });
  return found == directory.nodes.end() ? nullptr : &*found;
}

void RegistryState::changed() {
  ++directory.revision;
  link->publish(bus::FrameClass::kDirectory, bus::kDirectoryStream, 1, model::pack(directory));
  const auto alive = std::count_if(directory.nodes.begin(), directory.nodes.end(),
                                   [](const bus::NodeInfo& each) { return !gone(each.state); });
  board->gauge("tidemark_registry_nodes_alive", "Nodes with a lease", static_cast<double>(alive));
}

void RegistryState::set_state(bus::NodeInfo& node, bus::NodeState state,
                              const std::string& reason) {
  if (node.state == state) return;
  const bool was_gone = gone(node.state);
  node.state = state;
  node.state_since = utc_now();
  if (gone(state) && !was_gone) {
    spdlog::info("{} (incarnation {}) is gone: {}", node.name, node.incarnation, reason);
    caf::anon_send(outbox, append_atom_v,
                   Records{model::NodeDown{node.name, node.incarnation, reason}});
  } else if (was_gone && !gone(state)) {
    spdlog::info("{} (incarnation {}) is back", node.name, node.incarnation);
    caf::anon_send(outbox, append_atom_v,
                   Records{model::NodeUp{node.name, node.incarnation, node.host, node.pid}});
  }
  changed();
}

Registry::behavior_type registry_actor(Registry::stateful_pointer<RegistryState> self,
                                       std::shared_ptr<bus::Link> link,
                                       std::shared_ptr<Board> board, Outbox outbox) {
  auto& state = self->state;
  state.link = std::move(link);
  state.board = std::move(board);
  state.outbox = std::move(outbox);
  state.directory.registry = state.link->self().incarnation;
  self->send(self, tick_atom_v);

  return {
      [self, &state](add_atom, const bus::NodeInfo& asked) -> caf::result<bus::Directory> {
        for (const auto& each : state.directory.nodes) {
          const bool same_number = bus::node_number(each.uuid) == bus::node_number(asked.uuid);
          if (each.uuid != asked.uuid && !gone(each.state) &&
              (each.name == asked.name || same_number)) {
            return to_caf(Error{Code::kConflict, (same_number ? "number of node '" : "name '") +
                                                     asked.name + "' belongs to '" + each.name +
                                                     "' on " + each.host + ", pid " +
                                                     std::to_string(each.pid)});
          }
        }
        auto* known = state.find(asked.name);
        if (known != nullptr && asked.incarnation < known->incarnation) {
          return to_caf(Error{Code::kRefused,
                              asked.name + " incarnation " + std::to_string(asked.incarnation) +
                                  " is superseded by incarnation " +
                                  std::to_string(known->incarnation) + " on " + known->host +
                                  ", pid " + std::to_string(known->pid)});
        }
        state.renewed[asked.name] = steady_now();
        if (known != nullptr && same_place(*known, asked)) {
          // A frozen process that wakes up renews: it is back, and nobody took its place.
          state.set_state(*known, bus::NodeState::kAlive, "");
          return state.directory;
        }
        if (known == nullptr) {
          known = &state.directory.nodes.emplace_back();
        } else if (!gone(known->state)) {
          caf::anon_send(state.outbox, append_atom_v,
                         Records{model::NodeDown{
                             known->name, known->incarnation,
                             "superseded by incarnation " + std::to_string(asked.incarnation)}});
        }
        *known = asked;
        known->state = bus::NodeState::kAlive;
        known->state_since = utc_now();
        spdlog::info("{} is up: incarnation {}, {} pid {}", asked.name, asked.incarnation,
                     asked.host, asked.pid);
        caf::anon_send(
            state.outbox, append_atom_v,
            Records{model::NodeUp{asked.name, asked.incarnation, asked.host, asked.pid}});
        state.changed();
        return state.directory;
      },
      [&state](goodbye_atom, const bus::NodeInfo& leaving) {
        auto* node = state.find(leaving.name);
        if (node != nullptr && node->incarnation == leaving.incarnation) {
          state.set_state(*node, bus::NodeState::kStopped, "stopped");
        }
        return Empty{};
      },
      [&state](exited_atom, const Exited& exited) {
        auto* node = state.find(exited.name);
        if (node != nullptr && node->pid == exited.pid && !gone(node->state)) {
          state.set_state(*node, bus::NodeState::kDisconnected, exited.reason);
        }
        return Empty{};
      },
      [&state](directory_atom) { return state.directory; },
      [self, &state](tick_atom) {
        self->delayed_send(self, kLook, tick_atom_v);
        const auto now = steady_now();
        for (auto& node : state.directory.nodes) {
          if (gone(node.state)) continue;
          const auto silent = now - state.renewed[node.name];
          if (silent > kLease) {
            state.set_state(node, bus::NodeState::kDisconnected, "lease over");
          } else if (silent > kLease / 2) {
            state.set_state(node, bus::NodeState::kSuspect, "");
          }
        }
      },
  };
}

}  // namespace tidemark::actors
