#include "tools/key_show.h"

#include "model/kv/text.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using model::kv::Value;

constexpr std::size_t kElementsShown = 16;

/// `specials` gathers what JSON has no number for, by where it is.
struct ToJson {
  Json& specials;
  std::string path;

  Json operator()(std::monostate) const { return nullptr; }
  Json operator()(bool flag) const { return flag; }
  Json operator()(std::int64_t number) const { return number; }
  Json operator()(std::uint64_t number) const { return number; }
  Json operator()(double number) const {
    const auto* special = special_of(number);
    if (special == nullptr) return number;
    if (path.empty()) {
      specials = special;
    } else {
      specials[path] = special;
    }
    return nullptr;
  }
  Json operator()(const std::string& text) const { return text; }
  Json operator()(const model::Blob& bytes) const { return model::kv::to_text(Value(bytes)); }
  Json operator()(const model::kv::EnumValue& choice) const {
    if (path.empty()) return choice.index;
    return {{"index", choice.index}, {"label", choice.label}};
  }
  Json operator()(UtcTime time) const { return to_iso(time, 9); }
  Json operator()(Duration duration) const { return duration.count(); }
  Json operator()(const model::kv::Array& elements) const {
    auto array = Json::array();
    for (std::size_t i = 0; i < elements.size(); ++i) {
      array.push_back(elements[i].visit(ToJson{specials, below(std::to_string(i))}));
    }
    return array;
  }
  Json operator()(const model::kv::Struct& fields) const {
    auto object = Json::object();
    for (const auto& field : fields) {
      object[field.name] = field.value.visit(ToJson{specials, below(field.name)});
    }
    return object;
  }

 private:
  std::string below(const std::string& step) const {
    return path.empty() ? step : path + "." + step;
  }
};

}  // namespace

std::string access_text(const model::kv::KeySpec& spec) {
  std::string text;
  const auto add = [&](bool has, const char* word) {
    if (has) text += (text.empty() ? "" : " ") + std::string(word);
  };
  add(spec.readable, "read");
  add(spec.writable, "write");
  add(spec.published, "watch");
  return text;
}

std::string range_text(const model::kv::KeySpec& spec) {
  std::string text;
  const auto number = [](double value) { return model::kv::to_text(Value(value)); };
  if (spec.low && spec.high) {
    text = number(*spec.low) + " … " + number(*spec.high);
  } else if (spec.low) {
    text = "from " + number(*spec.low);
  } else if (spec.high) {
    text = "up to " + number(*spec.high);
  }
  if (spec.step) text += (text.empty() ? "step " : ", step ") + number(*spec.step);
  return text;
}

std::string type_text(const model::kv::Type& type) { return model::kv::to_text(type); }

void add_key_value(Json& object, const Value& value) {
  Json specials;
  object["value"] = value.visit(ToJson{specials, ""});
  if (const auto* choice = value.get_if<model::kv::EnumValue>()) object["label"] = choice->label;
  if (!specials.is_null()) object["special"] = std::move(specials);
}

std::string key_value_text(const Value& value) {
  return value.is_none() ? "-" : model::kv::to_text(value, kElementsShown);
}

Color quality_color(model::api::Quality quality) {
  switch (quality) {
    case model::api::Quality::kGood: break;
    case model::api::Quality::kStale: return Color::kYellow;
    case model::api::Quality::kDisconnected: return Color::kMagenta;
  }
  return Color::kNone;
}

Json update_json(const model::api::KeyUpdate& update) {
  Json json = Json::object();
  add_key_value(json, update.value);
  json["time"] = time_json(update.time);
  json["sequence"] = update.sequence;
  json["quality"] = to_string(update.quality);
  json["writer"] = update.writer;
  return json;
}

Json item_json(const model::StatusItem& item) {
  return {{"item", item.name},
          {"severity", to_string(item.severity)},
          {"code", item.code},
          {"text", item.text},
          {"since", time_json(item.since)},
          {"active", item.active},
          {"latches", item.latches},
          {"shown", item.shown()},
          {"acknowledged_by", item.acknowledged_by},
          {"acknowledged_at", time_json(item.acknowledged_at)}};
}

Color severity_color(model::Level severity) {
  if (severity == model::Level::kError) return Color::kRed;
  return severity == model::Level::kWarning ? Color::kYellow : Color::kNone;
}

}  // namespace tidemark::tools
