#include "actors/mark_list.h"

#include <algorithm>

namespace tidemark::actors {
namespace {

namespace api = model::api;

constexpr std::size_t kAnswerBytesMax = 8u << 20;  // about: the bus carries 64 MiB

Result<std::optional<api::MarkPoint>> said_at(const journal::MarkProjection& projection,
                                              const std::optional<journal::MarkPoint>& from) {
  std::optional<api::MarkPoint> point;
  if (!from) return point;
  auto data = projection.data_of(*from);
  if (!data) return data.error();
  point.emplace();
  point->line = journal::raw(from->line);
  point->at = from->at;
  point->record = journal::raw(from->record);
  point->who = from->who;
  point->data = std::move(data).value();
  return point;
}

}  // namespace

Result<api::MarkList> list_marks(const journal::MarkProjection& projection,
                                 const api::MarksQuery& query) {
  const auto marks = projection.current();
  if (!marks) return marks.error();
  journal::MarkFilter filter;
  filter.mark = query.mark;
  filter.name = query.name;
  filter.tag = query.tag;
  filter.since = query.since;
  filter.until = query.until;
  filter.open = query.open;
  filter.newest_first = query.newest_first;
  filter.limit = std::min(query.limit, api::MarksQuery::kMarksMax);
  const auto page = marks.value()->find(filter);
  api::MarkList reply;
  reply.found = page.found;
  reply.left_out = projection.left_out();
  std::size_t bytes = 0;
  for (const auto& mark : page.marks) {
    auto begin = said_at(projection, mark.begin);
    if (!begin) return begin.error();
    auto end = said_at(projection, mark.end);
    if (!end) return end.error();
    api::MarkEntry entry{mark.id, mark.name, mark.tags, std::move(begin).value(),
                         std::move(end).value()};
    bytes += model::pack(entry).size();
    if (bytes > kAnswerBytesMax && !reply.marks.empty()) break;
    reply.marks.push_back(std::move(entry));
  }
  return reply;
}

void warn_of_left_out(const journal::MarkProjection& projection, Board& board) {
  const auto left_out = projection.left_out();
  board.count("tidemark_journal_marks_left_out_total",
              "Begins and ends of marks that there was no room for in memory, since the node began",
              static_cast<double>(left_out));
  board.warning("marks", left_out == 0
                             ? ""
                             : "journal: no room for more marks: " + std::to_string(left_out) +
                                   " begins and ends of marks are in the log only, and `log mark "
                                   "list` does not show them");
}

}  // namespace tidemark::actors
