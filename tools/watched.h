// tools/watched.h
//
// PVs as they were last shown: a line for each value, alarm or connection that changes. Of the
// present (pv watch) and of the past (replay).

#pragma once

#include <map>
#include <vector>

#include "model/api/keeper.h"
#include "model/pv_update.h"
#include "tools/context.h"
#include "tools/live_follower.h"

namespace tidemark::tools {

void apply(const model::PvUpdate& update, model::api::LiveValue& value);
/// As before anything was said of it; its name and units stay.
void forget(model::api::LiveValue& value);
/// State, alarm, time and value; NaN is NaN.
bool shows_the_same(const model::api::LiveValue& a, const model::api::LiveValue& b);

class Watched {
 public:
  /// Shows no more than `lines_max`; 0: no end.
  Watched(Context& context, std::vector<model::api::LiveValue> values, std::uint64_t lines_max);

  void show_all();
  /// Those of other PVs are left out.
  void take(const std::vector<LiveUpdate>& updates);
  /// The same of a replay, `whole` being its state.
  void take(const std::vector<model::PvUpdate>& updates, bool whole);
  bool full() const { return lines_max_ > 0 && lines_ >= lines_max_; }

 private:
  using States = std::map<model::ChannelId, model::api::LiveValue>;
  void take(const model::PvUpdate& update, bool from_state, States& states);
  void settle(States& states);
  void show(const model::api::LiveValue& value);

  Context& context_;
  const std::uint64_t lines_max_;
  std::vector<model::ChannelId> order_;
  States shown_;
  std::size_t name_width_ = 0;
  std::uint64_t lines_ = 0;
};

}  // namespace tidemark::tools
