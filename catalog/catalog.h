// catalog/catalog.h
//
// What people defined and asked for, in memory and in a Store, always the same in both: every
// change is committed first and shown after.
//
//   keys   v              format version (u32 LE)
//          g/<uuid>       TagGroup                 p/<uuid>   PvEntry
//          c/<u32 BE>     address of a channel     n          channels journaled through (u32 LE)
//          s/<uuid>       SnapshotHeader           S/<uuid>   Snapshot (a store may compress it)
//          t/<uuid>       tags in a snapshot       j/<uuid>   Job
//          i/<uuid>       idempotency key → job's uuid
//          y/<name>       Policy
//
// A uuid is its 16 bytes; structs are packed as model/packing.h does. "In any case" means that
// ASCII letters are alike.
//
// Threads: one, the keeper's catalog actor.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "catalog/pv_filter.h"
#include "catalog/store.h"
#include "model/api/keeper.h"

namespace tidemark::catalog {

inline constexpr std::size_t kPvsMax = 500'000;    // ten times the largest site
inline constexpr std::uint32_t kPageMax = 1000;    // PvQuery::limit, when it is not 0
inline constexpr std::size_t kIdPartBytesMin = 4;  // of a snapshot's id, to find it by

class Catalog {
 public:
  Catalog(Catalog&&) = default;  // not copied: it points into itself
  Catalog& operator=(Catalog&&) = default;

  /// Reads everything but snapshot bodies.
  /// Errors: kCorruption naming the key; kInvalidArgument for a format of a later version.
  static Result<Catalog> load(std::shared_ptr<Store> store);

  // PVs and tags ------------------------------------------------------------------------------

  /// All or nothing, unless `skip_bad`. 50 000 rows in well under 2 s. A row whose three addresses
  /// are those of a PV already there updates it; a column that the file lacks changes nothing,
  /// and a tag group that it lacks stays as it is. Tags that are missing are made.
  /// Errors: those of Store::commit; kInvalidArgument when the header is wrong (names the
  /// column); kUnavailable when there would be more than kPvsMax PVs. Then nothing is changed.
  /// Bad rows are not an error but the report's problems.
  Result<model::api::ImportReport> import_csv(const model::api::ImportRequest& request,
                                              UtcTime now);

  /// By name. `limit` 0 means all. Errors: kInvalidArgument for a bad `after` or limit (names the
  /// field); those of select().
  Result<model::api::PvPage> list(const model::api::PvQuery& query) const;
  const model::PvEntry* find(const Uuid& pv) const;
  /// The PVs in scope, by name. Errors: kNotFound naming a tag or PV id that nobody defined.
  Result<std::vector<const model::PvEntry*>> select(const model::Scope& scope) const;
  model::api::Tags tags() const;
  std::size_t pv_count() const;

  // Channels ----------------------------------------------------------------------------------

  /// Every address of every PV has a number, from 1, for ever.
  std::optional<model::ChannelId> channel_of(const std::string& address) const;
  const std::string& address_of(model::ChannelId channel) const;  // must exist
  std::uint32_t channel_count() const;
  /// Channels above this are not in the journal yet, and nobody else may hear of them.
  std::uint32_t journaled_through() const { return journaled_through_; }
  Result<Unit> set_journaled_through(std::uint32_t channel);

  // Policies ----------------------------------------------------------------------------------

  /// In the order in which they are asked.
  const std::vector<model::Policy>& policies() const { return policies_; }
  /// Grows with each change, from 0 at load().
  std::uint64_t policy_changes() const { return policy_changes_; }
  const model::Policy* find_policy(const std::string& name) const;
  /// Puts it in the place of its namesake.
  /// Errors: those of check_policy() and Store::commit; kNotFound naming a tag that nobody
  /// defined; kUnavailable beyond kPoliciesMax.
  Result<Unit> set_policy(const model::Policy& policy);
  /// Errors: kNotFound; those of Store::commit.
  Result<Unit> remove_policy(const std::string& name);
  /// `policies()` with `policy` in the place of its namesake; checked as by set_policy().
  Result<std::vector<model::Policy>> with_policy(const model::Policy& policy) const;
  /// By channel number: which of `policies` (in order) decides, as its index; kNoPolicy: none.
  std::vector<std::uint32_t> deciding(const std::vector<model::Policy>& policies) const;
  static constexpr std::uint32_t kNoPolicy = ~0u;
  /// Errors: kNotFound for an address that nobody defined.
  Result<model::api::PolicyExplanation> explain(const std::string& address) const;

  // Snapshots ---------------------------------------------------------------------------------

  /// One atomic write of header and body. kConflict when that id is there.
  Result<Unit> add_snapshot(const model::Snapshot& snapshot);
  /// An id, an exact title (the newest of it), or the first part (at least 4 characters) of an
  /// id, in this order: who typed a whole title means it.
  /// Errors: kNotFound; kConflict when the part fits several.
  Result<model::SnapshotHeader> find_snapshot(const std::string& which) const;
  Result<model::Snapshot> load_snapshot(const Uuid& id) const;
  Result<Unit> delete_snapshot(const Uuid& id);
  /// Newest first.
  Result<std::vector<model::SnapshotHeader>> list_snapshots(
      const model::api::SnapshotQuery& query) const;

  // Jobs --------------------------------------------------------------------------------------

  Result<Unit> put_job(const model::Job& job, const Uuid& idempotency = {});
  const model::Job* find_job(const Uuid& id) const;
  const model::Job* job_of(const Uuid& idempotency) const;
  std::vector<model::Job> list_jobs(std::uint32_t limit) const;  // newest first

 private:
  explicit Catalog(std::shared_ptr<Store> store) : store_(std::move(store)) {}

  friend class Import;  // pv_import.cpp: import_csv()
  Result<Unit> read_definitions();
  Result<Unit> read_history();
  Result<Unit> read_policies();
  void show(model::PvEntry entry);
  void show(model::TagGroup group);
  Result<PvFilter> filter(const model::Scope& scope) const;
  std::optional<Uuid> find_tag(std::string_view path) const;

  std::shared_ptr<Store> store_;
  std::unordered_map<Uuid, model::PvEntry> pvs_;                   // its nodes stay where they are
  std::map<std::string, const model::PvEntry*> by_name_;           // name, NUL, id
  std::unordered_map<std::string, const model::PvEntry*> by_key_;  // import_key()
  std::unordered_map<Uuid, model::TagGroup> groups_;
  std::unordered_map<Uuid, Uuid> group_of_tag_;
  std::vector<std::string> addresses_ = {""};  // by channel number; 0 is nobody
  std::unordered_map<std::string, model::ChannelId> channels_;
  std::uint32_t journaled_through_ = 0;
  std::unordered_map<Uuid, model::SnapshotHeader> snapshots_;
  std::unordered_map<Uuid, std::vector<Uuid>> snapshot_tags_;  // sorted
  std::unordered_map<Uuid, model::Job> jobs_;
  std::unordered_map<Uuid, Uuid> idempotency_;
  std::vector<model::Policy> policies_;  // in order
  std::uint64_t policy_changes_ = 0;
};

}  // namespace tidemark::catalog
