#include "model/status_item.h"

#include <utility>

namespace tidemark::model {
namespace {

StatusItem at_rest(StatusItem item, UtcTime now) {
  if (item.shown() || item.severity == Level::kInfo) return item;
  item.severity = Level::kInfo;
  item.code = 0;
  item.text.clear();
  item.since = now;
  return item;
}

}  // namespace

StatusItem raised(StatusItem item, Level severity, std::int32_t code, std::string text,
                  UtcTime now) {
  if (item.active && item.severity == severity && item.code == code && item.text == text) {
    return item;
  }
  if (item.severity != severity || !item.active) item.since = now;
  item.active = true;
  item.severity = severity;
  item.code = code;
  item.text = std::move(text);
  item.acknowledged_by.clear();
  item.acknowledged_at = {};
  return item;
}

StatusItem cleared(StatusItem item, UtcTime now) {
  item.active = false;
  return at_rest(std::move(item), now);
}

StatusItem acknowledged(StatusItem item, std::string who, UtcTime now) {
  item.acknowledged_by = std::move(who);
  item.acknowledged_at = now;
  return at_rest(std::move(item), now);
}

}  // namespace tidemark::model
