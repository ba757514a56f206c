#include "epics/put_value.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tidemark::epics {
namespace {

using model::EnumIndex;
using model::PvArray;
using model::PvMeta;
using model::PvValue;
using model::SharedArray;

constexpr std::size_t kEpicsStringBytesMax = 39;  // 40 with the NUL
constexpr std::size_t kEnumStatesMax = 16;

template <class T>
using Made = Result<T>;

Error refused(std::string message) { return {Code::kRefused, std::move(message)}; }

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <class T>
constexpr std::string_view kNameOf = "char";
template <>
constexpr std::string_view kNameOf<std::int16_t> = "short";
template <>
constexpr std::string_view kNameOf<std::int32_t> = "long";

/// A number as T, if T holds it.
template <class T>
Made<T> from_number(double number, const PvMeta& meta) {
  if constexpr (std::is_same_v<T, double>) {
    return number;
  } else if constexpr (std::is_same_v<T, float>) {
    const bool fits = !std::isfinite(number) ||
                      std::abs(number) <= static_cast<double>(std::numeric_limits<float>::max());
    if (!fits) return refused(model::to_text(number) + " is too large for a float");
    return static_cast<float>(number);
  } else if constexpr (std::is_same_v<T, EnumIndex>) {
    const auto states = meta.labels.empty() ? kEnumStatesMax : meta.labels.size();
    if (!(number >= 0 && number < static_cast<double>(states)) || number != std::floor(number)) {
      return refused(model::to_text(number) + " is none of its " + std::to_string(states) +
                     " states");
    }
    return EnumIndex{static_cast<std::uint16_t>(number)};
  } else {
    const bool fits = number >= static_cast<double>(std::numeric_limits<T>::min()) &&
                      number <= static_cast<double>(std::numeric_limits<T>::max()) &&
                      number == std::floor(number);
    if (!fits) return refused(model::to_text(number) + " is no " + std::string(kNameOf<T>));
    return static_cast<T>(number);
  }
}

template <class T>
Made<T> from_text(const std::string& text, const PvMeta& meta) {
  if constexpr (std::is_same_v<T, EnumIndex>) {
    for (std::size_t i = 0; i < meta.labels.size(); ++i) {
      if (meta.labels[i] == text) return EnumIndex{static_cast<std::uint16_t>(i)};
    }
  }
  const auto number = number_in(text);
  if (number) return from_number<T>(*number, meta);
  return refused("'" + text + "' is no " +
                 (std::is_same_v<T, EnumIndex> ? "label of it" : "number"));
}

/// One element as T. `long_text`: strings may be longer than 39 bytes.
template <class T, class From>
Made<T> element(const From& from, const PvMeta& meta, bool long_text) {
  if constexpr (std::is_same_v<T, std::string>) {
    auto text = model::to_text(PvValue(from), meta.labels);
    if (!long_text && text.size() > kEpicsStringBytesMax) {
      return refused("a text of " + std::to_string(text.size()) + " bytes; it holds " +
                     std::to_string(kEpicsStringBytesMax));
    }
    return text;
  } else if constexpr (std::is_same_v<From, std::string>) {
    return from_text<T>(from, meta);
  } else if constexpr (std::is_same_v<From, EnumIndex>) {
    return from_number<T>(from.index, meta);
  } else {
    return from_number<T>(static_cast<double>(from), meta);
  }
}

template <class T>
Result<PvValue> to_array(const PvValue& value, const PvMeta& meta) {
  std::vector<T> made;
  std::optional<Error> error;
  const auto take = [&](const auto& from) {
    if (error) return;
    auto one = element<T>(from, meta, false);
    if (one.ok()) {
      made.push_back(std::move(one).value());
    } else {
      error = one.error();
    }
  };
  std::visit(
      [&](const auto& from) {
        using From = std::decay_t<decltype(from)>;
        if constexpr (std::is_same_v<From, SharedArray>) {
          std::visit(
              [&](const auto& elements) {
                if (elements.size() > meta.count) {
                  error = refused("an array of " + std::to_string(elements.size()) +
                                  " elements; it holds " + std::to_string(meta.count));
                  return;
                }
                made.reserve(elements.size());
                for (const auto& each : elements) take(each);
              },
              *from);
        } else if constexpr (!std::is_same_v<From, std::monostate>) {
          take(from);
        }
      },
      value);
  if (error) return *error;
  return PvValue(SharedArray(PvArray(std::move(made))));
}

template <class T>
Result<PvValue> to_scalar(const PvValue& value, const PvMeta& meta, bool long_text) {
  return std::visit(
      [&](const auto& from) -> Result<PvValue> {
        using From = std::decay_t<decltype(from)>;
        if constexpr (std::is_same_v<From, SharedArray>) {
          return std::visit(
              [&](const auto& elements) -> Result<PvValue> {
                if (elements.size() != 1) {
                  return refused("an array of " + std::to_string(elements.size()) +
                                 " elements; it is a scalar");
                }
                return to_scalar<T>(PvValue(elements.front()), meta, long_text);
              },
              *from);
        } else if constexpr (std::is_same_v<From, std::monostate>) {
          return refused("no value");
        } else {
          auto made = element<T>(from, meta, long_text);
          if (!made.ok()) return made.error();
          return PvValue(std::move(made).value());
        }
      },
      value);
}

template <class T>
Result<PvValue> to_type(const PvValue& value, const PvMeta& meta, bool is_array) {
  return is_array ? to_array<T>(value, meta) : to_scalar<T>(value, meta, false);
}

}  // namespace

Result<PvValue> to_native(const PvValue& value, const PvMeta& meta) {
  if (value.index() == 0) return refused("no value");
  std::string_view type = meta.native_type;
  const bool is_array = type.ends_with("[]");
  if (is_array) type.remove_suffix(2);
  if (type == "double") return to_type<double>(value, meta, is_array);
  if (type == "float") return to_type<float>(value, meta, is_array);
  if (type == "long") return to_type<std::int32_t>(value, meta, is_array);
  if (type == "short") return to_type<std::int16_t>(value, meta, is_array);
  if (type == "char") return to_type<std::uint8_t>(value, meta, is_array);
  if (type == "enum") return to_type<EnumIndex>(value, meta, is_array);
  if (type != "string") return refused("its type is not known");
  if (is_array) return to_array<std::string>(value, meta);
  // A long string is a string that holds more than one element (of char).
  const bool long_text = meta.count > 1;
  auto made = to_scalar<std::string>(value, meta, long_text);
  if (made.ok() && long_text && std::get<std::string>(made.value()).size() >= meta.count) {
    return refused("a text of " + std::to_string(std::get<std::string>(made.value()).size()) +
                   " bytes; it holds " + std::to_string(meta.count - 1));
  }
  return made;
}

}  // namespace tidemark::epics
