// journal/frozen_projection_table.h
//
// Another table, opened to read. Whoever finds it to be of no use and clears it sees it empty from
// then on; the table itself stays as it is.

#pragma once

#include <atomic>
#include <memory>

#include "journal/projection_table.h"

namespace tidemark::journal {

class FrozenProjectionTable final : public ProjectionTable {
 public:
  explicit FrozenProjectionTable(std::shared_ptr<const ProjectionTable> table)
      : table_(std::move(table)) {}

  /// Errors: kFailed, always.
  Result<Unit> write(const std::vector<KeyValue>& puts) override;
  void flush() override {}
  Result<Unit> clear() override;
  Result<Unit> scan(
      BytesView from, BytesView to,
      const std::function<bool(BytesView key, BytesView value)>& visit) const override;
  Result<std::optional<KeyValue>> last(BytesView from, BytesView to) const override;

 private:
  bool is_gone(BytesView from) const;

  const std::shared_ptr<const ProjectionTable> table_;
  std::atomic<bool> cleared_ = false;
};

}  // namespace tidemark::journal
