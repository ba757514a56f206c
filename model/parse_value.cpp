#include "model/parse_value.h"

#include <charconv>
#include <limits>

namespace tidemark::model {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

Error expected(std::string_view text, const std::string& what) {
  return {Code::kInvalidArgument, "'" + std::string(text) + "' is not " + what};
}

template <class T>
Result<T> number(std::string_view text) {
  text = trim(text);
  // from_chars knows no plus sign.
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T value{};
  const auto* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc{} && stopped == end && !text.empty()) return value;
  if constexpr (std::is_integral_v<T>) {
    return expected(text, "a whole number from " + std::to_string(std::numeric_limits<T>::min()) +
                              " to " + std::to_string(std::numeric_limits<T>::max()));
  } else {
    return expected(text, "a number");
  }
}

template <class T>
Result<PvValue> scalar(std::string_view text) {
  const auto value = number<T>(text);
  if (!value) return value.error();
  return PvValue{value.value()};
}

Result<PvValue> label(std::string_view text, const std::vector<std::string>& labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == text) return PvValue{EnumIndex{static_cast<std::uint16_t>(i)}};
  }
  const auto index = number<std::uint16_t>(text);
  if (index && (labels.empty() || index.value() < labels.size())) {
    return PvValue{EnumIndex{index.value()}};
  }
  std::string known;
  for (const auto& each : labels) known += (known.empty() ? "" : ", ") + each;
  return expected(text, known.empty() ? "an index" : "one of: " + known);
}

template <class T>
Result<PvValue> array(std::string_view text) {
  text = trim(text);
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    return expected(text, "an array such as [1, 2, 3]");
  }
  text = trim(text.substr(1, text.size() - 2));
  std::vector<T> elements;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto item = trim(text.substr(0, comma));
    if constexpr (std::is_same_v<T, std::string>) {
      elements.emplace_back(item);
    } else {
      const auto value = number<T>(item);
      if (!value) return value.error();
      elements.push_back(value.value());
    }
    if (comma == std::string_view::npos) break;
    text = trim(text.substr(comma + 1));
    if (text.empty()) return expected("", "an element after the last comma");
  }
  return PvValue{SharedArray(PvArray(std::move(elements)))};
}

}  // namespace

Result<PvValue> parse_value(std::string_view text, std::string_view native_type,
                            const std::vector<std::string>& labels) {
  if (native_type == "double") return scalar<double>(text);
  if (native_type == "float") return scalar<float>(text);
  if (native_type == "long") return scalar<std::int32_t>(text);
  if (native_type == "short") return scalar<std::int16_t>(text);
  if (native_type == "char") return scalar<std::uint8_t>(text);
  if (native_type == "enum") return label(text, labels);
  if (native_type == "string") return PvValue{std::string(text)};
  if (native_type == "double[]") return array<double>(text);
  if (native_type == "float[]") return array<float>(text);
  if (native_type == "long[]") return array<std::int32_t>(text);
  if (native_type == "short[]") return array<std::int16_t>(text);
  if (native_type == "char[]") return array<std::uint8_t>(text);
  if (native_type == "string[]") return array<std::string>(text);
  return Error{Code::kInvalidArgument,
               "nothing can be written to a PV of type '" + std::string(native_type) + "'"};
}

}  // namespace tidemark::model
