#include "journal/frozen_projection_table.h"

namespace tidemark::journal {

Result<Unit> FrozenProjectionTable::write(const std::vector<KeyValue>&) {
  return Error{Code::kFailed, "the journal's projections: opened to read"};
}

Result<Unit> FrozenProjectionTable::clear() {
  cleared_ = true;
  return Unit{};
}

Result<Unit> FrozenProjectionTable::scan(
    BytesView from, BytesView to,
    const std::function<bool(BytesView key, BytesView value)>& visit) const {
  if (cleared_) return Unit{};
  return table_->scan(from, to, visit);
}

Result<std::optional<KeyValue>> FrozenProjectionTable::last(BytesView from, BytesView to) const {
  if (cleared_) return std::optional<KeyValue>{};
  return table_->last(from, to);
}

}  // namespace tidemark::journal
