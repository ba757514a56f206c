// test/gateway/samples.h
//
// What the backend answers in these tests.

#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/backend.h"

namespace tidemark::gateway::test {

inline Uuid id_of(std::string_view text) { return Uuid::derive(text); }

inline model::Job job_in(model::JobState state) {
  model::Job job;
  job.id = id_of("job");
  job.type = "snapshot_create";
  job.title = "before shift";
  job.state = state;
  job.created_at = *parse_iso("2026-11-21T14:05:00.123456Z");
  return job;
}

inline model::SnapshotHeader header_named(const std::string& title) {
  model::SnapshotHeader header;
  header.id = id_of(title);
  header.title = title;
  header.author = "anna@control";
  header.created_at = *parse_iso("2026-11-21T14:05:00.123456Z");
  header.pvs = 2;
  return header;
}

inline std::vector<model::TagGroup> one_group() {
  model::TagGroup group;
  group.id = id_of("region");
  group.name = "Region";
  group.tags = {{id_of("ring"), "ring", ""}, {id_of("linac"), "linac", "the old one"}};
  return {group};
}

inline model::Snapshot two_pvs() {
  model::Snapshot snapshot;
  snapshot.header = header_named("before shift");
  model::CapturedValue set;
  set.address = "MAG:Q1:SET";
  set.value = 2.5;
  set.alarm = {model::Severity::kMinor, 4};
  set.taken_at = *parse_iso("2026-11-21T14:05:00Z");
  set.units = "A";
  set.precision = 3;
  set.control_limits = model::Range{-1, 1};
  model::CapturedValue missing;
  missing.address = "MAG:Q1:GET";
  model::CapturedValue read;
  read.address = "MAG:Q2:GET";
  read.value = std::numeric_limits<double>::quiet_NaN();
  snapshot.values = {set, missing, read};
  model::CapturedPv first;
  first.pv = id_of("q1");
  first.name = "MAG:Q1:SET";
  first.setpoint = 0;
  first.readback = 1;
  first.tags = {id_of("ring"), id_of("deleted")};
  model::CapturedPv second;
  second.pv = id_of("q2");
  second.name = "MAG:Q2:GET";
  second.readback = 2;
  snapshot.pvs = {first, second};
  return snapshot;
}

}  // namespace tidemark::gateway::test
