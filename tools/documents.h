// tools/documents.h
//
// What the nodes answer, as JSON documents: the output of --json. Names are those of the structs
// in model/; times are ISO 8601 with nanoseconds, or null; ids are whole.

#pragma once

#include "bus/node.h"
#include "model/api/journal.h"
#include "model/api/keeper.h"
#include "model/api/node.h"
#include "tools/context.h"

namespace tidemark::tools {

Json node_json(const bus::NodeInfo& node);
Json status_json(const model::api::NodeStatus& status);
Json pv_json(const model::PvEntry& pv, const std::vector<model::TagGroup>& groups);
Json live_json(const model::api::LiveValue& value);
Json job_json(const model::Job& job);
Json header_json(const model::SnapshotHeader& header);
Json captured_json(const model::Snapshot& snapshot, const model::CapturedPv& pv);
Json comparison_json(const model::PvComparison& pv);
Json plan_json(const model::RestorePlan& plan);
/// Of a record: also `record`, its fields by name (model/record_fields.h) as typed_json.h has them.
Json line_json(const model::api::LogLine& line);

/// "group/tag" of each of `tags`; the id of one that `groups` does not know.
std::vector<std::string> tag_names(const std::vector<Uuid>& tags,
                                   const std::vector<model::TagGroup>& groups);

}  // namespace tidemark::tools
