// actors/supervisor.h
//
// Keeps the nodes of one host running. Sees a process end within a millisecond and a frozen one
// by its lease; starts it again as model/restart_policy.h says; stops all in reverse order.

#pragma once

#include <map>

#include "actors/board.h"
#include "actors/messages.h"
#include "actors/outbox.h"
#include "model/restart_policy.h"

namespace tidemark::actors {

using Supervisor = caf::typed_actor<
    /// Starts one node, if it does not run.
    caf::reacts_to<start_atom, std::string>,

    /// A process ended: name, pid, how.
    caf::reacts_to<exited_atom, std::string, int, ProcessEnd>,

    /// Who is on the bus: a process that runs without a lease is frozen.
    caf::reacts_to<directory_atom, bus::Directory>,

    /// Stops all, last started first. Answers when none runs.
    caf::replies_to<stop_atom>::with<Unit>,

    /// The grace of the node that is being stopped is over.
    caf::reacts_to<tick_atom, int>>;

struct SupervisorOptions {
  std::vector<std::string> nodes;  // in start order
  model::RestartPolicy policy;
  Duration stop_grace{0};
  std::shared_ptr<bus::Link> link;
  bus::NodeNumber registry{};
  std::shared_ptr<Board> board;
  Outbox outbox;
  std::function<Result<int>(const std::string&)> start;  // the pid
  std::function<void(int pid, int signal)> signal;
};

struct SupervisorState {
  static inline const char* name = "supervisor";

  explicit SupervisorState(Supervisor::pointer actor) : self(actor) {}

  struct Child {
    int pid = 0;  // 0: does not run
    SteadyTime started_at{};
    bool healthy = false;  // was seen on the bus
    std::uint32_t restarts = 0;
    ProcessEnd last_end;
    model::RestartHistory history;
  };

  Supervisor::pointer self;
  SupervisorOptions options;
  std::map<std::string, Child> children;
  bool stopping = false;
  caf::typed_response_promise<Unit> stopped;

  void start(const std::string& node);
  void exited(const std::string& node, int pid, const ProcessEnd& end);
  void restart_later(const std::string& node, Child& child);
  void stop_next();
};

Supervisor::behavior_type supervisor_actor(Supervisor::stateful_pointer<SupervisorState> self,
                                           SupervisorOptions options);

}  // namespace tidemark::actors
