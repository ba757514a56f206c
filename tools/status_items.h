// tools/status_items.h
//
// Status items of subsystems: asking for them, and a table of them.

#pragma once

#include "model/api/subsystem.h"
#include "tools/context.h"
#include "tools/table.h"

namespace tidemark::tools {

/// All of them, also those at rest. Errors: those of Client::ask().
Result<model::api::StatusItems> status_items_of(Client& client, const std::string& subsystem,
                                                Duration budget);

class StatusTable {
 public:
  void add(const std::string& subsystem, const model::StatusItem& item);
  bool empty() const { return table_.empty(); }
  /// Nothing at all when it is empty.
  void print(const Context& context) const;

 private:
  Table table_{{{"SUBSYSTEM"},
                {"ITEM"},
                {"SEVERITY", false, false},
                {"CODE", true, false},
                {"SINCE", false, false},
                {"CAUSE", false, false},
                {"ACKNOWLEDGED"},
                {"TEXT"}}};
};

/// "there"; "gone", of one that nobody has acknowledged; "-".
std::string cause_text(const model::StatusItem& item);

}  // namespace tidemark::tools
