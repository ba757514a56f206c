#include "model/restore_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "model/value_types.h"

namespace tidemark::model {
namespace {

using Labels = std::vector<std::string>;

constexpr std::size_t kStringBytesMax = 39;  // of an EPICS string, which is 40 with its zero

/// What an IOC's channel takes: kind of element and how many.
enum class Family { kNumber, kEnum, kString, kOther };

struct NativeType {
  Family family = Family::kOther;
  double low = 0;  // of kNumber: what fits
  double high = 0;
  bool integral = false;
  bool chars = false;  // which may hold a long string
};

NativeType native_type(std::string_view name) {
  if (name.size() > 2 && name.substr(name.size() - 2) == "[]") name.remove_suffix(2);
  const auto integers = [](auto example) {
    using Limits = std::numeric_limits<decltype(example)>;
    return NativeType{Family::kNumber, static_cast<double>(Limits::min()),
                      static_cast<double>(Limits::max()), true, sizeof example == 1};
  };
  constexpr double kFloatMax = std::numeric_limits<float>::max();
  constexpr double kDoubleMax = std::numeric_limits<double>::max();
  if (name == "double") return {Family::kNumber, -kDoubleMax, kDoubleMax, false, false};
  if (name == "float") return {Family::kNumber, -kFloatMax, kFloatMax, false, false};
  if (name == "long") return integers(std::int32_t{});
  if (name == "short") return integers(std::int16_t{});
  if (name == "char") return integers(std::uint8_t{});
  if (name == "enum") return {Family::kEnum, 0, 0, false, false};
  if (name == "string") return {Family::kString, 0, 0, false, false};
  return {};
}

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

/// Makes of a saved value one that the IOC as it is now will take, or says why there is none.
/// Empty reason: `target` may be written.
class Fitting {
 public:
  Fitting(const CapturedValue& saved, const PvMeta& meta)
      : saved_(saved), meta_(meta), native_(native_type(meta.native_type)) {}

  std::string fit(PvValue& target) {
    std::visit([&](auto& each) { fit_value(each); }, target);
    return reason_;
  }

 private:
  void fit_value(std::monostate) {}
  void fit_value(std::string& text) {
    const bool long_string =
        native_.chars || (native_.family == Family::kString && meta_.count > 1);
    if (native_.family != Family::kString && !native_.chars) return type_changed("string");
    const std::size_t room = long_string ? meta_.count : kStringBytesMax;
    if (text.size() > room) {
      refuse("the string has " + std::to_string(text.size()) + " bytes, the PV holds " +
             std::to_string(room));
    }
  }
  void fit_value(SharedArray& array) {
    const auto size = std::visit([](const auto& elements) { return elements.size(); }, *array);
    const std::size_t room = std::max(meta_.count, 1u);
    if (size == 0) return refuse("an empty array cannot be written");
    if (size > room) {
      return refuse("the array has " + std::to_string(size) + " elements, the PV holds " +
                    std::to_string(room));
    }
    auto changed = std::visit([&](const auto& elements) { return fit_elements(elements); }, *array);
    if (changed) array = SharedArray(std::move(*changed));
  }
  template <class T>
  void fit_value(T& scalar) {
    fit_element(scalar, "");
  }

  /// The changed array; empty when it stays as it is.
  template <class T>
  std::optional<PvArray> fit_elements(const std::vector<T>& elements) {
    std::optional<std::vector<T>> changed;
    for (std::size_t i = 0; i < elements.size() && reason_.empty(); ++i) {
      if constexpr (std::is_same_v<T, EnumIndex>) {
        auto element = elements[i];
        fit_element(element, element_name(i));
        if (element == elements[i]) continue;
        if (!changed) changed = elements;
        (*changed)[i] = element;
      } else if constexpr (std::is_same_v<T, std::string>) {
        if (native_.family != Family::kString) {
          type_changed("string[]");
        } else if (elements[i].size() > kStringBytesMax) {
          refuse(element_name(i) + "the string has " + std::to_string(elements[i].size()) +
                 " bytes, the PV holds " + std::to_string(kStringBytesMax));
        }
      } else if (needs_look(elements[i])) {
        fit_element(elements[i], element_name(i));
      }
    }
    if (!changed) return std::nullopt;
    return PvArray(std::move(*changed));
  }

  static std::string element_name(std::size_t i) { return "element " + std::to_string(i) + ": "; }

  /// The few comparisons that spare a waveform a text per element.
  template <class T>
  bool needs_look(T element) const {
    const auto number = static_cast<double>(element);
    const auto& limits = meta_.control_limits;
    return native_.family != Family::kNumber || native_.integral || !std::isfinite(number) ||
           number < native_.low || number > native_.high ||
           (limits && (number < limits->low || number > limits->high));
  }

  template <class T>
  std::enable_if_t<std::is_arithmetic_v<T>> fit_element(const T& number, const std::string& where) {
    if (native_.family != Family::kNumber) return type_changed(type_name(saved_.value));
    const auto value = static_cast<double>(number);
    const auto text = [&] { return where + to_text(PvValue(number)); };
    if (native_.integral && value != std::floor(value)) {  // NaN is not equal to anything
      return refuse(text() + " is not a whole number, and the PV is now a " + meta_.native_type);
    }
    // A double and a float can hold an infinity; nothing narrower can.
    if ((native_.integral || std::isfinite(value)) &&
        (value < native_.low || value > native_.high)) {
      return refuse(text() + " does not fit into a " + meta_.native_type);
    }
    if (!meta_.control_limits) return;
    const auto& limits = *meta_.control_limits;
    if (value > limits.high) {
      return refuse(text() + " is above the IOC's upper control limit " + to_text(limits.high));
    }
    if (value < limits.low) {
      return refuse(text() + " is below the IOC's lower control limit " + to_text(limits.low));
    }
    if (std::isnan(value)) {
      return refuse(text() + " is not within the IOC's control limits " + to_text(limits.low) +
                    " to " + to_text(limits.high));
    }
  }

  /// The label is what was meant; its number is only how the IOC counted then.
  void fit_element(EnumIndex& state, const std::string& where) {
    if (native_.family != Family::kEnum) return type_changed(type_name(saved_.value));
    const auto& now = meta_.labels;
    const bool labelled = state.index < saved_.labels.size() && !saved_.labels[state.index].empty();
    if (!labelled || now.empty()) {
      if (now.empty() || state.index < now.size()) return;
      return refuse(where + "state " + std::to_string(state.index) + " is not one of the IOC's " +
                    std::to_string(now.size()) + " states");
    }
    const auto& label = saved_.labels[state.index];
    if (state.index < now.size() && now[state.index] == label) return;
    const auto found = std::find(now.begin(), now.end(), label);
    if (found == now.end()) {
      return refuse(where + "the state " + in_quotes(label) + " (" + std::to_string(state.index) +
                    " when saved) is not among the IOC's states now");
    }
    state.index = static_cast<std::uint16_t>(found - now.begin());
  }

  void type_changed(std::string_view saved) {
    refuse("the type changed from " + std::string(saved) + " to " + meta_.native_type);
  }
  void refuse(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
  }

  const CapturedValue& saved_;
  const PvMeta& meta_;
  const NativeType native_;
  std::string reason_;
};

/// Why what was saved says nothing; empty when it does.
std::string saved_fault(const CapturedValue& saved) {
  if (saved.state == LiveState::kDisconnected) {
    return "it was disconnected when saved: the value is older than the snapshot";
  }
  if (saved.alarm.severity == Severity::kInvalid) {
    return "the value was INVALID when saved (" + status_text(saved.alarm.status) + ")";
  }
  return {};
}

std::string live_fault(const LiveEntry* live) {
  if (!live || live->state == LiveState::kNeverConnected) return "it has never been connected";
  if (live->state == LiveState::kDisconnected) return "it is disconnected";
  if (!live->meta) return "its IOC has not said yet what it is";
  return {};
}

/// Empty, or why nothing has to be written. What is INVALID now is not there, whatever it reads.
std::string already_there(const CapturedValue& saved, const LiveEntry& live,
                          const Tolerance& tolerance) {
  if (!live.has_value() || live.alarm.severity == Severity::kInvalid) return {};
  const auto difference =
      compare_values(saved.value, saved.labels, live.value, live.meta->labels, tolerance);
  if (difference == Difference::kEqual) return "equal";
  if (difference == Difference::kWithinTolerance) return "within tolerance";
  return {};
}

void decide(const CapturedPv& pv, const CapturedValue& saved, const LiveEntry* live,
            const RestoreOptions& options, RestoreStep& step) {
  const auto refuse = [&](std::string reason) {
    step.action = StepAction::kRefuse;
    step.reason = std::move(reason);
  };
  if (!saved.has_value()) {
    // There is nothing to go back to, and the snapshot said so when it was taken.
    step.reason = "no value was saved: " + (saved.state == LiveState::kConnected
                                                ? std::string("it had none")
                                                : std::string(to_string(saved.state)));
    return;
  }
  if (auto fault = saved_fault(saved); !fault.empty()) return refuse(std::move(fault));
  if (auto fault = live_fault(live); !fault.empty()) return refuse(std::move(fault));
  if (!options.force) {
    // Before the other reasons: nobody has to be told that what is there could not be written.
    auto there = already_there(saved, *live, {pv.abs_tolerance, pv.rel_tolerance});
    if (!there.empty()) {
      step.action = StepAction::kSkip;
      step.reason = std::move(there);
      return;
    }
  }
  if (pv.read_only) return refuse("the PV is defined as read-only");
  if (!live->meta->writable) return refuse("the IOC gives no write access");
  auto target = saved.value;
  if (auto reason = Fitting(saved, *live->meta).fit(target); !reason.empty()) {
    return refuse(std::move(reason));
  }
  step.target = std::move(target);
  step.action = StepAction::kWrite;
}

template <class T>
void append_raw(Bytes& out, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    append_le(out, static_cast<std::uint64_t>(value.size()));
    out += value;
  } else if constexpr (!std::is_same_v<T, std::monostate>) {
    static_assert(std::is_trivially_copyable_v<T>);
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
}

void append_value(Bytes& out, const PvValue& value) {
  append_le(out, static_cast<std::uint8_t>(type_code(value)));
  std::visit(
      [&](const auto& each) {
        if constexpr (std::is_same_v<std::decay_t<decltype(each)>, SharedArray>) {
          std::visit(
              [&](const auto& elements) {
                append_le(out, static_cast<std::uint64_t>(elements.size()));
                for (const auto& element : elements) append_raw(out, element);
              },
              *each);
        } else {
          append_raw(out, each);
        }
      },
      value);
}

/// Lengths before contents, so that no two plans have the same bytes.
std::string hash_of(const std::vector<RestoreStep>& steps) {
  Bytes bytes;
  bytes.reserve(steps.size() * 64);
  for (const auto& step : steps) {
    if (step.action == StepAction::kSkip) continue;
    append_le(bytes, static_cast<std::uint8_t>(step.action));
    append_raw(bytes, step.address);
    append_value(bytes, step.target);
    append_raw(bytes, step.reason);
  }
  static constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (const auto byte : digest(bytes)) {
    hex += kHex[byte >> 4];
    hex += kHex[byte & 15];
  }
  return hex;
}

}  // namespace

RestorePlan restore_plan(const Snapshot& snapshot, const LiveTable& live,
                         const RestoreOptions& options, const std::vector<bool>* in_scope) {
  TIDEMARK_CHECK(!in_scope || in_scope->size() == snapshot.pvs.size());
  RestorePlan plan;
  plan.steps.reserve(snapshot.pvs.size());
  for (std::size_t i = 0; i < snapshot.pvs.size(); ++i) {
    const auto& pv = snapshot.pvs[i];
    if (pv.setpoint >= snapshot.values.size() || (in_scope && !(*in_scope)[i])) continue;
    const auto& saved = snapshot.values[pv.setpoint];
    const auto* entry = live.find(saved.channel);
    auto& step = plan.steps.emplace_back();
    step.pv = pv.pv;
    step.channel = saved.channel;
    step.address = saved.address;
    step.units = saved.units;
    step.target = saved.value;
    if (entry) step.live = entry->value;
    step.abs_tolerance = pv.abs_tolerance;
    step.rel_tolerance = pv.rel_tolerance;
    decide(pv, saved, entry, options, step);
    switch (step.action) {
      case StepAction::kWrite: ++plan.writes; break;
      case StepAction::kSkip: ++plan.skips; break;
      case StepAction::kRefuse: ++plan.refusals; break;
    }
  }
  plan.hash = hash_of(plan.steps);
  return plan;
}

}  // namespace tidemark::model
