// gateway/dto.h
//
// The model in the contract's words (docs/gateway.md). Names are camelCase, but live values and
// EPICS values are snake_case; what is absent is null, never left out.

#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/json_writer.h"
#include "model/api/keeper.h"

namespace tidemark::gateway {

/// Tags by id. Refers to `groups`, which must outlive it.
class TagIndex {
 public:
  struct Entry {
    const model::Tag* tag;
    const model::TagGroup* group;
  };
  explicit TagIndex(const std::vector<model::TagGroup>& groups);
  /// Null when the tag is no more.
  const Entry* find(const Uuid& tag) const;

 private:
  std::unordered_map<Uuid, Entry> entries_;
};

void write_page(JsonWriter& json, const model::api::PvPage& page);
/// The members of a snapshot's DTO up to its PVs, in an object that the caller ends.
void begin_summary(JsonWriter& json, const model::SnapshotHeader& header, bool with_comment);
void write_summary(JsonWriter& json, const model::SnapshotHeader& header, bool with_comment);
void write_job(JsonWriter& json, const model::Job& job);
void write_job_created(JsonWriter& json, const model::Job& job);

/// The contract knows four states: "pending", "running", "completed", "failed".
std::string_view contract_state(const model::Job& job);

}  // namespace tidemark::gateway
