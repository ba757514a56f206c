#include "tools/status_items.h"

#include "model/api/monitor.h"
#include "model/api/node.h"
#include "tools/key_show.h"
#include "tools/show.h"

namespace tidemark::tools {

namespace api = model::api;

namespace {

std::string acknowledged_text(const model::StatusItem& item) {
  if (item.acknowledged()) return item.acknowledged_by;
  return item.latches && item.shown() ? "needed" : "-";
}

}  // namespace

Result<api::StatusItems> status_items_of(Client& client, const std::string& subsystem,
                                         Duration budget) {
  api::StatusItems items;
  std::optional<Error> bad;
  const auto take = [&](const Bytes& packed) {
    auto part = model::unpack<api::StatusItems>(packed);
    if (!part) {
      bad = Error{Code::kCorruption, "status.state: " + part.error().message};
      return;
    }
    for (auto& item : part.value()) items.push_back(std::move(item));
  };
  const auto end = client.ask<api::StateEnd>(subsystem, "status.state", api::Empty{}, budget, take);
  if (!end) return end.error();
  if (bad) return *bad;
  return items;
}

std::string cause_text(const model::StatusItem& item) {
  if (item.active) return "there";
  return item.shown() ? "gone" : "-";
}

void StatusTable::add(const std::string& subsystem, const model::StatusItem& item) {
  table_.add({subsystem,
              item.name,
              {to_string(item.severity), severity_color(item.severity)},
              std::to_string(item.code),
              time_text(item.since, 0),
              cause_text(item),
              acknowledged_text(item),
              item.text});
}

void StatusTable::print(const Context& context) const {
  if (!table_.empty()) table_.print(context.out, context.columns, context.color());
}

}  // namespace tidemark::tools
