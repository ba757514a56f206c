// tools/replay_view.h
//
// The page that `tidemark replay` draws on a terminal: the clock of the past, the PVs that changed
// last, the records that came by, and which keys there are. And what these keys mean.

#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/api/replay.h"
#include "model/pv_update.h"
#include "tools/raw_terminal.h"

namespace tidemark::tools {

class ReplayView {
 public:
  explicit ReplayView(std::vector<model::api::LiveValue> values);

  void take(const std::vector<model::PvUpdate>& updates, bool whole);
  void take(const model::api::ReplayNews& news);
  const model::api::ReplayStatus& status() const { return status_; }

  std::vector<std::string> page(RawTerminal::Size size, bool color) const;

 private:
  struct Row {
    model::api::LiveValue value;
    std::uint64_t changed = 0;  // counts up; 0: never
  };
  std::string head(std::size_t columns, bool color) const;
  std::string row(const Row& row, std::size_t columns, bool color) const;

  std::map<model::ChannelId, Row> rows_;
  std::uint64_t changes_ = 0;
  std::size_t name_width_ = 0;
  std::deque<model::api::LogLine> lines_;  // the newest last
  model::api::ReplayStatus status_;
};

/// What to ask the replay for; empty: nothing. `q` and Escape are not for the replay.
std::optional<model::api::ReplayControl> meant_by(const KeyPress& key,
                                                  const model::api::ReplayStatus& now);
bool means_quit(const KeyPress& key);

}  // namespace tidemark::tools
