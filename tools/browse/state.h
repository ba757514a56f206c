// tools/browse/state.h
//
// All that `tidemark browse` is at a moment, as a value; what happens to it, and what it wants
// done. No terminal, no clock and no bus: those are at the edge (screen.h, asker.h).
//
//   key, answer, size, tick ──► step() (step.h) ──► questions to the journal
//                                 │
//                            BrowseState ──► render() (render.h) ──► rows of text

#pragma once

#include <bitset>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/api/journal.h"
#include "model/api/marks.h"
#include "model/api/past.h"
#include "tools/browse/filter_words.h"
#include "tools/browse/key.h"
#include "tools/browse/line_edit.h"
#include "tools/browse/line_window.h"
#include "tools/browse/mark_lanes.h"

namespace tidemark::tools::browse {

namespace api = model::api;

// ---- what is asked, and what comes back ---------------------------------------------------------

/// What a question is for. At most one of each is open; a newer one makes the older one void.
enum class Purpose : std::uint8_t {
  kOlder,        // lines before the window
  kNewer,        // lines behind it
  kSearch,       // lines to search in, beyond the window
  kDetails,      // one line, whole
  kPulse,        // is the journal there, and how long is it
  kMoment,       // where to jump to
  kGutter,       // the marks beside the lines
  kMarkList,     // the list of marks
  kBoundary,     // the next begin or end of a mark
  kFilterMark,   // the mark that a filter names
  kFilterSince,  // the line of the mark where it begins
  kFilterUntil,  // and ends
};
inline constexpr std::size_t kPurposes = 12;

using Question = std::variant<api::ReadRequest, api::MarksQuery, api::Moment>;
using Reply = std::variant<api::ReadReply, api::MarkList, api::MomentReply>;

struct Ask {
  Purpose purpose{};
  Question question;
};
/// Nobody waits for that answer any more.
struct Forget {
  Purpose purpose{};
};
/// Paint everything anew: something else has written on the terminal.
struct Repaint {};
using Action = std::variant<Ask, Forget, Repaint>;
using Actions = std::vector<Action>;

struct Answer {
  Purpose purpose{};
  Result<Reply> reply;
};
struct Size {
  std::size_t rows = 24;
  std::size_t columns = 80;
  bool operator==(const Size&) const = default;
};
/// Time has passed. Comes at least every kTick while the program runs.
struct Tick {};
using Event = std::variant<Key, Answer, Size, Tick>;
inline constexpr Duration kTick = std::chrono::milliseconds(100);

struct Now {
  UtcTime utc{};
  SteadyTime steady{};
};

// ---- what there is ------------------------------------------------------------------------------

enum class Mode : std::uint8_t {
  kLines,
  kPrompt,    // something is being typed
  kBookmark,  // m was pressed: a letter follows
  kGoTo,      // ' was pressed
  kMarks,     // the list of marks
  kHelp,
};

/// What the typed line is for: also the sign in front of it.
enum class PromptFor : std::uint8_t { kSearch, kSearchBack, kFilter, kMoment };
inline constexpr std::size_t kPrompts = 4;

struct Search {
  std::string text;      // empty: none
  bool forward = true;   // as it was typed: n goes that way, N the other
  bool way = true;       // of the last step
  bool running = false;  // beyond the window
  std::uint64_t at = 0;  // up to where it came
};

/// The newest line, whichever it is.
inline constexpr std::uint64_t kNewestLine = ~std::uint64_t{0};

struct BrowseState {
  std::string site;
  Size size;
  Mode mode = Mode::kLines;
  bool quit = false;
  std::string message;    // what the last key led to, if there is something to say
  bool is_error = false;  // the message is bad news
  std::string away;       // why the journal does not answer; empty: it does
  SteadyTime retry_at{};
  std::bitset<kPurposes> asked;

  // Lines.
  LogFilter filter;
  api::ReadRequest request;  // the filter, as the journal takes it
  LineSpan span;             // its ends, where they are lines or marks
  LineWindow window;
  std::uint64_t last_line = 0;  // of the journal
  std::uint64_t read_last = 0;  // the same, as the newest read said
  std::uint64_t cursor = kNewestLine;
  std::size_t cursor_row = 0;  // where it is on the screen, if there are lines enough above
  std::size_t shift = 0;       // columns of text that are left of the screen
  long owed = 0;               // rows to move when lines have come; below 0: up
  bool frozen = false;         // a directory as it was when it was opened: no line will come
  bool follow = false;
  SteadyTime newer_at{};  // when to ask for newer lines, while following
  SteadyTime pulse_at{};
  Search search;
  std::map<char32_t, std::uint64_t> bookmarks;
  std::uint64_t left = 0;  // the line of before the last jump; 0: none

  // The pane of details.
  bool details = false;
  std::uint64_t details_of = 0;    // the line that was asked for
  std::uint64_t whole_line = 0;    // and came
  std::vector<std::string> whole;  // all that is known of it, in rows of any length
  std::size_t details_scroll = 0;

  // Marks.
  std::vector<LanedMark> marks;  // those of marks_first to marks_last
  std::uint64_t marks_first = 1;
  std::uint64_t marks_last = 0;
  SteadyTime marks_at{};  // when they were asked for
  bool boundary_next = true;
  std::vector<api::MarkEntry> list;
  std::uint64_t list_found = 0;
  std::size_t list_cursor = 0;

  // The prompt, and the help.
  PromptFor prompt = PromptFor::kSearch;
  LineEdit edit;
  std::map<PromptFor, std::vector<std::string>> typed;  // earlier
  std::size_t help_scroll = 0;
};

/// Rows of the screen: a title, lines, details, and the status below.
struct Layout {
  std::size_t title = 0;
  std::size_t lines = 0;
  std::size_t details = 0;
};
/// The status takes what is left: one row, unless there is none at all.
Layout layout_of(const BrowseState& state);

/// The lines on the screen: `first` to `first + count - 1` of the window, the cursor's among them.
struct Visible {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t cursor = 0;
};
/// None: there are no lines.
std::optional<Visible> visible(const BrowseState& state);

/// What is known of the line under the cursor, broken at the edge of the screen. Valid as long as
/// the state stays. Empty: it has not come yet.
std::vector<std::string_view> detail_texts(const BrowseState& state);

}  // namespace tidemark::tools::browse
