// actors/board.h
//
// What a node says of itself: facts, warnings and figures that its parts write and node.status
// and /metrics read.
//
// Threads: any.

#pragma once

#include <map>
#include <mutex>
#include <string>

#include "model/api/node.h"

namespace tidemark::actors {

class Board {
 public:
  void gauge(const std::string& name, const std::string& help, double value);
  void count(const std::string& name, const std::string& help, double total);
  void fact(const std::string& name, const std::string& text);
  /// One per `what`; an empty sentence takes it back.
  void warning(const std::string& what, const std::string& sentence);

  /// Adds what is on the board, and what the process uses.
  void fill(model::api::NodeStatus& status) const;

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, model::api::Figure> figures_;
  std::map<std::string, std::string> facts_;
  std::map<std::string, std::string> warnings_;
};

}  // namespace tidemark::actors
