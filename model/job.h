// model/job.h
//
// Work that takes longer than an answer: its state is kept, and it ends in exactly one way.

#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"

namespace tidemark::model {

/// Stored and sent: never renumber.
enum class JobState : std::uint8_t {
  kPending = 0,
  kRunning = 1,
  kCompleted = 2,
  kPartial = 3,  // "partially completed": some of it was refused or is unknown
  kFailed = 4,
  kCancelled = 5,
  kInterrupted = 6,  // its node died; what is known is in the outcome
};
std::string_view to_string(JobState state);  // "pending", …, "partially completed", …
inline bool ended(JobState state) { return state >= JobState::kCompleted; }

/// What became of one PV of a restore that was not confirmed.
struct PutFailure {
  Uuid pv;
  std::string address;
  std::string state;  // "refused", "unknown", "not verified"
  std::string reason;
  static auto fields(auto& s) { return std::tie(s.pv, s.address, s.state, s.reason); }
  bool operator==(const PutFailure&) const = default;
};

struct RestoreOutcome {
  std::uint32_t total = 0;           // PVs in the plan
  std::uint32_t confirmed = 0;       // written, and the IOC said so
  std::uint32_t refused = 0;         // surely not written
  std::uint32_t unknown = 0;         // sent; nobody knows
  std::uint32_t skipped = 0;         // were there already
  std::uint32_t verified = 0;        // of `confirmed`: read back within tolerance
  std::uint32_t unverified = 0;      // of `confirmed`: read back different, or not at all
  std::vector<PutFailure> failures;  // the first kFailuresMax

  static constexpr std::size_t kFailuresMax = 1000;
  static auto fields(auto& s) {
    return std::tie(s.total, s.confirmed, s.refused, s.unknown, s.skipped, s.verified, s.unverified,
                    s.failures);
  }
  bool operator==(const RestoreOutcome&) const = default;
};

struct Job {
  Uuid id;
  std::string type;  // "snapshot_create", "snapshot_restore", "pv_put"
  std::string title;
  std::string user;  // who asked
  JobState state = JobState::kPending;
  std::uint32_t done = 0;  // steps of `total`
  std::uint32_t total = 0;
  std::string message;  // where it is, or how it ended
  std::string error;    // empty unless it failed
  Uuid result;          // the snapshot that was made or restored
  std::optional<RestoreOutcome> restore;
  std::uint64_t line_before = 0;  // the moment before: its undo
  UtcTime created_at{};
  UtcTime started_at{};  // epoch: not yet
  UtcTime ended_at{};    // epoch: not yet

  static auto fields(auto& s) {
    return std::tie(s.id, s.type, s.title, s.user, s.state, s.done, s.total, s.message, s.error,
                    s.result, s.restore, s.line_before, s.created_at, s.started_at, s.ended_at);
  }
  bool operator==(const Job&) const = default;
};

}  // namespace tidemark::model
