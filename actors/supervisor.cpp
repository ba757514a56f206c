#include "actors/supervisor.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>

namespace tidemark::actors {
namespace {

constexpr Duration kRegistryBudget = std::chrono::seconds(1);

}  // namespace

void SupervisorState::start(const std::string& node) {
  auto& child = children.at(node);
  if (stopping || child.pid != 0) return;
  child.started_at = steady_now();
  child.healthy = false;
  const auto pid = options.start(node);
  if (!pid) {
    child.last_end = {pid.error().message, 0, {}};
    spdlog::error("{}", pid.error().message);
    return restart_later(node, child);
  }
  child.pid = pid.value();
  if (child.last_end.what.empty()) {
    spdlog::info("started {} as pid {}", node, child.pid);
    return;
  }
  ++child.restarts;
  spdlog::warn("restarted {} as pid {} ({})", node, child.pid, child.last_end.what);
  options.board->warning(node, "");
  options.board->count("tidemark_supervisor_restarts_" + node + "_total",
                       "Times that this node was started again",
                       static_cast<double>(child.restarts));
  caf::anon_send(
      options.outbox, append_atom_v,
      Records{model::NodeRestarted{
          node, static_cast<std::uint32_t>(child.pid), child.restarts, child.last_end.what,
          static_cast<std::uint32_t>(child.last_end.signal), child.last_end.last_words}});
}

void SupervisorState::restart_later(const std::string& node, Child& child) {
  // One that had come as far as the bus was well: it is not its start that fails.
  const auto lived_since = child.healthy ? SteadyTime{} : child.started_at;
  const auto pause = child.history.died(lived_since, steady_now());
  if (!pause) {
    const auto sentence = node + " died more than " + std::to_string(options.policy.restarts_max) +
                          " times in a short while (" + child.last_end.what +
                          ") and is left down; see its log";
    spdlog::critical("{}", sentence);
    options.board->warning(node, sentence);
    model::kv::Struct data{{"node", node}, {"signal", child.last_end.signal}};
    data.push_back({"last_words", child.last_end.last_words});
    caf::anon_send(options.outbox, append_atom_v,
                   Records{model::LogMessage{model::Level::kError, "supervisor", sentence,
                                             std::move(data), "", utc_now()}});
    return;
  }
  self->delayed_send(self, *pause, start_atom_v, node);
}

void SupervisorState::exited(const std::string& node, int pid, const ProcessEnd& end) {
  auto& child = children.at(node);
  if (child.pid != pid) return;
  child.pid = 0;
  child.last_end = end;
  // The registry would notice by the lease, but we know now.
  options.link->request(
      options.registry, "registry.exited",
      model::pack(model::api::Exited{node, static_cast<std::uint32_t>(pid), end.what}),
      {kRegistryBudget, {}}, [](const bus::Answer&) {});
  if (stopping) return stop_next();
  spdlog::warn("{} (pid {}) ended: {}", node, pid, end.what);
  restart_later(node, child);
}

void SupervisorState::stop_next() {
  const auto last = std::find_if(options.nodes.rbegin(), options.nodes.rend(),
                                 [this](const auto& each) { return children.at(each).pid != 0; });
  if (last == options.nodes.rend()) return stopped.deliver(Unit{}), void();
  const auto pid = children.at(*last).pid;
  spdlog::info("stopping {}", *last);
  options.signal(pid, SIGTERM);
  self->delayed_send(self, options.stop_grace, tick_atom_v, pid);
}

Supervisor::behavior_type supervisor_actor(Supervisor::stateful_pointer<SupervisorState> self,
                                           SupervisorOptions asked) {
  auto& state = self->state;
  state.options = std::move(asked);
  for (const auto& node : state.options.nodes) {
    state.children.emplace(
        node,
        SupervisorState::Child{0, {}, false, 0, {}, model::RestartHistory(state.options.policy)});
    self->send(self, start_atom_v, node);
  }
  return {
      [&state](start_atom, const std::string& node) { state.start(node); },
      [&state](exited_atom, const std::string& node, int pid, const ProcessEnd& end) {
        state.exited(node, pid, end);
      },
      [&state](directory_atom, const bus::Directory& directory) {
        if (state.stopping) return;
        for (const auto& node : directory.nodes) {
          const auto child = state.children.find(node.name);
          const bool ours = child != state.children.end() && child->second.pid != 0 &&
                            node.pid == static_cast<std::uint32_t>(child->second.pid);
          if (ours && node.state == bus::NodeState::kAlive) child->second.healthy = true;
          if (!ours || node.state != bus::NodeState::kDisconnected) continue;
          spdlog::warn("{} (pid {}) runs but does not answer: killing it", node.name, node.pid);
          state.options.signal(child->second.pid, SIGKILL);
        }
      },
      [self, &state](stop_atom) -> caf::result<Unit> {
        state.stopping = true;
        state.stopped = self->make_response_promise<Unit>();
        auto promise = state.stopped;
        state.stop_next();
        return promise;
      },
      [&state](tick_atom, int pid) {
        for (const auto& [node, child] : state.children) {
          if (child.pid != pid) continue;
          spdlog::warn("{} did not stop in time: killing it", node);
          state.options.signal(pid, SIGKILL);
        }
      },
  };
}

}  // namespace tidemark::actors
