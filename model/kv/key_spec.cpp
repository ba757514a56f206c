#include "model/kv/key_spec.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/kv/text.h"

namespace tidemark::model::kv {
namespace {

constexpr std::size_t kElementsShownMax = 4;  // of a refused array, in a message

Error wrong(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

bool in_segment(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == ':';
}

/// Why a value does not fit, and where in it: ".x[3]".
struct Misfit {
  std::string path;
  std::string why;

  Misfit below(const std::string& step) && { return {step + path, std::move(why)}; }
};
using Fit = std::optional<Misfit>;  // Empty when it fits.

Fit misfit(std::string why) { return Misfit{"", std::move(why)}; }

/// The number in a value, when it has exactly one: as T, without loss.
template <class T>
std::optional<T> exactly(const Value& value) {
  return value.visit([](const auto& each) -> std::optional<T> {
    using From = std::decay_t<decltype(each)>;
    if constexpr (!std::is_same_v<From, std::int64_t> && !std::is_same_v<From, std::uint64_t>) {
      return std::nullopt;
    } else if constexpr (std::is_integral_v<T>) {
      if (!std::in_range<T>(each)) return std::nullopt;
      return static_cast<T>(each);
    } else {
      // Compared as integers; the largest ones round up to 2^63 or 2^64, which is no longer one.
      const auto number = static_cast<T>(each);
      constexpr auto kEnd = std::is_signed_v<From> ? 0x1p63 : 0x1p64;
      if (number >= kEnd || static_cast<From>(number) != each) return std::nullopt;
      return number;
    }
  });
}

class Fitter {
 public:
  explicit Fitter(const KeySpec& spec) : spec_(spec) {}

  /// Makes `value` one of `type`; on a misfit it is left as it was.
  Fit fit(Value& value, const Type& type) const {
    switch (type.kind) {
      case Kind::kAny: return std::nullopt;
      case Kind::kInt64: return fit_number<std::int64_t>(value, type);
      case Kind::kUint64: return fit_number<std::uint64_t>(value, type);
      case Kind::kDouble: return fit_number<double>(value, type);
      case Kind::kEnum: return fit_enum(value, type);
      case Kind::kArray: return fit_array(value, type);
      case Kind::kStruct: return fit_struct(value, type);
      default:
        if (kind_of(value) == type.kind) return std::nullopt;
        return not_a(value, type);
    }
  }

 private:
  static Fit not_a(const Value& value, const Type& type) {
    std::string found(to_string(kind_of(value)));
    if (value.is_none()) {
      found = "none";
    } else {
      found += " " + to_text(value, kElementsShownMax);
    }
    return misfit("expected " + to_text(type) + ", not " + found);
  }

  template <class T>
  Fit fit_number(Value& value, const Type& type) const {
    if (!value.get_if<T>()) {
      const auto number = exactly<T>(value);
      if (!number) return not_a(value, type);
      value = *number;
    }
    return within_limits(static_cast<double>(*value.get_if<T>()), value);
  }

  Fit within_limits(double number, const Value& value) const {
    if (spec_.high && number > *spec_.high) {
      return misfit(with_unit(value) + " is above the limit of " + with_unit(*spec_.high));
    }
    if (spec_.low && number < *spec_.low) {
      return misfit(with_unit(value) + " is below the limit of " + with_unit(*spec_.low));
    }
    if (std::isnan(number) && (spec_.low || spec_.high || spec_.step)) {
      return misfit("nan is not within any limit");
    }
    if (spec_.step && !on_step(number)) {
      const auto from = spec_.low.value_or(0) == 0 ? "" : " from " + with_unit(*spec_.low);
      return misfit(with_unit(value) + " is not a whole number of steps of " +
                    with_unit(*spec_.step) + from);
    }
    return std::nullopt;
  }

  /// 0.3 is three steps of 0.1 to everybody but a computer: to a millionth of a step, or as close
  /// as doubles of that size are.
  bool on_step(double number) const {
    const auto steps = (number - spec_.low.value_or(0)) / *spec_.step;
    const auto tolerance =
        std::max(1e-6, 4 * std::numeric_limits<double>::epsilon() * std::abs(steps));
    return std::abs(steps - std::round(steps)) <= tolerance;
  }

  std::string with_unit(const Value& number) const {
    return to_text(number) + (spec_.unit.empty() ? "" : " " + spec_.unit);
  }

  static Fit fit_enum(Value& value, const Type& type) {
    const auto& labels = type.labels;
    auto index = exactly<std::uint16_t>(value);
    if (const auto* choice = value.get_if<EnumValue>()) {
      const auto known = choice->index < labels.size() &&
                         (choice->label.empty() || choice->label == labels[choice->index]);
      if (known) index = choice->index;
    } else if (const auto* label = value.get_if<std::string>()) {
      const auto found = std::find(labels.begin(), labels.end(), *label);
      if (found != labels.end()) index = static_cast<std::uint16_t>(found - labels.begin());
    }
    if (!index || *index >= labels.size()) return not_a(value, type);
    value = EnumValue{*index, labels[*index]};
    return std::nullopt;
  }

  Fit fit_array(Value& value, const Type& type) const {
    const auto* elements = value.get_if<Array>();
    if (!elements) return not_a(value, type);
    if (type.length && elements->size() != *type.length) {
      return misfit("expected " + std::to_string(*type.length) + " elements, not " +
                    std::to_string(elements->size()));
    }
    Array fitted = *elements;
    for (std::size_t i = 0; i < fitted.size(); ++i) {
      if (auto bad = fit(fitted[i], type.element.front())) {
        return std::move(*bad).below("[" + std::to_string(i) + "]");
      }
    }
    value = std::move(fitted);
    return std::nullopt;
  }

  Fit fit_struct(Value& value, const Type& type) const {
    const auto* given = value.get_if<Struct>();
    if (!given) return not_a(value, type);
    Struct fitted;
    for (const auto& member : type.members) {
      const auto* field = value.field(member.name);
      if (!field) return misfit("the field " + member.name + " is missing");
      fitted.push_back({member.name, *field});
      if (auto bad = fit(fitted.back().value, member.type)) {
        return std::move(*bad).below("." + member.name);
      }
    }
    if (given->size() != fitted.size()) return misfit(surplus(*given, type));
    value = std::move(fitted);
    return std::nullopt;
  }

  /// Of a struct that has all fields of `type`, and more.
  static std::string surplus(const Struct& given, const Type& type) {
    for (const auto& field : given) {
      const auto known = std::any_of(type.members.begin(), type.members.end(),
                                     [&](const auto& each) { return each.name == field.name; });
      if (!known) return "the field " + field.name + " is unknown";
    }
    return "a field is there twice";
  }

  const KeySpec& spec_;
};

bool holds_numbers(const Type& type) {
  switch (type.kind) {
    case Kind::kInt64:
    case Kind::kUint64:
    case Kind::kDouble: return true;
    case Kind::kArray: return holds_numbers(type.element.front());
    default: return false;
  }
}

Result<Unit> check_limits(const KeySpec& spec) {
  if (!spec.low && !spec.high && !spec.step) return Unit{};
  if (!holds_numbers(spec.type)) {
    return wrong(spec.name + ": limits are for numbers, not for " + to_text(spec.type));
  }
  if ((spec.low && std::isnan(*spec.low)) || (spec.high && std::isnan(*spec.high))) {
    return wrong(spec.name + ": a limit is nan");
  }
  if (spec.low && spec.high && *spec.low > *spec.high) {
    return wrong(spec.name + ": the low limit " + to_text(*spec.low) + " is above the high limit " +
                 to_text(*spec.high));
  }
  if (spec.step && !(*spec.step > 0 && std::isfinite(*spec.step))) {
    return wrong(spec.name + ": the step " + to_text(*spec.step) + " is not a positive number");
  }
  if (spec.step && spec.low && std::isinf(*spec.low)) {
    return wrong(spec.name + ": no step counts from an infinite limit");
  }
  return Unit{};
}

}  // namespace

Result<Unit> check_key_name(std::string_view name) {
  if (name.empty() || name.size() > kKeyNameBytesMax) {
    return wrong("key name of " + std::to_string(name.size()) + " bytes; expected 1 to " +
                 std::to_string(kKeyNameBytesMax));
  }
  char before = '/';
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool empty_segment = name[i] == '/' && (before == '/' || i + 1 == name.size());
    if (empty_segment || (name[i] != '/' && !in_segment(name[i]))) {
      return wrong("key name '" + std::string(name) + "' has " +
                   (empty_segment ? "an empty segment" : "a byte that is not allowed") +
                   " at offset " + std::to_string(i));
    }
    before = name[i];
  }
  return Unit{};
}

Result<Unit> check_spec(const KeySpec& spec) {
  if (const auto fine = check_key_name(spec.name); !fine) return fine;
  if (const auto fine = check_type(spec.type); !fine) {
    return wrong(spec.name + ": " + fine.error().message);
  }
  if (!spec.readable && !spec.writable && !spec.published) {
    return wrong(spec.name + ": neither readable, writable nor published");
  }
  if (const auto fine = check_limits(spec); !fine) return fine;
  if (!spec.default_value) return Unit{};
  const auto conforming = conform(spec, *spec.default_value);
  if (!conforming) return wrong("default of " + conforming.error().message);
  return Unit{};
}

Result<Value> conform(const KeySpec& spec, const Value& value) {
  if (const auto fine = check_size(value); !fine) {
    return wrong(spec.name + ": " + fine.error().message);
  }
  Value fitted = value;
  if (const auto bad = Fitter(spec).fit(fitted, spec.type)) {
    return wrong(spec.name + bad->path + ": " + bad->why);
  }
  return fitted;
}

}  // namespace tidemark::model::kv
