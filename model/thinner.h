// model/thinner.h
//
// Decides which updates are archived, where a policy or the storage guard says: fewer than come.
//
//   update ─► within the deadband of the last one kept ─► held
//          ─► the channel's pause is not over ─► held, and due when it is
//          ─► else kept; a pause begins: 1 / rate, or bytes / budget
//
// A channel holds one value, the newest: another one takes its place, and hides it. What is due
// is kept, so the newest value arrives at the end of each pause; what only a deadband holds is
// kept when the policy ends. What was hidden is counted in hidden_before of the next one kept. A
// policy never hides the first value of a connection, a change of alarm, of type or of an enum;
// the guard may, since it stands between one PV and a full disk. Connection events are always
// kept, and what is due goes before them.

#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/policy.h"
#include "model/pv_update.h"

namespace tidemark::model {

/// About what an update takes in a batch before it is compressed.
std::size_t row_bytes(const PvUpdate& update);

/// What the storage guard leaves of a channel that exceeds it.
struct GuardBudget {
  double updates_per_s_max = std::numeric_limits<double>::infinity();
  double bytes_per_s_max = std::numeric_limits<double>::infinity();
  bool operator==(const GuardBudget&) const = default;
};

/// One channel.
class ChannelThinner {
 public:
  ChannelThinner(Thinning policy, std::optional<GuardBudget> guard)
      : policy_(policy), guard_(guard) {}

  /// Adds to `kept` what is archived now, in order.
  void step(const PvUpdate& update, SteadyTime now, std::vector<PvUpdate>& kept);

  /// When the held value shall be released; empty when none is, or only a deadband holds it.
  std::optional<SteadyTime> due() const;
  /// Keeps the held value when it has a due(), whether that has come or not.
  void release(SteadyTime now, std::vector<PvUpdate>& kept);

  /// From now on. Keeps what is held, unless nothing is archived.
  void change(const Thinning& policy, std::optional<GuardBudget> guard, SteadyTime now,
              std::vector<PvUpdate>& kept);
  /// Everything is archived, and all that was hidden is counted.
  bool idle() const { return !guard_ && policy_ == Thinning{} && !held_ && hidden_ == 0; }

  /// Hidden since it was made.
  std::uint64_t hidden() const { return hidden_in_all_; }

 private:
  struct Kept {
    std::size_t type = 0;  // index of PvValue
    Alarm alarm;
    double number = 0;  // of scalars and enums
  };

  bool must_keep(const PvUpdate& update) const;
  bool within_deadband(const PvUpdate& update) const;
  Duration pause_after(const PvUpdate& update) const;
  void keep(PvUpdate update, SteadyTime from, std::vector<PvUpdate>& kept);
  void keep_held(SteadyTime now, std::vector<PvUpdate>& kept);
  void hide_held();

  Thinning policy_;
  std::optional<GuardBudget> guard_;
  std::optional<Kept> last_;  // empty: no value of this connection yet
  SteadyTime open_at_{};      // the end of the pause
  std::optional<PvUpdate> held_;
  bool held_is_due_ = false;  // at open_at_
  std::uint32_t hidden_ = 0;  // not yet counted in one that was kept
  std::uint64_t hidden_in_all_ = 0;
};

/// All channels. Those that nobody thins cost one look into a vector.
class Thinner {
 public:
  /// From now on. Without policy and guard everything of the channel is archived. What was held
  /// is added to `kept`.
  void set(ChannelId channel, const Thinning& policy, std::optional<GuardBudget> guard,
           SteadyTime now, std::vector<PvUpdate>& kept);

  bool thins(ChannelId channel) const { return find(channel) != nullptr; }
  std::size_t thinned() const { return thinned_; }

  /// What is archived of `updates`, in order. Empty: all of it, as it is.
  std::optional<std::vector<PvUpdate>> step(const std::vector<PvUpdate>& updates, SteadyTime now);

  std::optional<SteadyTime> next_due() const;
  /// What is due by `now`.
  std::vector<PvUpdate> due(SteadyTime now);

  /// By all channels that are or were thinned.
  std::uint64_t hidden() const { return hidden_; }
  /// Of one that is thinned now, since it has been.
  std::uint64_t hidden(ChannelId channel) const;

 private:
  ChannelThinner* find(ChannelId channel) const;
  /// `act` on the channel, with the books kept right.
  template <class Act>
  void on(ChannelId channel, ChannelThinner& thinner, Act&& act);

  std::vector<std::unique_ptr<ChannelThinner>> channels_;  // by channel number
  std::set<std::pair<SteadyTime, ChannelId>> due_;
  std::size_t thinned_ = 0;
  std::uint64_t hidden_ = 0;
};

}  // namespace tidemark::model
