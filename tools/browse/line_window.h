// tools/browse/line_window.h
//
// The part of the journal that is in memory: all lines that match the filter from one line to
// another, without a hole. It grows at both ends, page by page, and forgets the far end when it
// gets long, so memory is bounded over a journal of any length.
//
//   … older lines ◄── add_older() ── [ lines ] ── add_newer() ──► newer lines …
//
// Pure: it says where to read on, and takes what was read.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "model/api/journal.h"

namespace tidemark::tools::browse {

/// What is kept of a line: enough to show it in a row. Texts are printable.
struct KeptLine {
  std::uint64_t line = 0;
  UtcTime recorded_at{};
  std::string origin;
  model::RecordKind kind{};
  model::Level level{};
  model::Alarm alarm;
  std::string subject;
  std::string text;  // at most kTextMax bytes and what makes them printable
};

/// Of a waveform nobody reads more in a row; the details have all of it.
inline constexpr std::size_t kTextMax = 2000;
/// Some 2 MiB of usual lines, and at most about 20.
inline constexpr std::size_t kWindowLinesMax = 8192;

KeptLine kept_of(const model::api::LogLine& line);

class LineWindow {
 public:
  explicit LineWindow(std::size_t lines_max = kWindowLinesMax) : lines_max_(lines_max) {}

  /// Forgets all. From now on it grows around `line`, which is read with what is newer.
  void reset(std::uint64_t line);
  /// The same at the journal's end, wherever that is.
  void reset_to_end();

  /// ReadRequest::from, newest first; 0: the journal's end. None: the beginning is here.
  std::optional<std::uint64_t> older_from() const;
  /// ReadRequest::from, oldest first. None: nobody knows before older lines came.
  std::optional<std::uint64_t> newer_from() const;
  /// Answers to such reads.
  void add_older(const model::api::ReadReply& reply);
  void add_newer(const model::api::ReadReply& reply);

  bool at_begin() const { return at_begin_; }
  /// Nothing newer matched when that was asked.
  bool at_end() const { return at_end_; }
  /// There may be newer lines by now.
  void ask_end_again() { at_end_ = false; }
  /// That line is here if it matches.
  bool covers(std::uint64_t line) const { return !unknown_ && line >= from_ && line < to_; }

  const std::deque<KeptLine>& lines() const { return lines_; }
  /// Of the first line at or after `line`; the last one when there is none. None: no lines.
  std::optional<std::size_t> position(std::uint64_t line) const;

 private:
  void stay_inside(std::uint64_t last_line);

  const std::size_t lines_max_;
  std::deque<KeptLine> lines_;
  // Every match with from_ <= line < to_ is in lines_.
  std::uint64_t from_ = 1;
  std::uint64_t to_ = 1;
  bool unknown_ = true;  // the journal's end is wanted, and not known yet
  bool at_begin_ = false;
  bool at_end_ = false;
};

}  // namespace tidemark::tools::browse
