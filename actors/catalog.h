// actors/catalog.h
//
// Owns the Catalog. Every question about what people defined is one message; every change is
// committed before its answer. The catalog's store blocks, so spawn with caf::detached.

#pragma once

#include <unordered_set>

#include "actors/messages.h"
#include "catalog/catalog.h"

namespace tidemark::actors {

/// PVs in scope of a request, by id.
using PvSet = std::unordered_set<Uuid>;

/// What a change of policies means: the question to the monitor, and its rows as people see them.
struct PolicyChange {
  std::optional<model::Policy> replaces;
  model::api::ForecastQuery question;
  std::vector<model::api::PolicyEffect> effects;  // without rates
};

using CatalogActor = caf::typed_actor<
    caf::replies_to<import_atom, model::api::ImportRequest>::with<model::api::ImportReport>,
    caf::replies_to<list_atom, model::api::PvQuery>::with<Shared<model::api::PvPage>>,
    caf::replies_to<tags_atom>::with<model::api::Tags>,

    /// Those that the journal knows: nobody may hear of the others yet.
    caf::replies_to<channels_atom>::with<Shared<model::api::Channels>>,
    /// Those that the journal does not know yet.
    caf::replies_to<find_atom>::with<Records>,
    caf::replies_to<journaled_atom, std::uint32_t>::with<Unit>,

    /// A snapshot without values: PVs in scope and their channels.
    caf::replies_to<select_atom, model::Scope>::with<Draft>,
    caf::replies_to<scope_atom, model::Scope>::with<Shared<PvSet>>,
    /// Whether an address may be written. Errors: not_found; refused, saying why.
    caf::replies_to<put_atom, std::string>::with<Unit>,
    /// The number of an address. Errors: not_found.
    caf::replies_to<find_atom, std::string>::with<std::uint32_t>,

    caf::replies_to<add_atom, Shared<model::Snapshot>>::with<Unit>,
    caf::replies_to<load_atom, std::string>::with<Shared<model::Snapshot>>,
    caf::replies_to<snapshot_atom, model::api::SnapshotGet>::with<Shared<model::Snapshot>>,
    caf::replies_to<remove_atom, std::string>::with<model::SnapshotHeader>,
    caf::replies_to<list_atom, model::api::SnapshotQuery>::with<model::api::SnapshotList>,

    caf::replies_to<policies_atom>::with<model::api::PolicyList>,
    /// Answers with the one whose place it took; without a name when there was none.
    caf::replies_to<put_atom, model::Policy>::with<model::Policy>,
    caf::replies_to<remove_atom, model::api::PolicyRemove>::with<model::Policy>,
    caf::replies_to<explain_atom, model::api::PolicyQuestion>::with<model::api::PolicyExplanation>,
    /// Whom a change would concern.
    caf::replies_to<forecast_atom, model::api::PolicyPreviewQuery>::with<Shared<PolicyChange>>,

    caf::replies_to<put_atom, Shared<model::Job>, Uuid>::with<Unit>,
    /// By idempotency key: nil id in the answer when there is none.
    caf::replies_to<find_atom, Uuid>::with<Shared<model::Job>>,
    caf::replies_to<job_atom, Uuid>::with<Shared<model::Job>>,
    caf::replies_to<jobs_atom, model::api::JobsQuery>::with<model::api::JobList>>;

struct CatalogState {
  static inline const char* name = "catalog";
  std::shared_ptr<catalog::Catalog> catalog;

  /// The snapshots that were asked for last, newest use first: people compare, plan, restore and
  /// look at one several times, and reading 40 000 values takes longer than comparing them.
  static constexpr std::size_t kRecentMax = 4;
  std::vector<Shared<model::Snapshot>> recent;

  Result<Shared<model::Snapshot>> load(const std::string& which);
  void remember(Shared<model::Snapshot> snapshot);
};

CatalogActor::behavior_type catalog_actor(CatalogActor::stateful_pointer<CatalogState> self,
                                          std::shared_ptr<catalog::Catalog> catalog);

}  // namespace tidemark::actors

TIDEMARK_LOCAL(tidemark::actors::Shared<tidemark::actors::PvSet>)
TIDEMARK_LOCAL(tidemark::actors::Shared<tidemark::actors::PolicyChange>)
