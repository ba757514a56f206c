#include "nodes/run.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <caf/scoped_actor.hpp>
#include <cstdio>
#include <future>

#include "actors/supervisor.h"
#include "bus/zmq_link.h"
#include "nodes/chassis.h"
#include "nodes/children.h"
#include "nodes/journal_log.h"
#include "nodes/signals.h"

namespace tidemark::nodes {
namespace {

constexpr Duration kEndPatience = std::chrono::seconds(8);

std::shared_ptr<JournalLog> log_as(const config::Site& site, const std::string& name) {
  spdlog::set_default_logger(spdlog::stderr_color_mt(name));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ [%n] %v");
  spdlog::set_level(spdlog::level::from_str(site.log_level));
  spdlog::flush_on(spdlog::level::info);
  return JournalLog::start(site, name);
}

int failed(const Error& error) {
  spdlog::critical("{}", error.message);
  return 1;
}

int ended(const std::optional<Ending>& ending) {
  end_within(kEndPatience);
  if (!ending) return 0;
  spdlog::error("ending: {}", ending->reason);
  return ending->exit_status;
}

/// Says once, on standard output, that every node is there.
class ReadyLine {
 public:
  explicit ReadyLine(const config::Site& site) : site_(site), began_(steady_now()) {}

  void look(const bus::Directory& directory) {
    if (said_) return;
    for (const auto& name : site_.nodes) {
      const auto* node = directory.find(name);
      if (node == nullptr || node->state != bus::NodeState::kAlive) return;
    }
    said_ = true;
    const std::chrono::duration<double> took = steady_now() - began_;
    std::printf("tidemark: %zu nodes up after %.2f s", site_.nodes.size(), took.count());
    if (directory.find("gateway") != nullptr) {
      std::printf(", http://%s", site_.gateway.listen.c_str());
    }
    std::printf("; Ctrl-C stops them\n");
    std::fflush(stdout);
  }

 private:
  const config::Site site_;
  const SteadyTime began_;
  bool said_ = false;
};

}  // namespace

int run_node(const config::Site& site, const std::string& name) {
  block_stop_signals();
  const auto log = log_as(site, name);
  auto node = make_node({site, name, nullptr, end_by_itself, log});
  if (!node) return failed(node.error());
  spdlog::info("{} {} is running", name, version());
  const auto status = ended(wait_for_end());
  spdlog::info("{} is stopping", name);
  node.value().reset();
  return status;
}

int run_solo(const config::Site& site) {
  block_stop_signals();
  const auto log = log_as(site, "solo");
  const auto context = bus::make_zmq_context();
  std::vector<std::unique_ptr<Node>> nodes;
  int status = 0;
  for (const auto& name : site.nodes) {
    auto node = make_node({site, name, context, end_by_itself, log});
    if (!node) {
      status = failed(node.error());
      break;
    }
    nodes.push_back(std::move(node).value());
  }
  if (status == 0) {
    std::printf("tidemark: %zu nodes up in one process, http://%s; Ctrl-C stops them\n",
                nodes.size(), site.gateway.listen.c_str());
    std::fflush(stdout);
    status = ended(wait_for_end());
  }
  while (!nodes.empty()) nodes.pop_back();
  return status;
}

int run_up(const config::Site& site, const std::string& executable) {
  block_stop_signals();
  const auto log = log_as(site, "supervisor");
  const auto logs = site.data_directory + "/log";
  const auto made = make_directories(logs);
  if (!made) return failed(made.error());
  auto built = Chassis::build({site, "supervisor", nullptr, end_by_itself, log});
  if (!built) {
    const auto& error = built.error();
    if (error.code != Code::kConflict) return failed(error);
    return failed({error.code, "this site is running already (" + error.message + ")"});
  }
  auto& chassis = *built.value();

  actors::Supervisor supervisor;
  // Set before any child runs; children end before it goes.
  std::promise<actors::Supervisor> spawned;
  const auto handle = spawned.get_future().share();
  Children children([handle](std::string name, int pid, ChildEnd end) {
    caf::anon_send(handle.get(), actors::exited_atom_v, std::move(name), pid,
                   actors::ProcessEnd{std::move(end.what), end.signal, std::move(end.last_words)});
  });

  actors::SupervisorOptions options;
  options.nodes = site.nodes;
  const auto& s = site.supervisor;
  options.policy = {s.backoff_min, s.backoff_max, s.restarts_max, s.restart_window};
  options.stop_grace = s.stop_grace;
  options.link = chassis.link;
  options.registry = chassis.number_of("registry");
  options.board = chassis.board;
  options.outbox = chassis.outbox;
  options.start = [&children, &site, executable, logs](const std::string& name) {
    return children.start(
        {name, executable, {"-c", site.file, "node", name}, logs + "/" + name + ".log"});
  };
  options.signal = [&children](int pid, int number) { children.signal(pid, number); };
  supervisor = chassis.system->spawn<caf::detached>(actors::supervisor_actor, std::move(options));
  spawned.set_value(supervisor);
  const auto ready = std::make_shared<ReadyLine>(site);
  chassis.on_directory.push_back([supervisor, ready](const bus::Directory& directory) {
    ready->look(directory);
    caf::anon_send(supervisor, actors::directory_atom_v, directory);
  });
  chassis.announce();

  const auto ending = wait_for_end();
  const int status = ending ? ending->exit_status : 0;
  if (ending) spdlog::error("ending: {}", ending->reason);
  {
    caf::scoped_actor self(*chassis.system);
    const auto patience = s.stop_grace * static_cast<int>(site.nodes.size() + 1);
    self->request(supervisor, caf::timespan(patience), actors::stop_atom_v)
        .receive([](const Unit&) {},
                 [](const caf::error&) { spdlog::error("not all nodes could be stopped"); });
  }
  end_within(kEndPatience);
  caf::anon_send_exit(supervisor, caf::exit_reason::user_shutdown);
  supervisor = nullptr;
  std::printf("tidemark: stopped\n");
  return status;
}

}  // namespace tidemark::nodes
