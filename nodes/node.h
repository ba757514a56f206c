// nodes/node.h
//
// A node: what every kind has (a bus link, an actor system, membership, a way into the journal),
// and what one kind adds. Built at once, stopped in order by its destructor.

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "config/site.h"

namespace tidemark::bus {
class ZmqContext;
}

namespace tidemark::nodes {

/// Why the process must end by itself.
struct Ending {
  int exit_status = 1;
  std::string reason;
};

class Node {
 public:
  virtual ~Node() = default;
  virtual const std::string& name() const = 0;
};

class JournalLog;

struct NodeContext {
  config::Site site;
  std::string name;
  std::shared_ptr<bus::ZmqContext>
      zmq_context;  // shared by the nodes of one process; null: its own
  /// Called at most once, on any thread.
  std::function<void(Ending)> end;
  std::shared_ptr<JournalLog> log;  // of the process; null: what it logs is not recorded
};

/// Builds the node of that name: its kind is its name up to a digit or dash ("monitor",
/// "monitor-2"). Errors: what its parts say; kInvalidArgument for a name of no kind.
Result<std::unique_ptr<Node>> make_node(NodeContext context);

}  // namespace tidemark::nodes
