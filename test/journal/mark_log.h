// test/journal/mark_log.h
//
// A log of marks with a clock that the test turns, and projections of it.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "journal/memory_store.h"
#include "journal/projections.h"
#include "journal_samples.h"

namespace tidemark::journal {

inline Uuid id_of(int number) { return Uuid::derive("mark " + std::to_string(number)); }

class MarkLog {
 public:
  explicit MarkLog(ProjectionLimits limits = {}) : limits_(limits) { open(); }

  Line append(const std::vector<model::Record>& records) {
    return append_one(*store, section_of(records, ++sequence_)).value().first;
  }
  void append_updates(std::size_t count) {
    const std::vector<model::PvUpdate> updates(count, value_of(1, 1.0));
    TIDEMARK_CHECK(append_one(*store, section_of(updates, ++sequence_)).ok());
  }
  void open() {
    projections = std::make_shared<Projections>(store, table, limits_);
    TIDEMARK_CHECK(projections->load().ok());
  }
  void project_all() const {
    while (projections->advance(100).value()) {
    }
  }
  const Marks& marks() const { return *projections->marks().current().value(); }
  std::vector<Mark> all(MarkFilter filter = {}) const {
    filter.newest_first = false;
    return marks().find(filter).marks;
  }

  UtcTime now = at_second(0);
  std::shared_ptr<MemoryStore> store =
      std::make_shared<MemoryStore>(StoreLimits{}, [this] { return now; });
  std::shared_ptr<MemoryProjectionTable> table = std::make_shared<MemoryProjectionTable>();
  std::shared_ptr<Projections> projections;

 private:
  const ProjectionLimits limits_;
  std::uint64_t sequence_ = 0;
};

inline model::MarkBegin begin_of(int number, std::string name, UtcTime at = {}) {
  return {id_of(number), std::move(name), {"beam"}, "ann", {}, at};
}
inline model::MarkEnd end_of(int number, UtcTime at = {}) {
  return {id_of(number), "?", "bob", {}, at};
}

}  // namespace tidemark::journal
