#include "actors/catalog_policies.h"

#include <algorithm>

namespace tidemark::actors {
namespace {

namespace api = model::api;
using catalog::Catalog;
using model::ChannelId;

}  // namespace

api::PolicyList policy_list(const Catalog& catalog) {
  api::PolicyList list;
  for (const auto& policy : catalog.policies()) list.policies.push_back({policy, 0});
  const auto decided = catalog.deciding(catalog.policies());
  for (std::uint32_t number = 1; number < decided.size(); ++number) {
    if (decided[number] != Catalog::kNoPolicy) ++list.policies[decided[number]].channels;
  }
  return list;
}

std::vector<api::ThinnedChannels> thinned_channels(const Catalog& catalog) {
  std::vector<api::ThinnedChannels> thinned;
  if (catalog.policies().empty()) return thinned;
  for (const auto& policy : catalog.policies()) {
    thinned.push_back({policy.name, policy.thinning, {}});
  }
  const auto decided = catalog.deciding(catalog.policies());
  for (std::uint32_t number = 1; number <= catalog.journaled_through(); ++number) {
    if (decided[number] == Catalog::kNoPolicy) continue;
    thinned[decided[number]].channels.push_back(ChannelId{number});
  }
  return thinned;
}

Result<PolicyChange> policy_change(const Catalog& catalog, const api::PolicyPreviewQuery& query) {
  PolicyChange change;
  const auto& name = query.policy.name;
  const auto& before = catalog.policies();
  auto after = before;
  if (query.remove) {
    std::erase_if(after, [&](const auto& policy) { return policy.name == name; });
    if (after.size() == before.size()) return Error{Code::kNotFound, "no policy '" + name + "'"};
  } else {
    auto changed = catalog.with_policy(query.policy);
    if (!changed) return changed.error();
    after = std::move(changed).value();
  }
  if (const auto* known = catalog.find_policy(name)) change.replaces = *known;

  // In the question: nothing, then the policies as they are, then as they would be.
  auto& thinnings = change.question.thinnings;
  thinnings.emplace_back();
  for (const auto& policy : before) thinnings.push_back(policy.thinning);
  for (const auto& policy : after) thinnings.push_back(policy.thinning);
  const auto decided_before = catalog.deciding(before);
  const auto decided_after = catalog.deciding(after);
  const auto none = Catalog::kNoPolicy;
  for (std::uint32_t number = 1; number < decided_before.size(); ++number) {
    const auto was = decided_before[number];
    const auto will_be = decided_after[number];
    if (was == none && will_be == none) continue;
    api::ForecastRow row{
        ChannelId{number}, was == none ? 0 : 1 + was,
        will_be == none ? 0 : static_cast<std::uint32_t>(1 + before.size() + will_be)};
    const auto name_of = [&](const auto& policies, std::uint32_t index) {
      return index == none ? std::string() : policies[index].name;
    };
    api::PolicyEffect effect;
    effect.address = catalog.address_of(row.channel);
    effect.policy_before = name_of(before, was);
    effect.policy_after = name_of(after, will_be);
    if (effect.policy_before == effect.policy_after &&
        thinnings[row.before] == thinnings[row.after]) {
      continue;
    }
    change.question.rows.push_back(row);
    change.effects.push_back(std::move(effect));
  }
  return change;
}

}  // namespace tidemark::actors
