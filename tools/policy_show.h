// tools/policy_show.h
//
// Policies and what they save, for people and for programs.

#pragma once

#include "model/api/policy.h"
#include "tools/context.h"

namespace tidemark::tools {

Json thinning_json(const model::Thinning& thinning);
Json policy_json(const model::api::PolicyEntry& entry);
Json rate_json(const model::api::Rate& rate);
Json preview_json(const model::api::PolicyPreview& preview);

/// "23.0/s, 45.6 MB a day".
std::string rate_text(const model::api::Rate& rate);

void print_policy(const Context& context, const model::api::PolicyEntry& entry);
void print_preview(const Context& context, std::ostream& out,
                   const model::api::PolicyPreview& preview);

}  // namespace tidemark::tools
