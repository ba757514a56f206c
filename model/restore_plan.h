// model/restore_plan.h
//
// What a restore would do, as a pure function: the dry run is the plan, and the restore carries
// out a plan and nothing else.

#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "base/digest.h"
#include "model/compare.h"

namespace tidemark::model {

/// Sent on the bus: never renumber.
enum class StepAction : std::uint8_t {
  kWrite = 0,
  kSkip = 1,    // already there, within tolerance, or nothing was saved
  kRefuse = 2,  // must not or cannot be written, for the reason given
};
std::string_view to_string(StepAction action);  // "write", "skip", "refuse"

struct RestoreStep {
  StepAction action = StepAction::kSkip;
  Uuid pv;
  ChannelId channel{};
  std::string address;  // the setpoint
  std::string units;
  PvValue target;      // what the snapshot holds, as the IOC takes it now
  PvValue live;        // what is there now; none when unknown
  std::string reason;  // of kSkip and kRefuse
  double abs_tolerance = 0;
  double rel_tolerance = 0;

  static auto fields(auto& s) {
    return std::tie(s.action, s.pv, s.channel, s.address, s.units, s.target, s.live, s.reason,
                    s.abs_tolerance, s.rel_tolerance);
  }
  bool operator==(const RestoreStep&) const = default;
};

struct RestoreOptions {
  bool force = false;  // write also what is equal or within tolerance; never what is refused

  static auto fields(auto& s) { return std::tie(s.force); }
};

struct RestorePlan {
  std::vector<RestoreStep> steps;  // in the snapshot's order, one per PV in scope with a setpoint
  std::uint32_t writes = 0;
  std::uint32_t skips = 0;
  std::uint32_t refusals = 0;
  /// Over what would be written where, and refused: a restore may demand the plan that was seen.
  std::string hash;

  static auto fields(auto& s) { return std::tie(s.steps, s.writes, s.skips, s.refusals, s.hash); }
};

/// Each PV with a setpoint is, by the first of these that holds:
///
///   refused   or it was disconnected or INVALID then
///   refused   not connected now
///   skipped   equal or within tolerance, and not INVALID now (never with `force`)
///   refused   read-only PV, no write access
///   refused   what was saved does not fit the IOC as it is now: another type (numbers are numbers
///             of any width as long as they fit), too long an array or string, an enum label that
///             is gone, outside the control limits
///   written   else. An enum whose label has another index now is written as that index.
///
/// `in_scope` says which of snapshot.pvs to look at (null: all).
RestorePlan restore_plan(const Snapshot& snapshot, const LiveTable& live,
                         const RestoreOptions& options,
                         const std::vector<bool>* in_scope = nullptr);

}  // namespace tidemark::model
