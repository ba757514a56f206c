// The Catalog's policies: kept by name, held against every address.

#include <algorithm>

#include "catalog/catalog.h"
#include "catalog/keys.h"
#include "model/packing.h"

namespace tidemark::catalog {
namespace {

using model::Policy;

std::string policy_key(const std::string& name) { return "y/" + name; }

auto by_name(const std::string& name) {
  return [&name](const Policy& policy) { return policy.name == name; };
}

}  // namespace

Result<Unit> Catalog::read_policies() {
  std::optional<Error> fault;
  const auto scanned = store_->scan("y/", [&](std::string_view key, BytesView value) {
    auto policy = model::unpack<Policy>(value);
    const auto wrong = [&](const std::string& what) {
      fault = Error{Code::kCorruption, "catalog: key " + std::string(key) + ": " + what};
      return false;
    };
    if (!policy) return wrong(policy.error().message);
    if (key != policy_key(policy.value().name)) return wrong("holds another policy");
    policies_.push_back(std::move(policy).value());
    return true;
  });
  if (scanned && fault) return *fault;
  std::sort(policies_.begin(), policies_.end(), model::before);
  return scanned;
}

const Policy* Catalog::find_policy(const std::string& name) const {
  const auto found = std::find_if(policies_.begin(), policies_.end(), by_name(name));
  return found == policies_.end() ? nullptr : &*found;
}

Result<std::vector<Policy>> Catalog::with_policy(const Policy& policy) const {
  if (const auto checked = model::check_policy(policy); !checked) return checked.error();
  if (const auto filtered = filter(policy.scope); !filtered) return filtered.error();
  auto policies = policies_;
  std::erase_if(policies, by_name(policy.name));
  if (policies.size() == model::kPoliciesMax) {
    return Error{Code::kUnavailable, "there are " + std::to_string(model::kPoliciesMax) +
                                         " policies, and that is the limit"};
  }
  policies.insert(std::upper_bound(policies.begin(), policies.end(), policy, model::before),
                  policy);
  return policies;
}

Result<Unit> Catalog::set_policy(const Policy& policy) {
  auto policies = with_policy(policy);
  if (!policies) return policies.error();
  const auto committed = store_->commit({{policy_key(policy.name), model::pack(policy)}});
  if (!committed) return committed;
  policies_ = std::move(policies).value();
  ++policy_changes_;
  return Unit{};
}

Result<Unit> Catalog::remove_policy(const std::string& name) {
  if (find_policy(name) == nullptr) {
    return Error{Code::kNotFound, "no policy '" + name + "'"};
  }
  const auto committed = store_->commit({{policy_key(name), std::nullopt}});
  if (!committed) return committed;
  std::erase_if(policies_, by_name(name));
  ++policy_changes_;
  return Unit{};
}

std::vector<std::uint32_t> Catalog::deciding(const std::vector<Policy>& policies) const {
  std::vector<std::uint32_t> decided(addresses_.size(), kNoPolicy);
  for (std::uint32_t i = 0; i < policies.size(); ++i) {
    auto tagged = policies[i].scope;
    PvFilter named;
    if (!tagged.names.empty()) named.names(tagged.names);
    tagged.names.clear();
    const auto tags = filter(tagged);
    if (!tags) continue;  // A tag that is not there: no PV has it.
    for (const auto& [id, pv] : pvs_) {
      if (!tags.value().matches(pv)) continue;
      for (const auto* address : {&pv.setpoint, &pv.readback, &pv.config}) {
        if (address->empty()) continue;
        auto& slot = decided[raw(channels_.at(*address))];
        if (slot == kNoPolicy && named.fits(*address)) slot = i;
      }
    }
  }
  return decided;
}

Result<model::api::PolicyExplanation> Catalog::explain(const std::string& address) const {
  const auto channel = channel_of(address);
  if (!channel) return Error{Code::kNotFound, "no PV has the address '" + address + "'"};
  model::api::PolicyExplanation answer;
  answer.channel = *channel;
  for (const auto& policy : policies_) {
    auto& reason = answer.reasons.emplace_back();
    reason.policy = policy.name;
    reason.order = policy.order;
    PvFilter named;
    if (!policy.scope.names.empty()) named.names(policy.scope.names);
    if (!named.fits(address)) {
      reason.reason = "none of its names fits the address";
    } else if (deciding({policy})[raw(*channel)] == kNoPolicy) {
      reason.reason = "no PV with this address has its tags";
    } else if (answer.policy.empty()) {
      reason.reason = "decides";
      answer.policy = policy.name;
      answer.thinning = policy.thinning;
    } else {
      reason.reason = "fits too, but " + answer.policy + " comes first";
    }
  }
  return answer;
}

}  // namespace tidemark::catalog
