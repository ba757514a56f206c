#include "journal/lost_lines.h"

#include <algorithm>
#include <utility>

namespace tidemark::journal {

Uuid lost_lines_origin() { return Uuid::derive("tidemark journal repair"); }

InspectedSection own_section(const std::vector<model::Record>& records, Line first, UtcTime now) {
  Section section;
  section.origin = lost_lines_origin();
  section.incarnation = 1;
  section.sequence = raw(first);
  section.count = static_cast<std::uint32_t>(records.size());
  section.sent_at = now;
  section.payload = model::encode_records(records);
  auto inspected = inspect(std::move(section));
  TIDEMARK_CHECK(inspected.ok());
  return std::move(inspected).value();
}

std::vector<InspectedSection> lost_sections(const LineRange& lines, const std::string& why,
                                            UtcTime now) {
  const model::LogMessage first{model::Level::kError, "journal",
                                to_text(lines) + " are lost: " + why};
  const model::LogMessage lost{model::Level::kDebug, "journal", "lost"};
  std::vector<InspectedSection> sections;
  for (auto next = raw(lines.first); next <= raw(lines.last);) {
    const auto count =
        std::min<std::uint64_t>(model::kRecordsPerBatchMax, raw(lines.last) - next + 1);
    std::vector<model::Record> records(count, lost);
    if (next == raw(lines.first)) records.front() = first;
    sections.push_back(own_section(records, Line{next}, now));
    next += count;
  }
  return sections;
}

}  // namespace tidemark::journal
