// model/api/replay.h
//
// Replays: the lines of the journal after one moment and up to another, said again on the bus, in
// their order and with their old times. The journal node has two streams for each:
//
//   n      class 's'  PV batches (encode_updates), as the monitor's live stream had them
//   n + 1  class 'e'  ReplayNews: what the replay does, and the lines of the other records
//
//   journal.replay_start    ReplayRequest → ReplayStarted
//   journal.replay_control  ReplayControl → ReplayStatus
//   journal.replay_ack      ReplayAck → ReplayStatus
//   journal.replay_list     Empty → ReplayList
//   journal.replay_state    ReplayRead → progress: StatePart…, done: StateEnd
//
// A replay begins with its first reader, and ends when its owner has not acknowledged for kLease.
// Who acknowledges what he has taken gets everything: the replay waits for the slowest.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/api/journal.h"
#include "model/api/past.h"

namespace tidemark::model::api {

/// Sent on the bus: never renumber.
enum class ReplayPhase : std::uint8_t {
  kWaiting = 0,  // for its first reader
  kPaused = 1,   // also while a step is under way
  kRunning = 2,
  kFinished = 3,  // nothing of its range is left; it can be moved still
  kEnded = 4,     // and will be forgotten
};
std::string_view to_string(ReplayPhase phase);

struct ReplayRequest {
  Moment from;  // the state after it comes first, then the lines behind it
  Moment to;
  std::vector<std::string> addresses;  // exact, or patterns as in base/glob.h; empty: all PVs
  double speed = 1;                    // of recorded time; kAsFastAsItGoes, or from kSpeedMin on
  bool paused = false;
  bool records = true;  // the lines of other records too
  Uuid owner;           // who keeps it alive
  std::string user;     // for people
  static constexpr double kAsFastAsItGoes = 0;
  static constexpr double kSpeedMin = 0.1;
  static constexpr double kSpeedMax = 1000;
  /// An owner is silent for so long when its process is gone, or its host.
  static constexpr Duration kLease = std::chrono::seconds(10);
  static auto fields(auto& s) {
    return std::tie(s.from, s.to, s.addresses, s.speed, s.paused, s.records, s.owner, s.user);
  }
};

struct ReplayStatus {
  Uuid id;
  std::uint16_t stream = 0;  // of the PVs; the next one is that of the news
  std::string user;
  std::uint64_t from = 0;  // lines: the first one said is behind `from`
  std::uint64_t to = 0;
  UtcTime from_time{};
  UtcTime to_time{};
  ReplayPhase phase = ReplayPhase::kWaiting;
  double speed = 1;
  std::uint64_t line = 0;     // all that it says up to this line has been said
  UtcTime moment{};           // its clock
  std::uint64_t items = 0;    // of stream n, so far: who has taken them has the state after `line`
  std::uint64_t updates = 0;  // said since it began, also twice
  std::uint64_t records = 0;
  std::uint32_t readers = 0;  // that acknowledge
  std::string why;            // it ended
  static auto fields(auto& s) {
    return std::tie(s.id, s.stream, s.user, s.from, s.to, s.from_time, s.to_time, s.phase, s.speed,
                    s.line, s.moment, s.items, s.updates, s.records, s.readers, s.why);
  }
  bool operator==(const ReplayStatus&) const = default;
};

struct ReplayStarted {
  ReplayStatus replay;
  std::vector<std::string> unknown;  // exact addresses that the journal has never heard of
  static auto fields(auto& s) { return std::tie(s.replay, s.unknown); }
};

/// Sent on the bus: never renumber.
enum class ReplayAction : std::uint8_t {
  kPause = 0,
  kResume = 1,
  kSpeed = 2,
  // Steps pause it, and say so much at once.
  kStepLines = 3,   // `count` items
  kStepBlocks = 4,  // `count` blocks: what was recorded together
  kStepTime = 5,    // `time` of recorded time
  kSeek = 6,        // to `at`, within its range
  kStop = 7,
};

struct ReplayControl {
  Uuid id;
  ReplayAction action = ReplayAction::kPause;
  double speed = 1;
  std::uint32_t count = 1;
  Duration time{};
  Moment at;
  static auto fields(auto& s) { return std::tie(s.id, s.action, s.speed, s.count, s.time, s.at); }
};

/// "I have these items of the two streams." Once a second at least: it is a sign of life, and keeps
/// the replay when `reader` is its owner.
struct ReplayAck {
  Uuid id;
  Uuid reader;
  bool reads = true;  // false: a sign of life of one who does not read (yet), or a goodbye
  std::uint64_t items = 0;
  std::uint64_t news = 0;
  static auto fields(auto& s) { return std::tie(s.id, s.reader, s.reads, s.items, s.news); }
};

struct ReplayList {
  std::vector<ReplayStatus> replays;
  static auto fields(auto& s) { return std::tie(s.replays); }
};

/// The state of one of its streams: PV batches, or one ReplayNews without lines.
struct ReplayRead {
  Uuid id;
  bool news = false;
  static auto fields(auto& s) { return std::tie(s.id, s.news); }
};

/// An item of stream n + 1.
struct ReplayNews {
  ReplayStatus status;
  std::vector<LogLine> lines;  // records, never PV updates
  static auto fields(auto& s) { return std::tie(s.status, s.lines); }
};

}  // namespace tidemark::model::api
