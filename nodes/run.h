// nodes/run.h
//
// The programs: each builds the parts of a node, connects them, and stops them in order on
// SIGINT or SIGTERM. What they return is the exit status of the process.

#pragma once

#include <string>

#include "config/site.h"

namespace tidemark::nodes {

/// 0 ended in order; 1 could not start or failed (said on standard error and in the log);
/// 3 fenced: a newer incarnation of the same node is running.
int run_node(const config::Site& site, const std::string& name);

/// The supervisor: starts the site's nodes as processes of `executable`, restarts what dies,
/// stops them in reverse order.
int run_up(const config::Site& site, const std::string& executable);

/// All nodes in this process.
int run_solo(const config::Site& site);

}  // namespace tidemark::nodes
