#include "journal/frozen_projection_table.h"

namespace tidemark::journal {

Result<Unit> FrozenProjectionTable::write(const std::vector<KeyValue>&) {
  return Error{Code::kFailed, "the journal's projections: opened to read"};
}

Result<Unit> FrozenProjectionTable::clear() {
  cleared_ = true;
  return Unit{};
}

// What expired left behind is not derived: nobody can make it again.
bool FrozenProjectionTable::is_gone(BytesView from) const {
  return cleared_ && !from.starts_with('x') && !from.starts_with('y');
}

Result<Unit> FrozenProjectionTable::scan(
    BytesView from, BytesView to,
    const std::function<bool(BytesView key, BytesView value)>& visit) const {
  if (is_gone(from)) return Unit{};
  return table_->scan(from, to, visit);
}

Result<std::optional<KeyValue>> FrozenProjectionTable::last(BytesView from, BytesView to) const {
  if (is_gone(from)) return std::optional<KeyValue>{};
  return table_->last(from, to);
}

}  // namespace tidemark::journal
