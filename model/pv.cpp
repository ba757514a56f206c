#include "model/pv.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace tidemark::model {
namespace {

constexpr std::size_t kElementsShownMax = 8;  // of an array, in to_text()

template <class Number>
std::string number_text(Number number) {
  if constexpr (std::is_floating_point_v<Number>) {
    if (std::isnan(number)) return "nan";
    if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  }
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return {text, end};
}

std::string text_of(double v, const std::vector<std::string>&) { return number_text(v); }
std::string text_of(float v, const std::vector<std::string>&) { return number_text(v); }
std::string text_of(std::int32_t v, const std::vector<std::string>&) { return number_text(v); }
std::string text_of(std::int16_t v, const std::vector<std::string>&) { return number_text(v); }
std::string text_of(std::uint8_t v, const std::vector<std::string>&) { return number_text(v); }
std::string text_of(const std::string& v, const std::vector<std::string>&) { return v; }
std::string text_of(EnumIndex v, const std::vector<std::string>& labels) {
  return v.index < labels.size() ? labels[v.index] : number_text(v.index);
}
std::string text_of(std::monostate, const std::vector<std::string>&) { return ""; }
std::string text_of(const SharedArray& array, const std::vector<std::string>& labels) {
  return std::visit(
      [&](const auto& elements) {
        std::string out = "[";
        const auto shown = std::min(elements.size(), kElementsShownMax);
        for (std::size_t i = 0; i < shown; ++i) {
          if (i > 0) out += ", ";
          out += text_of(elements[i], labels);
        }
        if (shown < elements.size()) out += ", … " + std::to_string(elements.size());
        return out + "]";
      },
      *array);
}

/// Bits, not ==: a value is the same when nobody could tell the two apart. But 0.0 is -0.0.
template <class T>
bool same(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a == b || (std::isnan(a) && std::isnan(b));
  } else {
    return a == b;
  }
}
template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& x, const T& y) { return same(x, y); });
}

}  // namespace

Result<Unit> check_pv_name(std::string_view text) {
  if (text.empty() || text.size() > kPvNameBytesMax) {
    return Error{Code::kInvalidArgument, "PV name of " + std::to_string(text.size()) +
                                             " bytes; expected 1 to " +
                                             std::to_string(kPvNameBytesMax)};
  }
  const auto bad =
      std::find_if(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; });
  if (bad != text.end()) {
    return Error{Code::kInvalidArgument, "PV name '" + std::string(text) +
                                             "' has a space or unprintable byte at offset " +
                                             std::to_string(bad - text.begin())};
  }
  return Unit{};
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kNone: return "NO_ALARM";
    case Severity::kMinor: return "MINOR";
    case Severity::kMajor: return "MAJOR";
    case Severity::kInvalid: return "INVALID";
  }
  return "INVALID";
}

std::string status_text(std::uint8_t status) {
  static constexpr std::array<std::string_view, 22> kNames = {
      "NO_ALARM", "READ", "WRITE",   "HIHI",    "HIGH",        "LOLO",        "LOW",  "STATE",
      "COS",      "COMM", "TIMEOUT", "HWLIMIT", "CALC",        "SCAN",        "LINK", "SOFT",
      "BAD_SUB",  "UDF",  "DISABLE", "SIMM",    "READ_ACCESS", "WRITE_ACCESS"};
  if (status < kNames.size()) return std::string(kNames[status]);
  return "status " + std::to_string(status);
}

std::string_view type_name(const PvValue& value) {
  static constexpr std::array<std::string_view, 8> kScalars = {
      "none", "double", "float", "long", "short", "char", "enum", "string"};
  static constexpr std::array<std::string_view, 7> kArrays = {
      "double[]", "float[]", "long[]", "short[]", "char[]", "enum[]", "string[]"};
  if (const auto* array = std::get_if<SharedArray>(&value)) return kArrays[(*array)->index()];
  return kScalars[value.index()];
}

std::optional<double> as_number(const PvValue& value) {
  return std::visit(
      [](const auto& each) -> std::optional<double> {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_arithmetic_v<T>) {
          return static_cast<double>(each);
        } else if constexpr (std::is_same_v<T, EnumIndex>) {
          return each.index;
        } else {
          return std::nullopt;
        }
      },
      value);
}

std::string to_text(const PvValue& value, const std::vector<std::string>& labels) {
  return std::visit([&](const auto& each) { return text_of(each, labels); }, value);
}

std::size_t content_bytes(const PvValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return text->size();
  const auto* array = std::get_if<SharedArray>(&value);
  if (array == nullptr) return 0;
  return std::visit(
      [](const auto& elements) -> std::size_t {
        using T = typename std::decay_t<decltype(elements)>::value_type;
        if constexpr (std::is_same_v<T, std::string>) {
          std::size_t bytes = elements.size() * sizeof(std::string);
          for (const auto& each : elements) bytes += each.size();
          return bytes;
        } else {
          return elements.size() * sizeof(T);
        }
      },
      **array);
}

bool same_value(const PvValue& a, const PvValue& b) {
  if (a.index() != b.index()) return false;
  if (const auto* left = std::get_if<SharedArray>(&a)) {
    const auto& right = std::get<SharedArray>(b);
    if ((*left)->index() != right->index()) return false;
    return std::visit(
        [&](const auto& elements) {
          return same(elements, std::get<std::decay_t<decltype(elements)>>(*right));
        },
        **left);
  }
  return std::visit(
      [&](const auto& each) { return same(each, std::get<std::decay_t<decltype(each)>>(b)); }, a);
}

}  // namespace tidemark::model
