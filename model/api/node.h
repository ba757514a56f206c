// model/api/node.h
//
// What every node answers.
//
//   node.status   Empty → NodeStatus
//   node.stop     Empty → Empty        ends the node in order

#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"

namespace tidemark::model::api {

struct Empty {
  static auto fields(auto&) { return std::tuple<>(); }
};

/// One number that a node counts. Names are Prometheus names, without PV names or UUIDs in labels.
struct Figure {
  std::string name;  // "tidemark_journal_last_line"
  std::string help;
  bool counter = false;  // only grows; else it is a gauge
  double value = 0;
  static auto fields(auto& s) { return std::tie(s.name, s.help, s.counter, s.value); }
};

struct NodeStatus {
  std::string name;
  std::string kind;
  std::string version;
  std::uint32_t incarnation = 0;
  std::uint32_t pid = 0;
  UtcTime started_at{};
  std::uint64_t memory_bytes = 0;            // resident
  double cpu_seconds = 0;                    // user and system, since its start
  std::vector<std::string> warnings;         // what an operator should know, one sentence each
  std::map<std::string, std::string> facts;  // "sync": "batch", …
  std::vector<Figure> figures;
  static auto fields(auto& s) {
    return std::tie(s.name, s.kind, s.version, s.incarnation, s.pid, s.started_at, s.memory_bytes,
                    s.cpu_seconds, s.warnings, s.facts, s.figures);
  }
};

}  // namespace tidemark::model::api
