#include "model/field_test.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <type_traits>
#include <utility>

#include "model/record_fields.h"

namespace tidemark::model {
namespace {

using Relation = FieldTest::Comparison;
using Path = std::span<const std::string>;

constexpr std::array<std::string_view, 3> kUpdateNames{"value", "severity", "status"};

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

/// Compares a scalar that a path leads to.
class Leaf {
 public:
  explicit Leaf(const FieldTest& test) : test_(test) {}

  bool text(std::string_view value) const {
    if (test_.comparison == Relation::kEqual) return value == test_.operand;
    return test_.comparison == Relation::kNotEqual && value != test_.operand;
  }
  /// In the precision of what is asked: 0.1 is found in a float.
  template <std::floating_point F>
  bool number(F value) const {
    if (!test_.number) return test_.comparison == Relation::kNotEqual;
    const auto operand = static_cast<F>(*test_.number);
    const bool equal = value == operand || (std::isnan(value) && std::isnan(operand));
    switch (test_.comparison) {
      case Relation::kEqual: return equal;
      case Relation::kNotEqual: return !equal;
      case Relation::kLess: return value < operand;
      case Relation::kAtMost: return value <= operand;
      case Relation::kGreater: return value > operand;
      case Relation::kAtLeast: break;
    }
    return value >= operand;
  }
  /// Those that a double does not tell apart are equal as text.
  template <std::integral I>
  bool integer(I value) const {
    constexpr auto kExact = std::int64_t{1} << 53;
    const bool exact = std::cmp_less_equal(value, kExact) && std::cmp_greater_equal(value, -kExact);
    if (exact) return number(static_cast<double>(value));
    if (test_.comparison == Relation::kEqual || test_.comparison == Relation::kNotEqual) {
      return text(std::to_string(value));
    }
    return number(static_cast<double>(value));
  }
  bool choice(std::string_view label, std::uint16_t index) const {
    const bool same = !label.empty() && label == test_.operand;
    if (test_.comparison == Relation::kNotEqual) return !same && integer(index);
    return (same && test_.comparison == Relation::kEqual) || integer(index);
  }

 private:
  const FieldTest& test_;
};

template <class T>
bool scalar_holds(const Leaf& leaf, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    return leaf.text(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    return leaf.text(value ? "true" : "false");
  } else if constexpr (std::is_integral_v<T>) {
    return leaf.integer(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    return leaf.number(value);
  } else if constexpr (std::is_same_v<T, EnumIndex>) {
    return leaf.choice("", value.index);
  } else if constexpr (std::is_same_v<T, kv::EnumValue>) {
    return leaf.choice(value.label, value.index);
  } else if constexpr (std::is_same_v<T, UtcTime>) {
    return leaf.text(to_iso(value, 9));
  } else if constexpr (std::is_same_v<T, Duration>) {
    return leaf.number(std::chrono::duration<double>(value).count());
  } else {
    return false;  // nothing, or bytes
  }
}

bool holds(const FieldTest& test, Path path, const kv::Value& value) {
  if (const auto* elements = value.get_if<kv::Array>()) {
    return std::any_of(elements->begin(), elements->end(),
                       [&](const auto& each) { return holds(test, path, each); });
  }
  if (!path.empty()) {
    const auto* field = value.field(path.front());
    return field != nullptr && holds(test, path.subspan(1), *field);
  }
  return value.visit([&](const auto& content) { return scalar_holds(Leaf(test), content); });
}

bool holds(const FieldTest& test, const PvValue& value) {
  return std::visit(
      [&](const auto& content) {
        if constexpr (std::is_same_v<std::decay_t<decltype(content)>, SharedArray>) {
          return std::visit(
              [&](const auto& elements) {
                return std::any_of(elements.begin(), elements.end(), [&](const auto& each) {
                  return scalar_holds(Leaf(test), each);
                });
              },
              *content);
        } else {
          return scalar_holds(Leaf(test), content);
        }
      },
      value);
}

Error unknown_field(std::string_view name) {
  std::vector<std::string_view> known(field_names());
  known.insert(known.end(), kUpdateNames.begin(), kUpdateNames.end());
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  std::string all;
  for (const auto each : known) all += (all.empty() ? "" : ", ") + std::string(each);
  return Error{Code::kInvalidArgument,
               "no record has a field '" + std::string(name) + "'; there are " + all};
}

bool is_field(std::string_view name) {
  return std::binary_search(field_names().begin(), field_names().end(), name) ||
         std::find(kUpdateNames.begin(), kUpdateNames.end(), name) != kUpdateNames.end();
}

struct Sign {
  std::string_view text;
  Relation comparison;
};
// The longer ones first.
constexpr std::array<Sign, 6> kSigns{{{"!=", Relation::kNotEqual},
                                      {"<=", Relation::kAtMost},
                                      {">=", Relation::kAtLeast},
                                      {"=", Relation::kEqual},
                                      {"<", Relation::kLess},
                                      {">", Relation::kGreater}}};

}  // namespace

Result<FieldTest> parse_field_test(std::string_view text) {
  if (text.size() > kFieldTestBytesMax) {
    return Error{Code::kInvalidArgument, "a test of a field is longer than " +
                                             std::to_string(kFieldTestBytesMax) + " bytes"};
  }
  const auto at = std::min(text.find_first_of("=!<>"), text.size());
  const auto rest = text.substr(at);
  const auto sign = std::find_if(kSigns.begin(), kSigns.end(),
                                 [&](const Sign& each) { return rest.starts_with(each.text); });
  if (at == 0 || sign == kSigns.end()) {
    return Error{Code::kInvalidArgument, "'" + std::string(text) +
                                             "' is no test of a field: use data.shot=4711, "
                                             "user!=anna, values>=100"};
  }
  FieldTest test;
  test.comparison = sign->comparison;
  test.operand = rest.substr(sign->text.size());
  test.number = number_in(test.operand);
  const bool orders = test.comparison != Relation::kEqual && test.comparison != Relation::kNotEqual;
  if (orders && !test.number) {
    return Error{Code::kInvalidArgument, "'" + std::string(text) + "': '" + test.operand +
                                             "' is no number, and texts have no order"};
  }
  auto path = text.substr(0, at);
  while (true) {
    const auto dot = path.find('.');
    test.path.emplace_back(path.substr(0, dot));
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  if (!is_field(test.path.front())) return unknown_field(test.path.front());
  return test;
}

bool matches(const FieldTest& test, const Record& record) {
  const auto field = field_of(record, test.path.front());
  return field && holds(test, Path(test.path).subspan(1), *field);
}

bool is_of_updates(const FieldTest& test) {
  return test.path.size() == 1 && std::find(kUpdateNames.begin(), kUpdateNames.end(),
                                            test.path.front()) != kUpdateNames.end();
}

bool matches(const FieldTest& test, const PvUpdate& update) {
  if (update.event != PvUpdate::Event::kValue || !is_of_updates(test)) return false;
  const auto& name = test.path.front();
  if (name == "value") return holds(test, update.value);
  if (name == "severity") {
    return Leaf(test).choice(to_string(update.alarm.severity),
                             static_cast<std::uint16_t>(update.alarm.severity));
  }
  return Leaf(test).choice(status_text(update.alarm.status), update.alarm.status);
}

}  // namespace tidemark::model
