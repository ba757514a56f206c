// model/policy.h
//
// What people say about how densely PVs are archived: a policy has a name, a scope and limits. Of
// those that fit an address the first by order decides, alone: limits of several are never mixed,
// so one name explains what happens to a PV. What the limits do is thinner.h's business.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "model/catalog_entries.h"

namespace tidemark::model {

/// How much of a channel is archived. Empty and 0: all of it.
struct Thinning {
  std::optional<double> deadband_abs;  // in the PV's units; 0: values that do not change
  std::optional<double> deadband_rel;  // of the last archived value: 0.01 is one per cent
  double updates_per_s_max = 0;
  double waveform_bytes_per_s_max = 0;  // of arrays
  bool off = false;                     // no value at all

  static auto fields(auto& s) {
    return std::tie(s.deadband_abs, s.deadband_rel, s.updates_per_s_max, s.waveform_bytes_per_s_max,
                    s.off);
  }
  bool operator==(const Thinning&) const = default;
};

struct Policy {
  std::string name;
  std::int32_t order = 100;  // the smallest decides; among equals the first name
  /// Names are addresses or globs, and the address itself must fit one; tags are those of any PV
  /// that has the address. Never empty, and without PV ids.
  Scope scope;
  Thinning thinning;
  UtcTime modified_at{};
  std::string modified_by;

  static auto fields(auto& s) {
    return std::tie(s.name, s.order, s.scope, s.thinning, s.modified_at, s.modified_by);
  }
  bool operator==(const Policy&) const = default;
};

inline constexpr std::size_t kPolicyNameBytesMax = 64;
inline constexpr std::size_t kPoliciesMax = 200;        // every address is held against each
inline constexpr std::size_t kPolicyScopeMax = 10'000;  // names and tags of one
inline constexpr double kPolicyRateMin = 1.0 / 86'400;  // one a day; less is meant to be off
inline constexpr double kPolicyRateMax = 1e6;
inline constexpr double kPolicyBytesMin = 1;  // a second
inline constexpr double kPolicyBytesMax = 1e12;

/// Errors: kInvalidArgument, naming the field.
Result<Unit> check_policy(const Policy& policy);

/// Whether `a` is asked before `b`.
bool before(const Policy& a, const Policy& b);

/// "deadband 0.01, 1 %, at most 1/s, waveforms 102400 B/s"; "not archived"; "all".
std::string describe(const Thinning& thinning);
/// "order 10, tags area/linac, names 'BPM:*': deadband 0.01": what the journal keeps of it.
std::string describe(const Policy& policy);

}  // namespace tidemark::model
