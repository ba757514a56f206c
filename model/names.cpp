// model/names.cpp
//
// The words for the small enums of snapshots, compare, restore and jobs. People and clients see
// them, so they are part of the contract. A number that a later version sent has no word here.

#include "model/api/replay.h"
#include "model/compare.h"
#include "model/job.h"
#include "model/live_table.h"
#include "model/restore_plan.h"

namespace tidemark::model {

std::string_view api::to_string(api::ReplayPhase phase) {
  switch (phase) {
    case api::ReplayPhase::kWaiting: return "waiting";
    case api::ReplayPhase::kPaused: return "paused";
    case api::ReplayPhase::kRunning: return "running";
    case api::ReplayPhase::kFinished: return "finished";
    case api::ReplayPhase::kEnded: return "ended";
  }
  return "unknown";
}

std::string_view to_string(LiveState state) {
  switch (state) {
    case LiveState::kNeverConnected: return "never connected";
    case LiveState::kConnected: return "connected";
    case LiveState::kDisconnected: return "disconnected";
  }
  return "unknown";
}

std::string_view to_string(Difference difference) {
  switch (difference) {
    case Difference::kEqual: return "equal";
    case Difference::kWithinTolerance: return "within tolerance";
    case Difference::kDifferent: return "different";
    case Difference::kMissingLeft: return "missing left";
    case Difference::kMissingRight: return "missing right";
    case Difference::kTypeChanged: return "type changed";
  }
  return "unknown";
}

std::string_view to_string(StepAction action) {
  switch (action) {
    case StepAction::kWrite: return "write";
    case StepAction::kSkip: return "skip";
    case StepAction::kRefuse: return "refuse";
  }
  return "unknown";
}

std::string_view to_string(JobState state) {
  switch (state) {
    case JobState::kPending: return "pending";
    case JobState::kRunning: return "running";
    case JobState::kCompleted: return "completed";
    case JobState::kPartial: return "partially completed";
    case JobState::kFailed: return "failed";
    case JobState::kCancelled: return "cancelled";
    case JobState::kInterrupted: return "interrupted";
  }
  return "unknown";
}

}  // namespace tidemark::model
