#include "model/policy.h"

#include <algorithm>
#include <limits>

#include "model/pv.h"

namespace tidemark::model {
namespace {

constexpr std::size_t kNamesShown = 5;  // names or tags, in a line

Error bad(const std::string& field, const std::string& what) {
  return {Code::kInvalidArgument, field + ": " + what};
}

bool good_name(const std::string& name) {
  if (name.empty() || name.size() > kPolicyNameBytesMax) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

/// NaN is within no limits.
bool within(double number, double least, double most) { return number >= least && number <= most; }

std::string words(const std::vector<std::string>& all) {
  std::string out;
  for (std::size_t i = 0; i < all.size() && i < kNamesShown; ++i)
    out += (i == 0 ? "" : " ") + all[i];
  if (all.size() > kNamesShown) out += " and " + std::to_string(all.size() - kNamesShown) + " more";
  return out;
}

}  // namespace

Result<Unit> check_policy(const Policy& policy) {
  if (!good_name(policy.name)) {
    return bad("name", "'" + policy.name + "' is not 1 to " + std::to_string(kPolicyNameBytesMax) +
                           " letters, digits, '.', '_' and '-'");
  }
  const auto& scope = policy.scope;
  if (scope.names.empty() && scope.tags.empty()) {
    return bad("scope", "neither tags nor names; for all PVs give the name '*'");
  }
  if (!scope.pvs.empty() || scope.none) return bad("scope", "expected tags and names only");
  if (scope.names.size() + scope.tags.size() > kPolicyScopeMax) {
    return bad("scope", "more than " + std::to_string(kPolicyScopeMax) + " tags and names");
  }
  for (const auto& name : scope.names) {
    if (const auto checked = check_pv_name(name); !checked) {
      return bad("names", "'" + name + "': " + checked.error().message);
    }
  }
  const auto& limits = policy.thinning;
  if (limits == Thinning{}) return bad("thinning", "a policy without a limit changes nothing");
  if (limits.deadband_abs && !within(*limits.deadband_abs, 0, std::numeric_limits<double>::max())) {
    return bad("deadband", "expected a number from 0");
  }
  if (limits.deadband_rel && !within(*limits.deadband_rel, 0, 1)) {
    return bad("relative deadband", "expected a number from 0 to 1");
  }
  if (limits.updates_per_s_max != 0 &&
      !within(limits.updates_per_s_max, kPolicyRateMin, kPolicyRateMax)) {
    return bad("rate", "expected from one a day to " + to_text(kPolicyRateMax) + " a second");
  }
  if (limits.waveform_bytes_per_s_max != 0 &&
      !within(limits.waveform_bytes_per_s_max, kPolicyBytesMin, kPolicyBytesMax)) {
    return bad("waveform budget",
               "expected from 1 to " + to_text(kPolicyBytesMax) + " bytes a second");
  }
  return Unit{};
}

bool before(const Policy& a, const Policy& b) {
  return std::tie(a.order, a.name) < std::tie(b.order, b.name);
}

std::string describe(const Thinning& thinning) {
  if (thinning.off) return "not archived";
  std::string out;
  const auto add = [&](const std::string& what) { out += (out.empty() ? "" : ", ") + what; };
  if (thinning.deadband_abs) add("deadband " + to_text(*thinning.deadband_abs));
  if (thinning.deadband_rel) {
    add("deadband " + to_text(*thinning.deadband_rel * 100) + " % of the value");
  }
  if (thinning.updates_per_s_max != 0) {
    add("at most " + to_text(thinning.updates_per_s_max) + " updates/s");
  }
  if (thinning.waveform_bytes_per_s_max != 0) {
    add("waveforms at most " + to_text(thinning.waveform_bytes_per_s_max) + " B/s");
  }
  return out.empty() ? "all" : out;
}

std::string describe(const Policy& policy) {
  std::string out = "order " + std::to_string(policy.order);
  if (!policy.scope.tags.empty()) out += ", tags " + words(policy.scope.tags);
  if (!policy.scope.names.empty()) out += ", names " + words(policy.scope.names);
  return out + ": " + describe(policy.thinning);
}

}  // namespace tidemark::model
