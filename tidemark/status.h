// tidemark/status.h
//
// Status items: what may be wrong with a subsystem. Everybody sees them at once, the journal
// keeps each change, and an operator may acknowledge them.
//
//   auto interlock = psu.status_item("interlock", latched);
//   interlock.raise(Severity::kError, 12, "door open");
//   interlock.clear();

#pragma once

#include <memory>
#include <string>

#include "model/status_item.h"

namespace tidemark {

namespace subsystem {
class Session;
}

using Severity = model::Level;  // kInfo, kWarning, kError

enum class Latch : bool { kNo = false, kYes = true };
/// A cleared item stays until somebody has acknowledged it.
inline constexpr Latch latched = Latch::kYes;

/// Copies are the same item. Threads: any.
class StatusItem {
 public:
  StatusItem(std::shared_ptr<subsystem::Session> session, std::string name)
      : session_(std::move(session)), name_(std::move(name)) {}

  void raise(Severity severity, std::int32_t code, std::string text) const;
  void clear() const;
  model::StatusItem now() const;

 private:
  std::shared_ptr<subsystem::Session> session_;
  std::string name_;
};

}  // namespace tidemark
