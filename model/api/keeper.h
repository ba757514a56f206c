// model/api/keeper.h
//
// What the keeper answers. Everything that changes something carries who asked (`user`), and is
// in the journal before the answer.
//
//   keeper.channels          Empty → Channels              every address, numbered
//   keeper.pv_import         ImportRequest → ImportReport
//   keeper.pv_list           PvQuery → PvPage
//   keeper.pv_live           LiveQuery → LiveReply         from the live table
//   keeper.pv_put            PutRequest → Job              one PV, by address
//   keeper.tags              Empty → Tags
//   keeper.snapshot_create   SnapshotRequest → Job         accepted: ask keeper.job, or kJobStream
//   keeper.snapshot_list     SnapshotQuery → SnapshotList
//   keeper.snapshot_get      SnapshotGet → Snapshot
//   keeper.snapshot_delete   SnapshotDelete → Empty
//   keeper.snapshot_compare  CompareRequest → CompareReply
//   keeper.restore_plan      RestoreRequest → RestorePlan
//   keeper.restore           RestoreRequest → Job
//   keeper.job               JobQuery → Job                waits up to `wait` for its end
//   keeper.jobs              JobsQuery → JobList           newest first
//   keeper.job_cancel        JobQuery → Job
//   keeper.policy_…          model/api/policy.h
//
// bus::kCatalogStream carries Channels::revision as CatalogChange when channels or policies change;
// bus::kJobStream carries Job at each change of one.

#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "model/api/policy.h"
#include "model/catalog_entries.h"
#include "model/compare.h"
#include "model/job.h"
#include "model/restore_plan.h"
#include "model/snapshot.h"

namespace tidemark::model::api {

struct Channel {
  ChannelId id{};
  std::string address;
  static auto fields(auto& s) { return std::tie(s.id, s.address); }
};

struct Channels {
  std::uint64_t revision = 0;
  std::vector<Channel> channels;
  std::vector<ThinnedChannels> thinned = {};  // archived less densely than they come
  static auto fields(auto& s) { return std::tie(s.revision, s.channels, s.thinned); }
};

struct CatalogChange {
  std::uint64_t revision = 0;
  static auto fields(auto& s) { return std::tie(s.revision); }
};

struct ImportRequest {
  std::string csv;        // the whole file
  bool skip_bad = false;  // import the good rows and report the others; else one bad row stops all
  bool dry_run = false;
  std::string user;
  static auto fields(auto& s) { return std::tie(s.csv, s.skip_bad, s.dry_run, s.user); }
};

struct ImportProblem {
  std::uint32_t line = 0;  // of the file, from 1
  std::string message;
  static auto fields(auto& s) { return std::tie(s.line, s.message); }
};

struct ImportReport {
  std::uint32_t rows = 0;
  std::uint32_t created = 0;
  std::uint32_t updated = 0;  // the same addresses were there: now as the file says
  std::uint32_t unchanged = 0;
  std::uint32_t tags_created = 0;
  bool imported = false;                // false: dry run, or bad rows without skip_bad
  std::vector<ImportProblem> problems;  // the first kProblemsMax
  std::uint32_t problem_count = 0;
  static constexpr std::size_t kProblemsMax = 1000;
  static auto fields(auto& s) {
    return std::tie(s.rows, s.created, s.updated, s.unchanged, s.tags_created, s.imported,
                    s.problems, s.problem_count);
  }
};

struct PvQuery {
  std::string text;  // case-insensitive part of an address, the device or the description
  Scope scope;
  /// The contract's form: tag group id → tag ids. OR within a group, AND across.
  std::vector<std::pair<Uuid, std::vector<Uuid>>> tag_filters;
  std::uint32_t limit = 100;
  std::string after;  // PvPage::next of the page before
  static auto fields(auto& s) { return std::tie(s.text, s.scope, s.tag_filters, s.limit, s.after); }
};

struct PvPage {
  std::vector<PvEntry> pvs;          // by name
  std::string next;                  // empty: this was the last page
  std::uint32_t total = 0;           // that match
  std::vector<TagGroup> tag_groups;  // so that `tags` of the PVs can be shown
  static auto fields(auto& s) { return std::tie(s.pvs, s.next, s.total, s.tag_groups); }
};

struct LiveQuery {
  std::vector<std::string> addresses;  // exact, or globs; empty: all
  static auto fields(auto& s) { return std::tie(s.addresses); }
};

struct LiveValue {
  std::string address;
  ChannelId channel{};
  LiveState state{};
  PvValue value;
  Alarm alarm;
  UtcTime taken_at{};
  UtcTime received_at{};
  std::string units;
  std::int16_t precision = 0;
  std::vector<std::string> labels;
  std::string native_type;
  std::string host;
  bool writable = false;
  static auto fields(auto& s) {
    return std::tie(s.address, s.channel, s.state, s.value, s.alarm, s.taken_at, s.received_at,
                    s.units, s.precision, s.labels, s.native_type, s.host, s.writable);
  }
};

struct LiveReply {
  std::vector<LiveValue> values;     // by address
  std::vector<std::string> unknown;  // exact addresses that nobody defined
  bool live = true;                  // false: the monitor is away, values are the last known
  static auto fields(auto& s) { return std::tie(s.values, s.unknown, s.live); }
};

struct PutRequest {
  std::string address;
  std::string value;  // as text: a number, an enum label, a string, [1, 2, 3]
  Duration timeout = std::chrono::seconds(5);
  std::string user;
  std::string comment;
  static auto fields(auto& s) { return std::tie(s.address, s.value, s.timeout, s.user, s.comment); }
};

struct Tags {
  std::vector<TagGroup> groups;                           // by name
  std::vector<std::pair<Uuid, std::uint32_t>> pv_counts;  // by tag id
  static auto fields(auto& s) { return std::tie(s.groups, s.pv_counts); }
};

struct SnapshotRequest {
  std::string title;
  std::string description;
  Scope scope;
  std::string user;
  Uuid idempotency;  // not nil: the same one again gives the same job
  static auto fields(auto& s) {
    return std::tie(s.title, s.description, s.scope, s.user, s.idempotency);
  }
};

struct SnapshotQuery {
  std::string title;       // case-insensitive part
  std::vector<Uuid> tags;  // holds a PV with any of these
  std::uint32_t limit = 1000;
  static auto fields(auto& s) { return std::tie(s.title, s.tags, s.limit); }
};

struct SnapshotList {
  std::vector<SnapshotHeader> snapshots;  // newest first
  static auto fields(auto& s) { return std::tie(s.snapshots); }
};

/// `snapshot` is an id, the first part of one, or an exact title (the newest of that title).
struct SnapshotGet {
  std::string snapshot;
  Scope scope;
  std::uint32_t offset = 0;  // of PVs, by name
  std::uint32_t limit = 0;   // 0: all
  static auto fields(auto& s) { return std::tie(s.snapshot, s.scope, s.offset, s.limit); }
};

struct SnapshotDelete {
  std::string snapshot;
  std::string user;
  static auto fields(auto& s) { return std::tie(s.snapshot, s.user); }
};

struct CompareRequest {
  std::string left;   // a snapshot, as in SnapshotGet: the reference
  std::string right;  // another, or "live"
  Scope scope;
  bool only_different = true;
  std::uint32_t limit = 0;  // PVs in the answer; 0: all
  static auto fields(auto& s) {
    return std::tie(s.left, s.right, s.scope, s.only_different, s.limit);
  }
};

struct CompareReply {
  SnapshotHeader left;
  std::optional<SnapshotHeader> right;  // empty: live
  std::vector<PvComparison> pvs;
  std::uint32_t matching = 0;
  std::uint32_t different = 0;
  bool live = true;  // as LiveReply::live
  static auto fields(auto& s) {
    return std::tie(s.left, s.right, s.pvs, s.matching, s.different, s.live);
  }
};

struct RestoreRequest {
  std::string snapshot;
  Scope scope;
  RestoreOptions options;
  std::string plan_hash;  // not empty: refuse when the plan is another by now
  Duration put_timeout = std::chrono::seconds(5);
  std::string user;
  std::string comment;
  Uuid idempotency;  // as in SnapshotRequest
  static auto fields(auto& s) {
    return std::tie(s.snapshot, s.scope, s.options, s.plan_hash, s.put_timeout, s.user, s.comment,
                    s.idempotency);
  }
};

struct JobQuery {
  Uuid job;
  Duration wait{0};
  std::string user;
  static auto fields(auto& s) { return std::tie(s.job, s.wait, s.user); }
};

struct JobsQuery {
  std::uint32_t limit = 100;
  static auto fields(auto& s) { return std::tie(s.limit); }
};

struct JobList {
  std::vector<Job> jobs;
  static auto fields(auto& s) { return std::tie(s.jobs); }
};

}  // namespace tidemark::model::api
