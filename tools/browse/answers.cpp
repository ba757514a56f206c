#include "tools/browse/answers.h"

#include <algorithm>

#include "tools/browse/moves.h"
#include "tools/browse/searching.h"
#include "tools/line_details.h"
#include "tools/table.h"

namespace tidemark::tools::browse {
namespace {

using namespace std::chrono_literals;

constexpr auto kRetry = 500ms;
constexpr auto kFollowPace = 100ms;  // between reads that found something: a screen is enough
constexpr std::uint64_t kBehindMax = 5000;  // lines, while following: then it goes to the end

void show_whole(BrowseState& state, const api::LogLine& line) {
  constexpr std::size_t kRowMax = 64u << 10;  // bytes: `log show --json` has all of a waveform
  constexpr std::size_t kNames = 10;          // columns
  state.whole_line = line.line;
  state.whole.clear();
  for (const auto& [name, text] : line_details(line)) {
    state.whole.push_back(name + std::string(kNames - name.size(), ' ') + text);
  }
  for (auto& row : line_json_rows(line)) state.whole.push_back(std::move(row));
  for (auto& row : state.whole) {
    if (row.size() > kRowMax) row = std::string(first_columns(row, kRowMax)) + "…";
  }
}

/// False when the journal is shorter than what it had: another one, or a copy from before.
bool is_the_same(BrowseState& state, std::uint64_t last_line, Actions& actions) {
  const bool same = last_line >= state.read_last;
  state.read_last = last_line;
  state.last_line = same ? std::max(state.last_line, last_line) : last_line;
  if (same) return true;
  begin_at_end(state, actions);
  state.left = 0;
  state.details_of = 0;
  say(state,
      "the journal ends at line " + std::to_string(last_line) +
          ", before lines that were here: is it another one?",
      true);
  return false;
}

void on_newer(BrowseState& state, const api::ReadReply& reply, const Now& now, Actions& actions) {
  state.window.add_newer(reply);
  const bool has_marks = std::any_of(reply.lines.begin(), reply.lines.end(), [](const auto& line) {
    return line.kind == model::RecordKind::kMarkBegin || line.kind == model::RecordKind::kMarkEnd;
  });
  if (has_marks) {
    state.marks_first = 1;
    state.marks_last = 0;
  }
  if (!state.follow) return;
  if (!reply.lines.empty()) state.newer_at = now.steady + kFollowPace;
  // Nobody reads so fast, and nothing is lost: k leads back to it.
  if (reply.last_line > reply.next + kBehindMax) begin_at_end(state, actions);
}

void on_lines(BrowseState& state, Purpose purpose, const api::ReadReply& reply, const Now& now,
              Actions& actions) {
  if (purpose == Purpose::kDetails) {
    if (!reply.lines.empty()) show_whole(state, reply.lines.front());
    return;
  }
  if (!is_the_same(state, reply.last_line, actions)) return;
  if (purpose == Purpose::kSearch) {
    on_searched(state, reply, actions);
    return;
  }
  if (purpose == Purpose::kOlder) {
    state.window.add_older(reply);
  } else {
    on_newer(state, reply, now, actions);
  }
  pay_owed(state);
}

void on_boundary(BrowseState& state, const api::MarkList& reply, Actions& actions) {
  const auto* here = current(state);
  if (here == nullptr) return;
  const bool next = state.boundary_next;
  std::uint64_t best = 0;
  std::string what;
  const auto offer = [&](const std::optional<api::MarkPoint>& point, const std::string& name,
                         const char* does) {
    if (!point || point->line == 0) return;
    const bool beyond = next ? point->line > here->line : point->line < here->line;
    const bool nearer = best == 0 || (next ? point->line < best : point->line > best);
    if (!beyond || !nearer) return;
    best = point->line;
    what = printable(name) + does;
  };
  for (const auto& mark : reply.marks) {
    offer(mark.begin, mark.name, " begins here");
    offer(mark.end, mark.name, " ends here");
  }
  if (best == 0) {
    say(state, next ? "no mark begins or ends below" : "no mark begins or ends above", true);
    return;
  }
  jump_to(state, best, actions);
  say(state, what);
}

void on_marks(BrowseState& state, Purpose purpose, const api::MarkList& reply, Actions& actions) {
  switch (purpose) {
    case Purpose::kGutter: state.marks = lanes_of(reply.marks); break;
    case Purpose::kBoundary: on_boundary(state, reply, actions); break;
    case Purpose::kMarkList:
      state.list = reply.marks;
      state.list_found = reply.found;
      state.list_cursor = 0;
      state.mode = Mode::kMarks;
      break;
    case Purpose::kFilterMark:
      if (reply.marks.empty()) {
        say(state, "the journal has no mark '" + printable(state.filter.mark) + "'", true);
        state.filter.mark.clear();
      } else {
        state.request.mark = reply.marks.front().id.text();
      }
      break;
    default: break;
  }
}

void on_moment(BrowseState& state, Purpose purpose, const api::MomentReply& reply,
               Actions& actions) {
  state.last_line = std::max(state.last_line, reply.last_line);
  if (purpose == Purpose::kMoment) jump_to(state, reply.line, actions);
  if (purpose == Purpose::kFilterSince) state.span.first = reply.line;
  if (purpose == Purpose::kFilterUntil) state.span.last = reply.line;
}

/// Whoever pressed a key for it must hear that nothing comes of it.
bool was_a_wish(Purpose purpose) {
  return purpose == Purpose::kSearch || purpose == Purpose::kMoment ||
         purpose == Purpose::kMarkList || purpose == Purpose::kBoundary ||
         purpose == Purpose::kFilterMark || purpose == Purpose::kFilterSince ||
         purpose == Purpose::kFilterUntil;
}

void on_error(BrowseState& state, Purpose purpose, const Error& error, const Now& now,
              Actions& actions) {
  const auto what = printable(error.message);
  const bool gone = error.code == Code::kTimeout || error.code == Code::kUnavailable;
  if (gone) {
    state.away = what;
    state.retry_at = now.steady + kRetry;
  }
  if (purpose == Purpose::kSearch) state.search.running = false;
  if (purpose == Purpose::kGutter) state.marks_last = state.marks_first - 1;
  if (purpose == Purpose::kDetails) state.details_of = 0;
  if (purpose == Purpose::kPulse) state.pulse_at = {};
  if (purpose == Purpose::kFilterSince) state.filter.since.clear();
  if (purpose == Purpose::kFilterUntil) state.filter.until.clear();
  if (purpose == Purpose::kMoment && state.window.lines().empty()) begin_at_end(state, actions);
  if (!gone) state.retry_at = now.steady + kRetry;
  if (was_a_wish(purpose) || !gone) say(state, what, true);
}

}  // namespace

void on_answer(BrowseState& state, const Answer& answer, const Now& now, Actions& actions) {
  state.asked.reset(static_cast<std::size_t>(answer.purpose));
  if (!answer.reply) {
    on_error(state, answer.purpose, answer.reply.error(), now, actions);
    return;
  }
  if (!state.away.empty()) {
    state.away.clear();
    say(state, "the journal is back");
  }
  const auto& reply = answer.reply.value();
  if (const auto* lines = std::get_if<api::ReadReply>(&reply)) {
    on_lines(state, answer.purpose, *lines, now, actions);
  } else if (const auto* marks = std::get_if<api::MarkList>(&reply)) {
    on_marks(state, answer.purpose, *marks, actions);
  } else if (const auto* moment = std::get_if<api::MomentReply>(&reply)) {
    on_moment(state, answer.purpose, *moment, actions);
  }
}

}  // namespace tidemark::tools::browse
