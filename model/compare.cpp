#include "model/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <unordered_map>

namespace tidemark::model {
namespace {

using Labels = std::vector<std::string>;

struct Outcome {
  Difference difference = Difference::kEqual;
  double deviation = 0;
};

Outcome compare_numbers(double reference, double other, const Tolerance& tolerance) {
  if (reference == other || (std::isnan(reference) && std::isnan(other))) return {};
  const double deviation = std::abs(reference - other);
  if (std::isnan(deviation)) {  // NaN against a number: nothing is further apart.
    return {Difference::kDifferent, std::numeric_limits<double>::infinity()};
  }
  const bool within =
      deviation <= tolerance.absolute || (tolerance.relative > 0 && reference != 0 &&
                                          deviation / std::abs(reference) <= tolerance.relative);
  return {within ? Difference::kWithinTolerance : Difference::kDifferent, deviation};
}

bool same_state(EnumIndex reference, const Labels& reference_labels, EnumIndex other,
                const Labels& other_labels) {
  if (reference.index < reference_labels.size() && other.index < other_labels.size()) {
    return reference_labels[reference.index] == other_labels[other.index];
  }
  return reference == other;
}

/// Compares pairs of values (scalars or array elements) of any two types.
struct Comparer {
  const Labels& reference_labels;
  const Labels& other_labels;
  const Tolerance& tolerance;

  template <class A, class B>
  Outcome scalars(const A& a, const B& b) const {
    if constexpr (std::is_arithmetic_v<A> && std::is_arithmetic_v<B>) {
      return compare_numbers(static_cast<double>(a), static_cast<double>(b), tolerance);
    } else if constexpr (!std::is_same_v<A, B>) {
      return {Difference::kTypeChanged, 0};
    } else if constexpr (std::is_same_v<A, EnumIndex>) {
      const bool same = same_state(a, reference_labels, b, other_labels);
      return {same ? Difference::kEqual : Difference::kDifferent, 0};
    } else {
      return {a == b ? Difference::kEqual : Difference::kDifferent, 0};
    }
  }

  template <class A, class B>
  Outcome arrays(const std::vector<A>& a, const std::vector<B>& b) const {
    Outcome worst;
    if constexpr (!std::is_same_v<A, B> && !(std::is_arithmetic_v<A> && std::is_arithmetic_v<B>)) {
      return {Difference::kTypeChanged, 0};
    } else {
      if (a.size() != b.size()) worst.difference = Difference::kDifferent;
      const auto common = std::min(a.size(), b.size());
      for (std::size_t i = 0; i < common; ++i) {
        const auto each = scalars(a[i], b[i]);
        worst.difference = std::max(worst.difference, each.difference);
        worst.deviation = std::max(worst.deviation, each.deviation);
      }
      return worst;
    }
  }

  Outcome values(const PvValue& reference, const PvValue& other) const {
    const bool left = reference.index() != 0;
    const bool right = other.index() != 0;
    if (!left && !right) return {};
    if (!left) return {Difference::kMissingLeft, 0};
    if (!right) return {Difference::kMissingRight, 0};
    const auto* a = std::get_if<double>(&reference);  // Most of a machine: no visit for these.
    const auto* b = std::get_if<double>(&other);
    if (a && b) return compare_numbers(*a, *b, tolerance);
    return std::visit(
        [&](const auto& x, const auto& y) -> Outcome {
          using A = std::decay_t<decltype(x)>;
          using B = std::decay_t<decltype(y)>;
          if constexpr (std::is_same_v<A, SharedArray> && std::is_same_v<B, SharedArray>) {
            return std::visit([&](const auto& v, const auto& w) { return arrays(v, w); }, *x, *y);
          } else {
            return scalars(x, y);
          }
        },
        reference, other);
  }
};

/// `kNoValue`: the PV has no such address on that side.
const CapturedValue* value_at(const Snapshot& snapshot, std::uint32_t index) {
  return index < snapshot.values.size() ? &snapshot.values[index] : nullptr;
}

const PvValue kNone;

/// The outcome of one address of a PV; null on a side that does not have it.
Outcome compare_captured(const CapturedValue* reference, const CapturedValue* other,
                         const Tolerance& tolerance) {
  if (!reference) return {Difference::kMissingLeft, 0};
  if (!other) return {Difference::kMissingRight, 0};
  return Comparer{reference->labels, other->labels, tolerance}.values(reference->value,
                                                                      other->value);
}

std::optional<ValueComparison> shown(const Outcome& outcome, const CapturedValue* reference,
                                     const CapturedValue* other) {
  if (!reference && !other) return std::nullopt;
  return ValueComparison{outcome.difference, reference ? reference->value : kNone,
                         other ? other->value : kNone, outcome.deviation};
}

/// The PVs of a snapshot by their id. Two snapshots of one machine mostly have the same PVs in
/// the same order, so the table is made when somebody is not where the other one is.
class PvFinder {
 public:
  explicit PvFinder(const std::vector<CapturedPv>& pvs) : pvs_(pvs) {}

  const CapturedPv* find(const Uuid& id, std::size_t guess) {
    if (guess < pvs_.size() && pvs_[guess].pv == id) return &pvs_[guess];
    if (by_id_.empty()) {
      by_id_.reserve(pvs_.size());
      for (const auto& pv : pvs_) by_id_.emplace(pv.pv, &pv);
    }
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
  }

 private:
  const std::vector<CapturedPv>& pvs_;
  std::unordered_map<Uuid, const CapturedPv*> by_id_;
};

class Comparing {
 public:
  Comparing(const Snapshot& reference, const Snapshot& other, bool only_different)
      : reference_(reference), other_(other), only_different_(only_different) {}

  /// At least one of the two is there.
  void pair(const CapturedPv* left, const CapturedPv* right) {
    const auto& pv = left ? *left : *right;
    const Tolerance tolerance{pv.abs_tolerance, pv.rel_tolerance};
    const auto* setpoint_left = left ? value_at(reference_, left->setpoint) : nullptr;
    const auto* setpoint_right = right ? value_at(other_, right->setpoint) : nullptr;
    const auto* readback_left = left ? value_at(reference_, left->readback) : nullptr;
    const auto* readback_right = right ? value_at(other_, right->readback) : nullptr;
    Outcome setpoint;
    Outcome readback;
    if (setpoint_left || setpoint_right) {
      setpoint = compare_captured(setpoint_left, setpoint_right, tolerance);
    }
    if (readback_left || readback_right) {
      readback = compare_captured(readback_left, readback_right, tolerance);
    }
    const bool match = matches(setpoint.difference) && matches(readback.difference);
    ++(match ? comparison_.matching : comparison_.different);
    if (match && only_different_) return;

    auto& out = comparison_.pvs.emplace_back();
    out.pv = pv.pv;
    out.name = pv.name;
    out.abs_tolerance = pv.abs_tolerance;
    out.rel_tolerance = pv.rel_tolerance;
    out.setpoint = shown(setpoint, setpoint_left, setpoint_right);
    out.readback = shown(readback, readback_left, readback_right);
    for (const auto* value : {setpoint_left, setpoint_right, readback_left, readback_right}) {
      if (!value) continue;
      if (out.units.empty()) out.units = value->units;
      if (out.labels.empty()) out.labels = value->labels;
    }
  }

  Comparison& result() { return comparison_; }

 private:
  const Snapshot& reference_;
  const Snapshot& other_;
  const bool only_different_;
  Comparison comparison_;
};

}  // namespace

Difference compare_values(const PvValue& reference,
                          const std::vector<std::string>& reference_labels, const PvValue& other,
                          const std::vector<std::string>& other_labels,
                          const Tolerance& tolerance) {
  return Comparer{reference_labels, other_labels, tolerance}.values(reference, other).difference;
}

Comparison compare(const Snapshot& reference, const Snapshot& other, bool only_different) {
  Comparing comparing(reference, other, only_different);
  if (!only_different) comparing.result().pvs.reserve(reference.pvs.size());
  PvFinder in_other(other.pvs);
  std::size_t both = 0;
  for (std::size_t i = 0; i < reference.pvs.size(); ++i) {
    const auto* right = in_other.find(reference.pvs[i].pv, i);
    comparing.pair(&reference.pvs[i], right);
    both += right ? 1 : 0;
  }
  if (both < other.pvs.size()) {
    PvFinder in_reference(reference.pvs);
    for (std::size_t i = 0; i < other.pvs.size(); ++i) {
      if (!in_reference.find(other.pvs[i].pv, i)) comparing.pair(nullptr, &other.pvs[i]);
    }
  }
  return std::move(comparing.result());
}

void capture_values(Snapshot& snapshot, const LiveTable& live) {
  auto& header = snapshot.header;
  header.source = "live";
  header.pvs = static_cast<std::uint32_t>(snapshot.pvs.size());
  for (auto& value : snapshot.values) {
    if (const auto* entry = live.find(value.channel)) {
      value.state = entry->state;
      value.value = entry->value;
      value.alarm = entry->alarm;
      value.taken_at = entry->taken_at;
      if (entry->meta) {
        value.units = entry->meta->units;
        value.precision = entry->meta->precision;
        value.control_limits = entry->meta->control_limits;
        value.labels = entry->meta->labels;
      }
    }
    ++(value.has_value() ? header.values : header.missing);
    if (value.has_value() && value.state == LiveState::kDisconnected) ++header.disconnected;
  }
}

Snapshot live_view(const Snapshot& snapshot, const LiveTable& live) {
  Snapshot view;
  view.header.title = "live";
  view.pvs = snapshot.pvs;
  view.values.reserve(snapshot.values.size());
  for (const auto& saved : snapshot.values) {
    auto& value = view.values.emplace_back();
    value.channel = saved.channel;
    value.address = saved.address;
  }
  capture_values(view, live);
  return view;
}

}  // namespace tidemark::model
