// model/compare.h
//
// Two states of the machine, PV by PV. The first one is the reference: relative tolerances are
// of its values.
//
//   both missing         equal
//   one missing          kMissingLeft / kMissingRight
//   different types      kTypeChanged, but numbers compare as numbers, whatever their width
//   numbers              |a-b| <= abs_tolerance, else rel_tolerance > 0, a != 0, |a-b|/|a| <= it;
//                        NaN equals NaN
//   arrays               the same length, and each element as above
//   enums                by label when both sides know one for their index, else by index
//   strings              exactly; numbers are never read out of them

#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "model/snapshot.h"

namespace tidemark::model {

/// Sent on the bus: never renumber.
enum class Difference : std::uint8_t {
  kEqual = 0,
  kWithinTolerance = 1,
  kDifferent = 2,
  kMissingLeft = 3,
  kMissingRight = 4,
  kTypeChanged = 5,
};
std::string_view to_string(Difference difference);  // "equal", "within tolerance", …

/// kEqual and kWithinTolerance match; the others do not.
inline bool matches(Difference difference) {
  return difference == Difference::kEqual || difference == Difference::kWithinTolerance;
}

struct Tolerance {
  double absolute = 0;
  double relative = 0;
};

/// One value against the reference.
Difference compare_values(const PvValue& reference,
                          const std::vector<std::string>& reference_labels, const PvValue& other,
                          const std::vector<std::string>& other_labels, const Tolerance& tolerance);

struct ValueComparison {
  Difference difference = Difference::kEqual;
  PvValue left;  // reference
  PvValue right;
  double deviation = 0;  // |a-b| of numbers, the largest of arrays, infinity for one NaN, else 0

  static auto fields(auto& s) { return std::tie(s.difference, s.left, s.right, s.deviation); }
};

struct PvComparison {
  Uuid pv;
  std::string name;
  std::string units;
  std::vector<std::string> labels;  // of the setpoint, or else the readback, when it is an enum
  double abs_tolerance = 0;
  double rel_tolerance = 0;
  std::optional<ValueComparison> setpoint;  // empty: the PV has none
  std::optional<ValueComparison> readback;

  static auto fields(auto& s) {
    return std::tie(s.pv, s.name, s.units, s.labels, s.abs_tolerance, s.rel_tolerance, s.setpoint,
                    s.readback);
  }
  bool match() const {
    return (!setpoint || matches(setpoint->difference)) &&
           (!readback || matches(readback->difference));
  }
};

/// PVs of `reference` in its order, then those that only `other` has (kMissingLeft). PVs are
/// matched by their id. With `only_different` matching ones are left out, but counted.
struct Comparison {
  std::vector<PvComparison> pvs;
  std::uint32_t matching = 0;
  std::uint32_t different = 0;
};
Comparison compare(const Snapshot& reference, const Snapshot& other, bool only_different);

/// Fills the values of a snapshot whose channels and addresses are there. The header gets the
/// source "live" and the counts; time and line are the caller's to fill in.
void capture_values(Snapshot& snapshot, const LiveTable& live);

/// A snapshot's PVs with the live values: the other side of "compare with now".
Snapshot live_view(const Snapshot& snapshot, const LiveTable& live);

}  // namespace tidemark::model
