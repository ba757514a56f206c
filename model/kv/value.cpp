#include "model/kv/value.h"

#include <algorithm>
#include <cmath>

namespace tidemark::model::kv {
namespace {

bool equal(const Value& a, const Value& b, bool nan_is_nan) {
  if (a.index() != b.index()) return false;
  return a.visit([&](const auto& left) {
    using T = std::decay_t<decltype(left)>;
    if constexpr (std::is_same_v<T, std::monostate>) {
      return true;
    } else {
      const auto& right = *b.get_if<T>();
      if constexpr (std::is_same_v<T, double>) {
        return left == right || (nan_is_nan && std::isnan(left) && std::isnan(right));
      } else if constexpr (std::is_same_v<T, Array>) {
        return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                          [&](const Value& x, const Value& y) { return equal(x, y, nan_is_nan); });
      } else if constexpr (std::is_same_v<T, Struct>) {
        return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                          [&](const Field& x, const Field& y) {
                            return x.name == y.name && equal(x.value, y.value, nan_is_nan);
                          });
      } else {
        return left == right;
      }
    }
  });
}

/// False as soon as a limit is passed, so no deeper than kValueDepthMax.
bool within_limits(const Value& value, std::size_t depth, std::size_t& elements) {
  if (depth > kValueDepthMax) return false;
  const auto fits = [&](const Value& each) {
    return ++elements <= kValueElementsMax && within_limits(each, depth + 1, elements);
  };
  if (const auto* array = value.get_if<Array>()) {
    return std::all_of(array->begin(), array->end(), fits);
  }
  if (const auto* fields = value.get_if<Struct>()) {
    return std::all_of(fields->begin(), fields->end(),
                       [&](const Field& field) { return fits(field.value); });
  }
  return true;
}

}  // namespace

Value::Value(Array elements) : content_(std::make_shared<const Array>(std::move(elements))) {}
Value::Value(Struct fields) : content_(std::make_shared<const Struct>(std::move(fields))) {}

const Value* Value::field(std::string_view name) const {
  const auto* fields = get_if<Struct>();
  if (!fields) return nullptr;
  const auto found = std::find_if(fields->begin(), fields->end(),
                                  [&](const Field& each) { return each.name == name; });
  return found == fields->end() ? nullptr : &found->value;
}

bool operator==(const Value& a, const Value& b) { return equal(a, b, false); }
bool operator==(const Field& a, const Field& b) { return a.name == b.name && a.value == b.value; }
bool same_value(const Value& a, const Value& b) { return equal(a, b, true); }

Result<Unit> check_size(const Value& value) {
  std::size_t elements = 0;
  if (within_limits(value, 1, elements)) return Unit{};
  return Error{Code::kInvalidArgument, "a value of more than " + std::to_string(kValueDepthMax) +
                                           " levels or " + std::to_string(kValueElementsMax) +
                                           " elements"};
}

}  // namespace tidemark::model::kv
