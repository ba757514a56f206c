// nodes/kinds.h
//
// One builder per kind of node. factory.cpp chooses.

#pragma once

#include "nodes/node.h"

namespace tidemark::nodes {

Result<std::unique_ptr<Node>> make_registry_node(NodeContext context);
Result<std::unique_ptr<Node>> make_journal_node(NodeContext context);
Result<std::unique_ptr<Node>> make_keeper_node(NodeContext context);
Result<std::unique_ptr<Node>> make_monitor_node(NodeContext context);
Result<std::unique_ptr<Node>> make_gateway_node(NodeContext context);

}  // namespace tidemark::nodes
