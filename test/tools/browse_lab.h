// test/tools/browse_lab.h
//
// A journal in a vector that answers what BrowseState asks, at once or when a test says so.

#pragma once

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "base/glob.h"
#include "tools/browse/render.h"
#include "tools/browse/searching.h"
#include "tools/browse/step.h"

namespace tidemark::tools::browse {

class BrowseLab {
 public:
  static inline const UtcTime kBegin = *parse_iso("2026-11-21T14:05:00Z");

  BrowseLab() {
    state.site = "site";
    state.size = {10, 80};
  }

  /// The next line: one a second.
  api::LogLine& add(const std::string& subject, const std::string& text,
                    model::RecordKind kind = model::RecordKind::kLogMessage,
                    model::Level level = model::Level::kInfo) {
    api::LogLine line;
    line.line = lines.size() + 1;
    line.recorded_at = kBegin + std::chrono::seconds(lines.size());
    line.origin = "keeper";
    line.kind = kind;
    line.level = level;
    line.subject = subject;
    line.text = text;
    lines.push_back(std::move(line));
    return lines.back();
  }
  void fill(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto number = std::to_string(lines.size() + 1);
      add("PV:" + number, "value " + number);
    }
  }
  void mark(const std::string& name, std::uint64_t begin, std::uint64_t end) {
    api::MarkEntry entry;
    entry.id = Uuid::random();
    entry.name = name;
    entry.begin = api::MarkPoint{begin, at(begin), begin, "ada", {}};
    if (end != 0) entry.end = api::MarkPoint{end, at(end), end, "ada", {}};
    marks.push_back(std::move(entry));
  }
  static UtcTime at(std::uint64_t line) { return kBegin + std::chrono::seconds(line - 1); }

  void begin(Beginning beginning = {}) {
    auto actions = browse::begin(state, beginning, now());
    perform(actions.value());
  }
  void press(std::string_view keys) {
    for (const char c : keys) {
      press(Key{c == '\n' ? KeyName::kEnter : KeyName::kCharacter, static_cast<char32_t>(c)});
    }
  }
  void press(const Key& key) { take(key); }
  void press(KeyName name) { take(Key{name, 0}); }
  void take(const Event& event) {
    perform(step(state, event, now()));
    if (!holds) answer_all();
  }
  void pass(Duration time) {
    steady += time;
    take(Tick{});
  }

  void answer_all() {
    for (int i = 0; !open.empty(); ++i) {
      TIDEMARK_CHECK(i < 100'000);
      answer_one();
    }
  }
  void answer_one() {
    const auto question = open.front();
    open.pop_front();
    if (is_waiting(question)) {
      waiting = question;
      return;
    }
    perform(step(state, Answer{question.purpose, reply_to(question)}, now()));
  }
  /// A line has come: who waits for one is told.
  void wake() {
    if (!waiting) return;
    open.push_back(*std::exchange(waiting, std::nullopt));
    answer_all();
  }

  std::vector<std::string> screen() const {
    std::vector<std::string> rows;
    for (const auto& row : render(state).rows) rows.push_back(text_of(row));
    return rows;
  }
  std::string text() const {
    std::string all;
    for (const auto& row : screen()) all += row + "\n";
    return all;
  }
  std::uint64_t cursor_line() const {
    const auto at = state.window.position(state.cursor);
    return at ? state.window.lines()[*at].line : 0;
  }
  bool asks(Purpose purpose) const { return state.asked[static_cast<std::size_t>(purpose)]; }

  Now now() const { return {kBegin + std::chrono::hours(1), steady}; }

  std::vector<api::LogLine> lines;
  std::vector<api::MarkEntry> marks;
  std::optional<Error> broken;  // what every question is answered with
  bool holds = false;           // answers wait for answer_all()
  std::deque<Ask> open;
  std::optional<Ask> waiting;  // for a line
  std::size_t reads = 0;
  std::uint64_t lines_read = 0;
  BrowseState state;
  SteadyTime steady{std::chrono::hours(1)};

 private:
  void perform(const Actions& actions) {
    const auto drop = [&](Purpose purpose) {
      std::erase_if(open, [&](const auto& each) { return each.purpose == purpose; });
      if (waiting && waiting->purpose == purpose) waiting.reset();
    };
    for (const auto& action : actions) {
      if (const auto* forgotten = std::get_if<Forget>(&action)) drop(forgotten->purpose);
      if (const auto* question = std::get_if<Ask>(&action)) {
        drop(question->purpose);
        open.push_back(*question);
      }
    }
  }

  bool is_waiting(const Ask& question) const {
    const auto* request = std::get_if<api::ReadRequest>(&question.question);
    return !broken && request != nullptr && request->wait > Duration{0} &&
           read(*request).lines.empty();
  }

  Result<Reply> reply_to(const Ask& question) {
    if (broken) return *broken;
    if (const auto* request = std::get_if<api::ReadRequest>(&question.question)) {
      auto reply = read(*request);
      reads += 1;
      lines_read += reply.lines.size();
      return Reply(std::move(reply));
    }
    if (const auto* query = std::get_if<api::MarksQuery>(&question.question)) {
      return Reply(list(*query));
    }
    auto found = moment(std::get<api::Moment>(question.question));
    if (!found) return found.error();
    return Reply(std::move(found).value());
  }

  static bool matches(const api::LogLine& line, const api::ReadRequest& request) {
    return (request.kinds & (1u << static_cast<unsigned>(line.kind))) != 0 &&
           line.level >= request.level &&
           (request.subject.empty() || glob_match(request.subject, line.subject)) &&
           (request.text.empty() || find_in_any_case(line.text, request.text) != std::string::npos);
  }

  api::ReadReply read(const api::ReadRequest& request) const {
    api::ReadReply reply;
    const auto last = lines.size();
    reply.last_line = last;
    if (request.newest_first) {
      auto line = request.from == 0 ? last : std::min<std::uint64_t>(request.from, last);
      const auto least = std::max<std::uint64_t>(request.to, 1);
      for (; line >= least && reply.lines.size() < request.limit; --line) {
        if (matches(lines[line - 1], request)) reply.lines.push_back(lines[line - 1]);
      }
      reply.next = line;
      reply.end = line < least;
      return reply;
    }
    auto line = request.from;
    const auto to = request.to == 0 ? last : std::min<std::uint64_t>(request.to, last);
    for (; line <= to && reply.lines.size() < request.limit; ++line) {
      if (matches(lines[line - 1], request)) reply.lines.push_back(lines[line - 1]);
    }
    reply.next = line;
    reply.end = line > to;
    return reply;
  }

  api::MarkList list(const api::MarksQuery& query) const {
    api::MarkList reply;
    for (const auto& mark : marks) {
      const bool wanted =
          (query.mark.empty() || query.mark == mark.name || query.mark == mark.id.text()) &&
          (!query.since || !mark.end || mark.end->at >= *query.since) &&
          (!query.until || mark.begin->at <= *query.until);
      if (wanted) reply.marks.push_back(mark);
    }
    if (query.newest_first) std::reverse(reply.marks.begin(), reply.marks.end());
    reply.found = reply.marks.size();
    if (reply.marks.size() > query.limit) reply.marks.resize(query.limit);
    return reply;
  }

  Result<api::MomentReply> moment(const api::Moment& moment) const {
    api::MomentReply reply;
    reply.last_line = lines.size();
    reply.line = moment.line != 0 ? moment.line : lines.size();
    if (moment.time) {
      reply.line = 0;
      for (const auto& line : lines) {
        if (line.recorded_at <= *moment.time) reply.line = line.line;
      }
    }
    if (moment.mark.empty()) return reply;
    for (const auto& mark : marks) {
      if (mark.name == moment.mark) reply.line = mark.begin->line;
      if (mark.name + ".end" == moment.mark) reply.line = mark.end->line;
      if (moment.mark.starts_with(mark.name)) return reply;
    }
    return Error{Code::kNotFound, "no mark '" + moment.mark + "'"};
  }
};

}  // namespace tidemark::tools::browse
