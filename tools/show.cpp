#include "tools/show.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace tidemark::tools {
namespace {

using model::EnumIndex;
using model::PvValue;
using model::SharedArray;

Json element(double v) { return special_of(v) != nullptr ? Json(nullptr) : Json(v); }
Json element(float v) {
  if (special_of(static_cast<double>(v)) != nullptr) return nullptr;
  // The shortest digits that give this float again: 0.1, not 0.10000000149011612.
  char text[64];
  *std::to_chars(text, text + sizeof text - 1, v).ptr = '\0';
  return std::strtod(text, nullptr);
}
Json element(EnumIndex v) { return v.index; }
template <class T>
Json element(const T& v) {
  return v;
}

template <class T>
void add_array(Json& object, const std::vector<T>& elements) {
  auto array = Json::array();
  Json specials;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    array.push_back(element(elements[i]));
    if constexpr (std::is_floating_point_v<T>) {
      const auto* special = special_of(static_cast<double>(elements[i]));
      if (special != nullptr) specials[std::to_string(i)] = special;
    }
  }
  object["value"] = std::move(array);
  if (!specials.is_null()) object["special"] = std::move(specials);
}

/// Empty when the precision would hide the number.
std::string rounded(double number, std::int16_t precision) {
  constexpr std::int16_t kPrecisionMax = 15;  // more digits than a double has
  constexpr double kPlainMax = 1e9;
  if (precision <= 0 || precision > kPrecisionMax || special_of(number) != nullptr) return "";
  const double size = std::fabs(number);
  if (size >= kPlainMax || (size > 0 && size < std::pow(10.0, -precision))) return "";
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", static_cast<int>(precision), number);
  return text;
}

}  // namespace

std::string value_text(const PvValue& value, const std::vector<std::string>& labels,
                       std::int16_t precision) {
  if (value.index() == 0) return "-";
  std::string text;
  if (const auto* number = std::get_if<double>(&value)) text = rounded(*number, precision);
  if (const auto* number = std::get_if<float>(&value)) {
    text = rounded(static_cast<double>(*number), precision);
  }
  return text.empty() ? model::to_text(value, labels) : text;
}

void add_value(Json& object, const PvValue& value, const std::vector<std::string>& labels) {
  object["value"] = nullptr;
  if (const auto* array = std::get_if<SharedArray>(&value)) {
    std::visit([&](const auto& elements) { add_array(object, elements); }, **array);
    return;
  }
  if (value.index() == 0) return;
  std::visit(
      [&](const auto& each) {
        using T = std::decay_t<decltype(each)>;
        if constexpr (!std::is_same_v<T, std::monostate> && !std::is_same_v<T, SharedArray>) {
          object["value"] = element(each);
        }
      },
      value);
  if (const auto* index = std::get_if<EnumIndex>(&value)) {
    if (index->index < labels.size()) object["label"] = labels[index->index];
  } else if (const auto number = model::as_number(value)) {
    if (const auto* special = special_of(*number)) object["special"] = special;
  }
}

Json value_json(const PvValue& value, const std::vector<std::string>& labels) {
  Json object;
  object["type"] = model::type_name(value);
  add_value(object, value, labels);
  return object;
}

const char* special_of(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  return nullptr;
}

Json number_json(double number) { return element(number); }

std::string alarm_text(const model::Alarm& alarm) {
  if (alarm.severity == model::Severity::kNone && alarm.status == 0) return "";
  return model::status_text(alarm.status) + " " + std::string(model::to_string(alarm.severity));
}

Color alarm_color(const model::Alarm& alarm) {
  switch (alarm.severity) {
    case model::Severity::kNone: break;
    case model::Severity::kMinor: return Color::kYellow;
    case model::Severity::kMajor: return Color::kRed;
    case model::Severity::kInvalid: return Color::kMagenta;
  }
  return Color::kNone;
}

Json alarm_json(const model::Alarm& alarm) {
  Json out;
  out["severity"] = model::to_string(alarm.severity);
  out["status"] = model::status_text(alarm.status);
  return out;
}

std::string state_text(model::LiveState state) {
  return state == model::LiveState::kConnected ? "ok" : std::string(model::to_string(state));
}

Color state_color(model::LiveState state) {
  return state == model::LiveState::kConnected ? Color::kNone : Color::kMagenta;
}

Color state_color(bus::NodeState state) {
  switch (state) {
    case bus::NodeState::kAlive: return Color::kGreen;
    case bus::NodeState::kSuspect: return Color::kYellow;
    case bus::NodeState::kStopped: return Color::kDim;
    case bus::NodeState::kDisconnected:
    case bus::NodeState::kForgotten: break;
  }
  return Color::kRed;
}

std::string time_text(UtcTime time, int digits) {
  return time == UtcTime{} ? "-" : to_iso(time, digits);
}

Json time_json(UtcTime time) { return time == UtcTime{} ? Json(nullptr) : Json(to_iso(time, 9)); }

std::string short_id(const Uuid& id) { return id.text().substr(0, 8); }

}  // namespace tidemark::tools
