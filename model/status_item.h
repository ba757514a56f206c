// model/status_item.h
//
// One thing that may be wrong with a subsystem, and what its operators know of it, as a pure
// function of events: raised, cleared, acknowledged.
//
//   latched: cleared and not acknowledged yet ──► still shown, until somebody has seen it

#pragma once

#include <string>
#include <tuple>

#include "base/time.h"
#include "model/record.h"

namespace tidemark::model {

struct StatusItem {
  std::string name;               // "interlock"
  Level severity = Level::kInfo;  // kInfo: nothing is wrong
  std::int32_t code = 0;          // the subsystem's own number
  std::string text;
  UtcTime since{};       // of this severity
  bool active = false;   // the cause is there
  bool latches = false;  // stays until it is acknowledged
  std::string acknowledged_by;
  UtcTime acknowledged_at{};

  static auto fields(auto& s) {
    return std::tie(s.name, s.severity, s.code, s.text, s.since, s.active, s.latches,
                    s.acknowledged_by, s.acknowledged_at);
  }
  bool operator==(const StatusItem&) const = default;

  /// Whether anybody needs to see it: its cause is there, or nobody has seen it yet.
  bool shown() const { return active || (latches && severity > Level::kInfo && !acknowledged()); }
  bool acknowledged() const { return !acknowledged_by.empty(); }
};

/// The cause is there. An item that changes or comes back needs to be acknowledged again.
StatusItem raised(StatusItem item, Level severity, std::int32_t code, std::string text,
                  UtcTime now);
/// The cause is gone. Without a latch, or once acknowledged, so is the item.
StatusItem cleared(StatusItem item, UtcTime now);
StatusItem acknowledged(StatusItem item, std::string who, UtcTime now);

}  // namespace tidemark::model
