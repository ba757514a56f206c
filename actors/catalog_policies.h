// actors/catalog_policies.h
//
// What the catalog actor answers about policies. Functions of a Catalog; no state, no messages.

#pragma once

#include "actors/catalog.h"

namespace tidemark::actors {

model::api::PolicyList policy_list(const catalog::Catalog& catalog);

/// Of the channels that the journal knows, for the monitor.
std::vector<model::api::ThinnedChannels> thinned_channels(const catalog::Catalog& catalog);

/// Which channels would be archived otherwise. Errors: those of Catalog::with_policy() and
/// remove_policy().
Result<PolicyChange> policy_change(const catalog::Catalog& catalog,
                                   const model::api::PolicyPreviewQuery& query);

}  // namespace tidemark::actors
