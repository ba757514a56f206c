#include "tools/marks.h"

#include <algorithm>
#include <cstdio>

#include "model/api/journal.h"
#include "model/kv/text.h"
#include "tools/key_show.h"
#include "tools/nearest.h"
#include "tools/show.h"
#include "tools/times.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;

constexpr std::uint8_t kMarkFormat = 2;  // of a section: records

Json point_json(const std::optional<api::MarkPoint>& point) {
  if (!point) return nullptr;
  Json json = {{"line", point->line},
               {"time", time_json(point->at)},
               {"record", point->record},
               {"who", point->who}};
  Json said = Json::object();
  add_key_value(said, point->data);
  json["data"] = said.contains("value") ? said["value"] : Json(nullptr);
  if (said.contains("special")) json["special"] = said["special"];
  return json;
}

}  // namespace

Result<api::MarkEntry> find_mark(Client& client, const std::string& mark, bool open,
                                 Duration budget) {
  api::MarksQuery query;
  query.mark = mark;
  query.open = open;
  query.limit = 1;
  auto found = client.ask<api::MarkList>("journal", "journal.marks", query, budget);
  if (!found) return found.error();
  if (!found.value().marks.empty()) return std::move(found.value().marks.front());
  if (open) {
    const auto ended = find_mark(client, mark, false, budget);
    if (!ended) return ended.error();
    return Error{Code::kConflict,
                 "the mark '" + mark + "' has ended: " + time_text(ended.value().end->at)};
  }
  return Error{Code::kNotFound,
               "the journal has no mark '" + printable(mark) + "'" + mark_hint(client, mark)};
}

std::string mark_hint(Client& client, const std::string& mark) {
  constexpr auto kHintBudget = std::chrono::seconds(1);
  constexpr std::uint32_t kNewest = 1000;
  api::MarksQuery query;
  query.limit = kNewest;
  const auto found = client.ask<api::MarkList>("journal", "journal.marks", query, kHintBudget);
  if (!found) return "";
  std::vector<std::string> names;
  for (const auto& each : found.value().marks) names.push_back(each.name);
  return did_you_mean(mark, names);
}

Result<Unit> say(Client& client, const std::string& user, const std::vector<model::Record>& records,
                 Duration budget) {
  api::AppendRequest request;
  request.origin = client.link().self().uuid;
  request.node = user;
  request.incarnation = api::kShortLived;
  request.sections.push_back({1,
                              static_cast<std::uint32_t>(records.size()),
                              kMarkFormat,
                              utc_now(),
                              {model::encode_records(records)}});
  const auto stored = client.ask<api::AppendReply>("journal", "journal.append", request, budget);
  if (!stored) return stored.error();
  return Unit{};
}

Result<model::kv::Value> parse_data(const std::vector<std::string>& pairs,
                                    const std::string& option) {
  if (pairs.empty()) return model::kv::Value();
  model::kv::Struct fields;
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    const auto name = pair.substr(0, equals);
    if (equals == std::string::npos || name.empty()) {
      return Error{Code::kInvalidArgument, option + ": '" + pair + "' is not like shot=4711"};
    }
    const bool known = std::any_of(fields.begin(), fields.end(),
                                   [&](const auto& field) { return field.name == name; });
    if (known) return Error{Code::kInvalidArgument, option + ": '" + name + "' is there twice"};
    auto value = model::kv::parse_text(pair.substr(equals + 1), {});
    if (!value) {
      return Error{Code::kInvalidArgument, option + ": " + name + ": " + value.error().message};
    }
    fields.push_back({name, std::move(value).value()});
  }
  return model::kv::Value(std::move(fields));
}

std::string lasted_text(const api::MarkEntry& mark) {
  if (!mark.begin) return "no begin";
  if (!mark.end) return "open";
  const auto lasted = mark.end->at - mark.begin->at;
  if (lasted >= std::chrono::minutes(1) || lasted < Duration{0}) return duration_text(lasted);
  char text[32];
  std::snprintf(text, sizeof text, "%.3fs", std::chrono::duration<double>(lasted).count());
  return text;
}

Json mark_json(const api::MarkEntry& mark) {
  return {{"id", mark.id.text()},
          {"name", mark.name},
          {"tags", mark.tags},
          {"open", !mark.end},
          {"begin", point_json(mark.begin)},
          {"end", point_json(mark.end)}};
}

}  // namespace tidemark::tools
