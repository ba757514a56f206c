// model/record.h
//
// What the journal remembers, beside PV updates (pv_update.h). A closed set: a new kind of
// event is a new type here. Kinds are stored: never renumber, never reuse.

#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "model/kv/value.h"
#include "model/pv.h"

namespace tidemark::model {

enum class RecordKind : std::uint8_t {
  kPvDefined = 1,
  kPvUpdate = 2,
  kPvConnected = 3,
  kPvDisconnected = 4,
  kKvUpdate = 5,
  kEventCalled = 6,
  kEventFeedback = 7,
  kEventAnswered = 8,
  kJobAccepted = 9,
  kJobProgress = 10,
  kPutIntended = 11,
  kPutConfirmed = 12,
  kPutRefused = 13,
  kPutUnknown = 14,
  kJobFinished = 15,
  kLogMessage = 16,
  kMarkBegin = 17,
  kMarkEnd = 18,
  kSnapshotTaken = 19,
  kTagChanged = 20,
  kCatalogChanged = 21,
  kNodeUp = 22,
  kNodeDown = 23,
  kNodeRestarted = 24,
  kGap = 25,
  kKeyframe = 26,
  kStatusChanged = 27,
  kStreamGap = 28,
  kExpired = 29,
  kPolicyChanged = 30,
};
std::string_view to_string(RecordKind kind);  // "PutIntended"; "kind 99" is "Unknown"
std::optional<RecordKind> parse_record_kind(std::string_view text);  // in any case

/// How much somebody should care. Stored: never renumber.
enum class Level : std::uint8_t { kDebug = 0, kInfo = 1, kWarning = 2, kError = 3 };
std::string_view to_string(Level level);  // "debug", "info", "warning", "error"
std::optional<Level> parse_level(std::string_view text);

// Each type lists its fields once, in the order in which they are packed: only ever append.

/// From here on, `channel` means `address`. Precedes the first update of the channel.
struct PvDefined {
  ChannelId channel{};
  std::string address;
  static auto fields(auto& s) { return std::tie(s.channel, s.address); }
  bool operator==(const PvDefined&) const = default;
};

/// A key of a subsystem has this value: somebody wrote it, or its owner asked for a record.
struct KvUpdate {
  std::string key;  // "psu.1/setpoint"
  kv::Value value;
  UtcTime time{};      // when the owner took it
  std::string writer;  // empty: the owner itself
  std::uint64_t sequence = 0;
  static auto fields(auto& s) { return std::tie(s.key, s.value, s.time, s.writer, s.sequence); }
  bool operator==(const KvUpdate&) const = default;
};

/// Somebody asked these subsystems to do something, or whether they mind.
struct EventCalled {
  Uuid call;
  std::string event;
  std::string caller;
  std::vector<std::string> targets;
  kv::Value argument;
  static auto fields(auto& s) { return std::tie(s.call, s.event, s.caller, s.targets, s.argument); }
  bool operator==(const EventCalled&) const = default;
};

struct EventFeedback {
  Uuid call;
  std::string event;
  std::string target;
  std::string text;
  kv::Value value;
  static auto fields(auto& s) { return std::tie(s.call, s.event, s.target, s.text, s.value); }
  bool operator==(const EventFeedback&) const = default;
};

struct EventAnswered {
  Uuid call;
  std::string event;
  std::string target;
  std::string state;  // "done", "rejected", "failed", "timed out", "lost", "cancelled"
  std::string reason;
  kv::Value value;
  static auto fields(auto& s) {
    return std::tie(s.call, s.event, s.target, s.state, s.reason, s.value);
  }
  bool operator==(const EventAnswered&) const = default;
};

/// Something with a beginning and an end: a shot, a shift, a tuning.
struct MarkBegin {
  Uuid mark;
  std::string name;
  std::vector<std::string> tags;
  std::string who;
  kv::Value data;
  UtcTime at{};  // the epoch: when it is recorded; else it is set after the fact
  static auto fields(auto& s) { return std::tie(s.mark, s.name, s.tags, s.who, s.data, s.at); }
  bool operator==(const MarkBegin&) const = default;
};

struct MarkEnd {
  Uuid mark;
  std::string name;
  std::string who;
  kv::Value data;
  UtcTime at{};  // as above
  static auto fields(auto& s) { return std::tie(s.mark, s.name, s.who, s.data, s.at); }
  bool operator==(const MarkEnd&) const = default;
};

/// A status item of a subsystem (status_item.h) was raised, cleared or acknowledged.
struct StatusChanged {
  std::string item;  // "psu.1/interlock"
  Level severity = Level::kInfo;
  std::int32_t code = 0;
  std::string text;
  bool active = false;
  std::string acknowledged_by;
  static auto fields(auto& s) {
    return std::tie(s.item, s.severity, s.code, s.text, s.active, s.acknowledged_by);
  }
  bool operator==(const StatusChanged&) const = default;
};

struct JobAccepted {
  Uuid job;
  std::string type;  // "snapshot_create", "snapshot_restore", "pv_put"
  std::string title;
  std::string user;  // who asked: user@host
  std::string detail;
  static auto fields(auto& s) { return std::tie(s.job, s.type, s.title, s.user, s.detail); }
  bool operator==(const JobAccepted&) const = default;
};

struct JobProgress {
  Uuid job;
  std::uint32_t done = 0;
  std::uint32_t total = 0;
  static auto fields(auto& s) { return std::tie(s.job, s.done, s.total); }
  bool operator==(const JobProgress&) const = default;
};

struct JobFinished {
  Uuid job;
  std::string state;    // as to_string(JobState)
  std::string message;  // the outcome in a sentence
  static auto fields(auto& s) { return std::tie(s.job, s.state, s.message); }
  bool operator==(const JobFinished&) const = default;
};

/// We are about to write this. Durable before the IOC hears of it.
struct PutIntended {
  ChannelId channel{};
  std::string address;
  PvValue value;
  Uuid job;
  static auto fields(auto& s) { return std::tie(s.channel, s.address, s.value, s.job); }
  bool operator==(const PutIntended&) const = default;
};

/// The IOC confirmed the write.
struct PutConfirmed {
  ChannelId channel{};
  std::string address;
  Uuid job;
  static auto fields(auto& s) { return std::tie(s.channel, s.address, s.job); }
  bool operator==(const PutConfirmed&) const = default;
};

/// Not written, for this reason.
struct PutRefused {
  ChannelId channel{};
  std::string address;
  Uuid job;
  std::string reason;
  static auto fields(auto& s) { return std::tie(s.channel, s.address, s.job, s.reason); }
  bool operator==(const PutRefused&) const = default;
};

/// Sent, and nobody knows: timeout, connection lost, or a node died meanwhile. Never sent again.
struct PutUnknown {
  ChannelId channel{};
  std::string address;
  Uuid job;
  std::string reason;
  static auto fields(auto& s) { return std::tie(s.channel, s.address, s.job, s.reason); }
  bool operator==(const PutUnknown&) const = default;
};

/// Somebody said something: a sentence, and what can be told from it without reading it.
struct LogMessage {
  Level level = Level::kInfo;
  std::string source;
  std::string text;
  kv::Value data{};        // a struct of named fields, or none
  std::string category{};  // which part of the source speaks; a logger's name
  UtcTime at{};            // when it was said; the epoch: when it is recorded
  static auto fields(auto& s) {
    return std::tie(s.level, s.source, s.text, s.data, s.category, s.at);
  }
  bool operator==(const LogMessage&) const = default;
};

struct SnapshotTaken {
  Uuid snapshot;
  std::string title;
  std::uint32_t values = 0;
  std::uint32_t missing = 0;
  Uuid job;
  static auto fields(auto& s) { return std::tie(s.snapshot, s.title, s.values, s.missing, s.job); }
  bool operator==(const SnapshotTaken&) const = default;
};

struct TagChanged {
  std::string tag;   // group/tag
  std::string what;  // "created", "deleted"
  std::string user;
  static auto fields(auto& s) { return std::tie(s.tag, s.what, s.user); }
  bool operator==(const TagChanged&) const = default;
};

struct CatalogChanged {
  std::string subject;  // "import", "pv QUAD:…", "snapshot …"
  std::string what;
  std::string user;
  static auto fields(auto& s) { return std::tie(s.subject, s.what, s.user); }
  bool operator==(const CatalogChanged&) const = default;
};

struct NodeUp {
  std::string node;
  std::uint32_t incarnation = 0;
  std::string host;
  std::uint32_t pid = 0;
  static auto fields(auto& s) { return std::tie(s.node, s.incarnation, s.host, s.pid); }
  bool operator==(const NodeUp&) const = default;
};

struct NodeDown {
  std::string node;
  std::uint32_t incarnation = 0;
  std::string reason;  // "stopped", "killed by signal 9", "lease over"
  static auto fields(auto& s) { return std::tie(s.node, s.incarnation, s.reason); }
  bool operator==(const NodeDown&) const = default;
};

/// The supervisor started it again.
struct NodeRestarted {
  std::string node;
  std::uint32_t pid = 0;
  std::uint32_t restarts = 0;  // in this life of the supervisor
  std::string reason;
  std::uint32_t signal{};                 // that ended it; 0: none did
  std::vector<std::string> last_words{};  // the last lines of its log
  static auto fields(auto& s) {
    return std::tie(s.node, s.pid, s.restarts, s.reason, s.signal, s.last_words);
  }
  bool operator==(const NodeRestarted&) const = default;
};

/// What could not be recorded, with its bounds. Sequences count one origin's records in one
/// incarnation; `to` 0 means that nobody knows how many there were.
struct Gap {
  Uuid origin;
  std::string node;
  std::uint32_t incarnation = 0;
  std::uint64_t from = 0;  // first missing
  std::uint64_t to = 0;    // last missing
  UtcTime since{};         // nothing of the origin between these times is certain to be here
  UtcTime until{};
  std::string reason;
  static auto fields(auto& s) {
    return std::tie(s.origin, s.node, s.incarnation, s.from, s.to, s.since, s.until, s.reason);
  }
  bool operator==(const Gap&) const = default;
};

/// A reader of a stream of state missed these items on the way, and has fetched the whole state
/// since: between two values that it saw there were others. The journal itself lacks nothing.
struct StreamGap {
  std::string node;    // who missed them
  std::string source;  // who published them
  std::uint16_t stream = 0;
  std::uint32_t incarnation = 0;  // of the source
  std::uint64_t from = 0;         // first missed
  std::uint64_t to = 0;           // last missed
  static auto fields(auto& s) {
    return std::tie(s.node, s.source, s.stream, s.incarnation, s.from, s.to);
  }
  bool operator==(const StreamGap&) const = default;
};

/// Records of a class that were in these lines are there no more: they were older, or more, than is
/// kept. Lines of other classes between them stay. Also what a reader is shown in their place.
struct Expired {
  std::string of;  // the class: "pv_updates"; in the place of what expired there may be several
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  UtcTime since{};  // when they were recorded
  UtcTime until{};
  std::uint64_t lines = 0;  // of the class
  std::uint64_t bytes = 0;  // that they took on the disk; 0: not told
  std::string reason;       // "age", "bytes", "watermark"; empty: the record of it says why
  static auto fields(auto& s) {
    return std::tie(s.of, s.first, s.last, s.since, s.until, s.lines, s.bytes, s.reason);
  }
  bool operator==(const Expired&) const = default;
};

/// From here on a policy (policy.h) archives PVs more or less densely.
struct PolicyChanged {
  std::string policy;
  std::string before;  // as describe() says it; empty: there was none
  std::string after;   // empty: it was removed
  std::string user;
  static auto fields(auto& s) { return std::tie(s.policy, s.before, s.after, s.user); }
  bool operator==(const PolicyChanged&) const = default;
};

/// What a later version wrote: kept as it is.
struct UnknownRecord {
  std::uint8_t kind = 0;
  Bytes packed;  // the whole row, in msgpack
  bool operator==(const UnknownRecord&) const = default;
};

using Record = std::variant<PvDefined, JobAccepted, JobProgress, PutIntended, PutConfirmed,
                            PutRefused, PutUnknown, JobFinished, LogMessage, SnapshotTaken,
                            TagChanged, CatalogChanged, NodeUp, NodeDown, NodeRestarted, Gap,
                            KvUpdate, EventCalled, EventFeedback, EventAnswered, MarkBegin, MarkEnd,
                            StatusChanged, StreamGap, Expired, PolicyChanged, UnknownRecord>;

RecordKind kind_of(const Record& record);
/// Warning for refused and unknown puts, gaps and dead nodes; of a LogMessage its own; else info.
/// A level that there is not counts as an error.
Level level_of(const Record& record);
/// What it is about: a PV address, a job, a node, a tag.
std::string subject_of(const Record& record);
/// One line for people, without kind and subject.
std::string describe(const Record& record);

inline constexpr std::uint32_t kRecordsPerBatchMax = 65'536;

/// A batch of records as it goes over the bus and into the journal: a msgpack array of
/// [kind, fields…].
Bytes encode_records(const std::vector<Record>& records);
/// Unknown kinds become UnknownRecord; longer rows are cut, shorter ones keep defaults.
/// Errors: kCorruption, naming the row.
Result<std::vector<Record>> decode_records(BytesView bytes);

}  // namespace tidemark::model
