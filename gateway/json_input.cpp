#include "gateway/json_input.h"

#include <nlohmann/json.hpp>

namespace tidemark::gateway {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kInputEchoBytesMax = 200;  // of the refused input in a 422 answer

/// Brackets outside of strings, counted before a parser builds anything.
bool too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kJsonDepthMax) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

std::optional<Json> parse_json(std::string_view text) {
  if (too_deep(text)) return std::nullopt;
  auto json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

std::string echo(const Json& input) {
  auto text = input.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= kInputEchoBytesMax ? text : "null";
}

/// An object, or what is wrong instead.
Checked<Json> parse_object(std::string_view body) {
  if (body.empty()) return Problems{{"missing", {"body"}, "Field required"}};
  auto json = parse_json(body);
  if (!json) return Problems{{"json_invalid", {"body", "0"}, "JSON decode error", "{}"}};
  if (!json->is_object()) {
    return Problems{{"model_attributes_type",
                     {"body"},
                     "Input should be a valid dictionary or object to extract fields from",
                     echo(*json)}};
  }
  return std::move(*json);
}

/// Empty when it is absent or null; anything but a string is a problem.
std::optional<std::string> optional_text(const Json& object, const char* name, Problems& problems) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (found->is_string()) return found->get<std::string>();
  problems.push_back(
      {"string_type", {"body", name}, "Input should be a valid string", echo(*found)});
  return std::nullopt;
}

}  // namespace

Checked<SnapshotBody> parse_snapshot_body(std::string_view body, bool comment_allowed) {
  auto parsed = parse_object(body);
  if (auto* problems = std::get_if<Problems>(&parsed)) return std::move(*problems);
  const auto& object = std::get<Json>(parsed);

  Problems problems;
  SnapshotBody result;
  if (const auto title = object.find("title"); title == object.end()) {
    problems.push_back({"missing", {"body", "title"}, "Field required", echo(object)});
  } else if (!title->is_string()) {
    problems.push_back(
        {"string_type", {"body", "title"}, "Input should be a valid string", echo(*title)});
  } else {
    result.title = title->get<std::string>();
    if (result.title.empty()) {
      problems.push_back({"string_too_short",
                          {"body", "title"},
                          "String should have at least 1 character",
                          echo(*title)});
    } else if (result.title.size() > kTitleBytesMax) {
      problems.push_back({"string_too_long",
                          {"body", "title"},
                          "String should have at most 255 characters",
                          echo(*title)});
    }
  }
  auto description = optional_text(object, "description", problems);
  if (!description && comment_allowed) description = optional_text(object, "comment", problems);
  result.description = std::move(description).value_or("");
  if (!problems.empty()) return problems;
  return result;
}

Checked<LiveBody> parse_live_body(std::string_view body) {
  auto parsed = parse_object(body);
  if (auto* problems = std::get_if<Problems>(&parsed)) return std::move(*problems);
  const auto& object = std::get<Json>(parsed);

  const auto names = object.find("pv_names");
  if (names == object.end()) {
    return Problems{{"missing", {"body", "pv_names"}, "Field required", echo(object)}};
  }
  if (!names->is_array()) {
    return Problems{
        {"list_type", {"body", "pv_names"}, "Input should be a valid list", echo(*names)}};
  }
  LiveBody result;
  result.pv_names.reserve(names->size());
  for (std::size_t i = 0; i < names->size(); ++i) {
    const auto& name = (*names)[i];
    if (!name.is_string()) {
      return Problems{{"string_type",
                       {"body", "pv_names", std::to_string(i)},
                       "Input should be a valid string",
                       echo(name)}};
    }
    result.pv_names.push_back(name.get<std::string>());
  }
  return result;
}

std::optional<TagFilters> parse_tag_filters(std::string_view text) {
  const auto json = parse_json(text);
  if (!json || !json->is_object()) return std::nullopt;
  TagFilters filters;
  for (const auto& [group_text, tags] : json->items()) {
    const auto group = Uuid::parse(group_text);
    if (!group || !tags.is_array()) return std::nullopt;
    std::vector<Uuid> ids;
    for (const auto& tag_text : tags) {
      if (!tag_text.is_string()) return std::nullopt;
      const auto tag = Uuid::parse(tag_text.get_ref<const std::string&>());
      if (!tag) return std::nullopt;
      ids.push_back(*tag);
    }
    // A client that cleared its choice in a group sends the group with an empty list.
    if (!ids.empty()) filters.emplace_back(*group, std::move(ids));
  }
  return filters;
}

}  // namespace tidemark::gateway
