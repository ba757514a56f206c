#include "journal/marks.h"

#include <algorithm>
#include <mutex>

#include "base/ascii.h"
#include "base/glob.h"

namespace tidemark::journal {
namespace {

constexpr std::size_t kNodeBytes = 48;  // of a set or a map, with what the allocator adds

}  // namespace

std::tuple<Line, Line, const Uuid&> Marks::place(const Row& row) {
  const auto& point = row.begin.record == Line{0} ? row.end : row.begin;
  return {point.line, point.record, row.id};
}

bool Marks::ByName::operator()(Number a, Number b) const {
  const auto& left = (*rows)[a];
  const auto& right = (*rows)[b];
  const auto names = left.name.compare(right.name);
  return names != 0 ? names < 0 : place(left) < place(right);
}

bool Marks::take(const MarkRecord& record) {
  const std::unique_lock lock(mutex_);
  const auto known = by_id_.find(record.id);
  if (known == by_id_.end()) {
    if (bytes_ >= bytes_max_) {
      // Who asks before the projection is through reads the log itself: it comes twice then.
      if (record.point.record > left_out_through_) ++left_out_;
      left_out_through_ = std::max(left_out_through_, record.point.record);
      return false;
    }
    const auto number = static_cast<Number>(rows_.size());
    auto& row = rows_.emplace_back();
    row.id = record.id;
    row.name = record.name;
    row.tags = kept(record.tags);
    (record.is_end ? row.end : row.begin) = kept(record.point);
    by_id_.emplace(row.id, number);
    link(number);
    bytes_ += sizeof(Row) + 2 * kNodeBytes + sizeof(Number) + row.name.capacity();
    return true;
  }
  auto& row = rows_[known->second];
  auto& point = record.is_end ? row.end : row.begin;
  if (point.record != Line{0}) return point.record == record.point.record;
  if (record.is_end) {
    point = kept(record.point);
    return true;
  }
  // It ended before it began: two programs said so, and one of them was slow.
  unlink(known->second);
  row.name = record.name;
  row.tags = kept(record.tags);
  point = kept(record.point);
  link(known->second);
  return true;
}

void Marks::clear() {
  const std::unique_lock lock(mutex_);
  by_name_.clear();
  in_order_.clear();
  by_id_.clear();
  rows_.clear();
  people_.clear();
  tag_sets_.clear();
  bytes_ = 0;
  left_out_ = 0;
  left_out_through_ = Line{0};
}

void Marks::link(Number number) {
  by_name_.insert(number);
  // Nearly always at the end.
  const auto before = [this](Number a, Number b) { return place(rows_[a]) < place(rows_[b]); };
  in_order_.insert(std::upper_bound(in_order_.begin(), in_order_.end(), number, before), number);
}

void Marks::unlink(Number number) {
  by_name_.erase(number);
  in_order_.erase(std::find(in_order_.begin(), in_order_.end(), number));
}

Marks::Point Marks::kept(const MarkPoint& point) {
  const auto [who, is_new] = people_.insert(point.who);
  if (is_new) bytes_ += kNodeBytes + who->capacity();
  return {point.line, point.at, point.record, &*who, point.has_data};
}

const std::vector<std::string>* Marks::kept(const std::vector<std::string>& tags) {
  const auto [set, is_new] = tag_sets_.insert(tags);
  if (is_new) {
    bytes_ += kNodeBytes;
    for (const auto& tag : *set) bytes_ += sizeof tag + tag.capacity();
  }
  return &*set;
}

/// In order.
std::vector<Marks::Number> Marks::candidates(const std::string& mark) const {
  const auto [first, last] = by_name_.equal_range(std::string_view(mark));
  if (first != last) return {first, last};
  if (const auto id = Uuid::parse(mark)) {
    const auto known = by_id_.find(*id);
    if (known != by_id_.end()) return {known->second};
    return {};
  }
  std::vector<Number> found;
  if (mark.size() < kDigitsMin) return found;
  const auto digits = lowered(mark);
  std::copy_if(in_order_.begin(), in_order_.end(), std::back_inserter(found),
               [&](Number number) { return rows_[number].id.text().starts_with(digits); });
  return found;
}

bool Marks::fits(const Row& row, const MarkFilter& filter) {
  const bool has_begin = row.begin.record != Line{0};
  const bool has_end = row.end.record != Line{0};
  if (filter.open && has_end) return false;
  if (filter.since && has_end && row.end.at < *filter.since) return false;
  if (filter.until && (has_begin ? row.begin : row.end).at > *filter.until) return false;
  if (!filter.name.empty() && !glob_match(filter.name, row.name)) return false;
  return filter.tag.empty() ||
         std::any_of(row.tags->begin(), row.tags->end(),
                     [&](const auto& tag) { return glob_match(filter.tag, tag); });
}

Mark Marks::mark_of(const Row& row) {
  Mark mark{row.id, row.name, *row.tags, {}, {}};
  const auto set = [](const Point& from, std::optional<MarkPoint>& to) {
    if (from.record == Line{0}) return;
    to = MarkPoint{from.line, from.at, from.record, *from.who, from.has_data};
  };
  set(row.begin, mark.begin);
  set(row.end, mark.end);
  return mark;
}

MarkPage Marks::find(const MarkFilter& filter) const {
  const std::shared_lock lock(mutex_);
  MarkPage page;
  const auto take_one = [&](Number number) {
    if (!fits(rows_[number], filter)) return;
    ++page.found;
    if (page.marks.size() < filter.limit) page.marks.push_back(mark_of(rows_[number]));
  };
  const auto take_all = [&](const std::vector<Number>& numbers) {
    if (filter.newest_first) {
      std::for_each(numbers.rbegin(), numbers.rend(), take_one);
    } else {
      std::for_each(numbers.begin(), numbers.end(), take_one);
    }
  };
  if (filter.mark.empty()) {
    take_all(in_order_);
  } else {
    take_all(candidates(filter.mark));
  }
  return page;
}

std::optional<Mark> Marks::newest(std::string_view mark) const {
  {
    const std::shared_lock lock(mutex_);
    const auto [first, last] = by_name_.equal_range(mark);
    if (!mark.empty() && first != last) return mark_of(rows_[*std::prev(last)]);
  }
  MarkFilter filter;
  filter.mark = mark;
  filter.limit = 1;
  if (filter.mark.empty()) return std::nullopt;
  auto page = find(filter);
  if (page.marks.empty()) return std::nullopt;
  return std::move(page.marks.front());
}

std::size_t Marks::size() const {
  const std::shared_lock lock(mutex_);
  return rows_.size();
}

std::size_t Marks::bytes() const {
  const std::shared_lock lock(mutex_);
  return bytes_;
}

std::uint64_t Marks::left_out() const {
  const std::shared_lock lock(mutex_);
  return left_out_;
}

}  // namespace tidemark::journal
