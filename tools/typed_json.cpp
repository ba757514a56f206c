#include "tools/typed_json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace tidemark::tools {
namespace {

using model::kv::EnumValue;
using model::kv::Field;
using model::kv::Value;

constexpr std::size_t kLineBytesMax = 64u << 20;  // of one record: what the bus carries
constexpr std::size_t kDepthMax = 32;             // a value has 16 levels; the rest is the line's
constexpr std::size_t kFieldsMax = 4000;          // decoders take 4096; imports add some

std::string hex(const Bytes& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const unsigned char byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::optional<Bytes> from_hex(const std::string& text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

struct ToTypedJson {
  Json operator()(std::monostate) const { return nullptr; }
  Json operator()(bool flag) const { return flag; }
  Json operator()(std::int64_t number) const { return number; }
  Json operator()(std::uint64_t number) const { return number; }
  Json operator()(double number) const {
    if (std::isnan(number)) return {{"$double", "nan"}};
    if (std::isinf(number)) return {{"$double", number > 0 ? "inf" : "-inf"}};
    return number;
  }
  Json operator()(const std::string& text) const { return text; }
  Json operator()(const model::Blob& bytes) const { return {{"$bytes", hex(bytes.bytes)}}; }
  Json operator()(const EnumValue& choice) const {
    return {{"$enum", Json::array({choice.index, choice.label})}};
  }
  Json operator()(UtcTime time) const { return {{"$time", to_iso(time, 9)}}; }
  Json operator()(Duration duration) const { return {{"$duration", duration.count()}}; }
  Json operator()(const model::kv::Array& elements) const {
    auto array = Json::array();
    for (const auto& element : elements) array.push_back(element.visit(*this));
    return array;
  }
  Json operator()(const model::kv::Struct& fields) const {
    auto object = Json::object();
    for (const auto& field : fields) object[field.name] = field.value.visit(*this);
    const bool looks_special = fields.size() == 1 && fields[0].name.starts_with("$");
    return looks_special ? Json{{"$struct", std::move(object)}} : object;
  }
};

Error wrong(const std::string& where, const std::string& what) {
  return {Code::kInvalidArgument, (where.empty() ? "" : where + ": ") + what};
}

struct FromJson {
  const bool typed;

  Result<Value> read(const Json& json, const std::string& where, std::size_t depth) const {
    if (depth > model::kv::kValueDepthMax) return wrong(where, "too many levels");
    switch (json.type()) {
      case Json::value_t::null: return Value();
      case Json::value_t::boolean: return Value(json.get<bool>());
      case Json::value_t::number_integer: return Value(json.get<std::int64_t>());
      case Json::value_t::number_unsigned: {
        const auto number = json.get<std::uint64_t>();
        if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
          return Value(number);
        }
        return Value(static_cast<std::int64_t>(number));
      }
      case Json::value_t::number_float: return Value(json.get<double>());
      case Json::value_t::string: return Value(json.get<std::string>());
      case Json::value_t::array: {
        model::kv::Array elements;
        for (std::size_t i = 0; i < json.size(); ++i) {
          auto element = read(json[i], where + "[" + std::to_string(i) + "]", depth + 1);
          if (!element) return element;
          elements.push_back(std::move(element).value());
        }
        return Value(std::move(elements));
      }
      case Json::value_t::object: break;
      default: return wrong(where, "no value");
    }
    const bool special = typed && json.size() == 1 && json.begin().key().starts_with("$");
    return special ? read_special(json.begin().key(), json.begin().value(), where, depth)
                   : read_struct(json, where, depth);
  }

  Result<Value> read_struct(const Json& json, const std::string& where, std::size_t depth) const {
    model::kv::Struct fields;
    if (json.size() > kFieldsMax) return wrong(where, "more than 4000 fields");
    for (const auto& [name, value] : json.items()) {
      if (name.empty()) return wrong(where, "a field without a name");
      auto read_value = read(value, where.empty() ? name : where + "." + name, depth + 1);
      if (!read_value) return read_value;
      fields.push_back({name, std::move(read_value).value()});
    }
    return Value(std::move(fields));
  }

  Result<Value> read_special(const std::string& kind, const Json& json, const std::string& where,
                             std::size_t depth) const {
    if (kind == "$struct" && json.is_object()) return read_struct(json, where, depth);
    if (kind == "$double") {
      if (json == "nan") return Value(std::numeric_limits<double>::quiet_NaN());
      if (json == "inf") return Value(std::numeric_limits<double>::infinity());
      if (json == "-inf") return Value(-std::numeric_limits<double>::infinity());
    }
    if (kind == "$time" && json.is_string()) {
      if (const auto time = parse_iso(json.get<std::string>())) return Value(*time);
    }
    if (kind == "$duration" && json.is_number_integer()) {
      return Value(Duration{json.get<std::int64_t>()});
    }
    if (kind == "$bytes" && json.is_string()) {
      if (auto bytes = from_hex(json.get<std::string>())) return Value(model::Blob{*bytes});
    }
    if (kind == "$enum" && json.is_array() && json.size() == 2 && json[0].is_number_unsigned() &&
        json[1].is_string() && json[0].get<std::uint64_t>() <= 0xffff) {
      return Value(EnumValue{json[0].get<std::uint16_t>(), json[1].get<std::string>()});
    }
    return wrong(where, "not a " + kind);
  }
};

Result<Value> sized(Result<Value> value) {
  if (!value) return value;
  const auto fits = model::kv::check_size(value.value());
  if (!fits) return fits.error();
  return value;
}

/// Levels of arrays and objects, without building any.
std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

Json to_typed_json(const Value& value) { return value.visit(ToTypedJson{}); }

Result<Value> from_typed_json(const Json& json) { return sized(FromJson{true}.read(json, "", 1)); }

Result<model::kv::Struct> fields_from_typed_json(const Json& json) {
  if (!json.is_object()) return wrong("", "not an object");
  model::kv::Struct fields;
  for (const auto& [name, value] : json.items()) {
    auto read = sized(FromJson{true}.read(value, name, 1));
    if (!read) return read.error();
    fields.push_back({name, std::move(read).value()});
  }
  return fields;
}

Result<Value> from_plain_json(const Json& json) { return sized(FromJson{false}.read(json, "", 1)); }

Result<Json> parse_json_line(std::string_view line) {
  if (line.size() > kLineBytesMax) return wrong("", "longer than 64 MiB");
  if (depth_of(line) > kDepthMax) return wrong("", "more than 32 levels");
  auto json = Json::parse(line, nullptr, false);
  if (json.is_discarded()) return wrong("", "not JSON");
  if (!json.is_object()) return wrong("", "not an object");
  return json;
}

}  // namespace tidemark::tools
