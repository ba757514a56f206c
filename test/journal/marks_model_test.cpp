// test/journal/marks_model_test.cpp
//
// Marks against a naive model: the first begin and the first end of each, in a list. Random logs
// are projected at random moments, interrupted and reopened; whatever is asked must equal the list.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "base/glob.h"
#include "mark_log.h"

namespace tidemark::journal {
namespace {

class Naive {
 public:
  void step() {
    switch (*rc::gen::inRange(0, 7)) {
      case 0:
      case 1:
      case 2: append(); break;
      case 3:
        RC_ASSERT(log_.projections->advance(*rc::gen::inRange<std::uint64_t>(1, 40)).ok());
        break;
      case 4: log_.open(); break;  // as after kill -9
      default: ask(); break;
    }
  }
  void ask() const {
    MarkFilter filter;
    if (*rc::gen::arbitrary<bool>()) filter.name = *rc::gen::element<std::string>("a", "?", "b*");
    if (*rc::gen::arbitrary<bool>()) filter.mark = *rc::gen::element<std::string>("a", "bb", "c");
    if (*rc::gen::inRange(0, 3) == 0) filter.tag = *rc::gen::element<std::string>("t", "u");
    if (*rc::gen::inRange(0, 3) == 0) filter.since = at_second(*rc::gen::inRange(0, 100));
    if (*rc::gen::inRange(0, 3) == 0) filter.until = at_second(*rc::gen::inRange(0, 100));
    filter.open = *rc::gen::inRange(0, 3) == 0;
    filter.newest_first = *rc::gen::arbitrary<bool>();
    filter.limit = *rc::gen::inRange<std::size_t>(0, 9);
    auto wanted = fitting(filter);
    const auto page = log_.marks().find(filter);
    RC_ASSERT(page.found == wanted.size());
    wanted.resize(std::min(wanted.size(), filter.limit));
    RC_ASSERT(page.marks == wanted);
    const std::string name = *rc::gen::element<std::string>("a", "bb", "c");
    MarkFilter by_name;
    by_name.mark = name;
    wanted = fitting(by_name);
    const auto newest = log_.marks().newest(name);
    RC_ASSERT(newest.has_value() != wanted.empty());
    if (newest) RC_ASSERT(*newest == wanted.front());
  }
  /// What is derived now is what is derived from the log alone.
  void check_rebuild() {
    log_.project_all();
    const auto fresh = std::make_shared<MemoryProjectionTable>();
    Projections again(log_.store, fresh, limits());
    RC_ASSERT(again.load().ok());
    while (again.advance(1'000'000).value()) {
    }
    RC_ASSERT(entries(*fresh) == entries(*log_.table));
    RC_ASSERT(again.marks().current().value()->find({}).marks == log_.marks().find({}).marks);
  }

 private:
  static ProjectionLimits limits() {
    ProjectionLimits limits;
    limits.keyframe_lines_per_channel = 1;
    limits.head_bytes_max = 4096;
    limits.segments.length = 32;
    return limits;
  }
  static std::map<Bytes, Bytes> entries(const ProjectionTable& table) {
    std::map<Bytes, Bytes> all;
    (void)table.scan("", "\xff", [&](BytesView key, BytesView value) {
      all.emplace(key, value);
      return true;
    });
    return all;
  }
  void append() {
    log_.now += std::chrono::seconds(*rc::gen::inRange(0, 4));
    if (*rc::gen::inRange(0, 3) == 0) {
      log_.append_updates(*rc::gen::inRange<std::size_t>(1, 12));
      note(log_.store->last());
      return;
    }
    std::vector<model::Record> records(*rc::gen::inRange<std::size_t>(1, 5));
    for (auto& record : records) record = *any_record();
    const auto first = log_.append(records);
    for (std::size_t i = 0; i < records.size(); ++i) take(Line{raw(first) + i}, records[i]);
    note(log_.store->last());
  }
  static rc::Gen<model::Record> any_record() {
    return rc::gen::exec([]() -> model::Record {
      const auto number = *rc::gen::inRange(0, 12);
      UtcTime at{};
      if (*rc::gen::inRange(0, 3) == 0) at = at_second(*rc::gen::inRange(-5, 120));
      switch (*rc::gen::inRange(0, 5)) {
        case 0: return message("x");
        case 1:
        case 2: return end_of(number, at);
        default: {
          auto begin = begin_of(number, *rc::gen::element<std::string>("a", "bb", "c"), at);
          begin.tags.assign({"t", "u"});
          begin.tags.resize(*rc::gen::inRange<std::size_t>(0, 3));
          return begin;
        }
      }
    });
  }
  void note(Line last) { times_.emplace_back(log_.now, last); }
  MarkPoint point(Line line, UtcTime at, const std::string& who) const {
    MarkPoint made{line, log_.now, line, who, false};
    if (at == UtcTime{} || at >= log_.now) return made;
    made.at = at;
    made.line = Line{0};
    for (const auto& [time, last] : times_) {
      if (time <= at) made.line = last;
    }
    return made;
  }
  void take(Line line, const model::Record& record) {
    const auto mark_with = [&](const Uuid& id) -> Mark& {
      for (auto& each : marks_) {
        if (each.id == id) return each;
      }
      marks_.push_back({id, "", {}, {}, {}});
      return marks_.back();
    };
    if (const auto* begin = std::get_if<model::MarkBegin>(&record)) {
      auto& mark = mark_with(begin->mark);
      if (mark.begin) return;
      mark.begin = point(line, begin->at, begin->who);
      mark.name = begin->name;
      mark.tags = begin->tags;
    } else if (const auto* end = std::get_if<model::MarkEnd>(&record)) {
      auto& mark = mark_with(end->mark);
      if (mark.end) return;
      mark.end = point(line, end->at, end->who);
      if (!mark.begin) mark.name = end->name;
    }
  }
  std::vector<Mark> fitting(const MarkFilter& filter) const {
    std::vector<Mark> found;
    for (const auto& each : marks_) {
      if (!filter.mark.empty() && each.name != filter.mark) continue;
      if (!filter.name.empty() && !glob_match(filter.name, each.name)) continue;
      if (!filter.tag.empty() && std::count(each.tags.begin(), each.tags.end(), filter.tag) == 0) {
        continue;
      }
      if (filter.open && each.end) continue;
      if (filter.since && each.end && each.end->at < *filter.since) continue;
      const auto& from = each.begin ? each.begin : each.end;
      if (filter.until && from->at > *filter.until) continue;
      found.push_back(each);
    }
    const auto place = [](const Mark& mark) {
      const auto& from = mark.begin ? mark.begin : mark.end;
      return std::pair(from->line, from->record);
    };
    std::sort(found.begin(), found.end(),
              [&](const Mark& a, const Mark& b) { return place(a) < place(b); });
    if (filter.newest_first) std::reverse(found.begin(), found.end());
    return found;
  }

  MarkLog log_{limits()};
  std::vector<Mark> marks_;
  std::vector<std::pair<UtcTime, Line>> times_;  // recorded at, last line so far
};

RC_GTEST_PROP(MarkProjection, EqualsANaiveModel, ()) {
  Naive naive;
  const auto steps = *rc::gen::inRange(1, 60);
  for (int i = 0; i < steps; ++i) naive.step();
  naive.ask();
  naive.check_rebuild();
  naive.ask();
}

}  // namespace
}  // namespace tidemark::journal
