#include "gateway/dto.h"

#include <algorithm>

namespace tidemark::gateway {
namespace {

using namespace model;

constexpr std::size_t kFailuresShownMax = 50;  // of a restore: the contract's number

bool any_succeeded(const RestoreOutcome& outcome) {
  return outcome.confirmed + outcome.skipped > 0;
}

void write_restore(JsonWriter& json, const RestoreOutcome& outcome) {
  // What was written but read back different did not succeed, and `failures` lists it.
  const auto failed =
      std::min(outcome.total, outcome.refused + outcome.unknown + outcome.unverified);
  json.key("result").begin_object();
  json.key("total_pvs").number(outcome.total);
  json.key("success_count").number(outcome.total - failed);
  json.key("failure_count").number(failed);
  json.key("failures").begin_array();
  const auto shown = std::min(outcome.failures.size(), kFailuresShownMax);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& failure = outcome.failures[i];
    json.begin_object();
    json.key("pvId").uuid(failure.pv);
    json.key("pvName").text(failure.address);
    json.key("error").text(failure.state + ": " + failure.reason);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

std::string job_error(const Job& job) {
  if (!job.error.empty()) return job.error;
  if (job.state == JobState::kCancelled) return "cancelled";
  if (job.state == JobState::kInterrupted) return "interrupted: its node ended";
  return job.message.empty() ? "failed" : job.message;
}

unsigned progress(const Job& job) {
  if (ended(job.state)) {
    if (contract_state(job) == "completed") return 100;
  }
  if (job.total == 0) return 0;
  return static_cast<unsigned>(std::min<std::uint64_t>(100, 100ull * job.done / job.total));
}

void write_pv(JsonWriter& json, const PvEntry& pv, const TagIndex& tags) {
  json.begin_object();
  json.key("setpointAddress").text_or_null(pv.setpoint);
  json.key("readbackAddress").text_or_null(pv.readback);
  json.key("configAddress").text_or_null(pv.config);
  json.key("device").text_or_null(pv.device);
  json.key("description").text_or_null(pv.description);
  json.key("absTolerance").number(pv.abs_tolerance);
  json.key("relTolerance").number(pv.rel_tolerance);
  json.key("readOnly").boolean(pv.read_only);
  json.key("id").uuid(pv.id);
  json.key("tags").begin_array();
  for (const auto& id : pv.tags) {
    const auto* entry = tags.find(id);
    if (!entry) continue;
    json.begin_object();
    json.key("id").uuid(entry->tag->id);
    json.key("name").text(entry->tag->name);
    json.key("description").text_or_null(entry->tag->description);
    json.end_object();
  }
  json.end_array();
  json.key("createdDate").iso(pv.created_at);
  json.key("lastModifiedDate").iso(pv.modified_at);
  json.key("createdBy").text(pv.created_by);
  json.key("lastModifiedBy").text(pv.modified_by);
  json.end_object();
}

}  // namespace

TagIndex::TagIndex(const std::vector<TagGroup>& groups) {
  for (const auto& group : groups) {
    for (const auto& tag : group.tags) entries_.emplace(tag.id, Entry{&tag, &group});
  }
}

const TagIndex::Entry* TagIndex::find(const Uuid& tag) const {
  const auto found = entries_.find(tag);
  return found == entries_.end() ? nullptr : &found->second;
}

void write_page(JsonWriter& json, const api::PvPage& page) {
  const TagIndex tags(page.tag_groups);
  json.begin_object();
  json.key("results").begin_array();
  for (const auto& pv : page.pvs) write_pv(json, pv, tags);
  json.end_array();
  json.key("continuationToken").text_or_null(page.next);
  json.key("totalCount").number(page.total);
  json.end_object();
}

void begin_summary(JsonWriter& json, const SnapshotHeader& header, bool with_comment) {
  json.begin_object();
  json.key("title").text(header.title);
  json.key("description").text_or_null(header.description);
  if (with_comment) json.key("comment").text_or_null(header.description);
  json.key("id").uuid(header.id);
  json.key("createdDate").iso(header.created_at);
  json.key("createdBy").text(header.author);
  json.key("pvCount").number(header.pvs);
}

void write_summary(JsonWriter& json, const SnapshotHeader& header, bool with_comment) {
  begin_summary(json, header, with_comment);
  json.end_object();
}

std::string_view contract_state(const Job& job) {
  switch (job.state) {
    case JobState::kPending: return "pending";
    case JobState::kRunning: return "running";
    case JobState::kCompleted:
    case JobState::kPartial:
      // A restore of nothing succeeded: there was nothing that could fail.
      return job.restore && job.restore->total > 0 && !any_succeeded(*job.restore) ? "failed"
                                                                                   : "completed";
    case JobState::kFailed:
    case JobState::kCancelled:
    case JobState::kInterrupted: return "failed";
  }
  return "failed";
}

void write_job(JsonWriter& json, const Job& job) {
  const auto state = contract_state(job);
  json.begin_object();
  json.key("id").uuid(job.id);
  json.key("type").text(job.type);
  json.key("status").text(state);
  json.key("progress").number(progress(job));
  json.key("message").text_or_null(job.message);
  json.key("resultId");
  job.result.is_nil() ? json.null() : json.uuid(job.result);
  json.key("error").text_or_null(state == "failed" ? job_error(job) : std::string());
  json.key("jobData");
  if (job.restore && ended(job.state)) {
    json.begin_object();
    write_restore(json, *job.restore);
    json.end_object();
  } else {
    json.null();
  }
  json.key("createdAt").iso(job.created_at);
  json.key("startedAt").iso_or_null(job.started_at);
  json.key("completedAt").iso_or_null(job.ended_at);
  json.end_object();
}

void write_job_created(JsonWriter& json, const Job& job) {
  json.begin_object();
  json.key("jobId").uuid(job.id);
  json.key("message").text("Snapshot creation queued for '" + job.title + "'");
  json.end_object();
}

}  // namespace tidemark::gateway
