#include "tools/line_details.h"

#include <sstream>

#include "tools/documents.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

constexpr std::size_t kArrayMax = 16;  // elements that get a row each

std::string dumped(const Json& json, int indent) {
  // replace: a string that an IOC gave need not be UTF-8.
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::optional<UtcTime> said_before(const model::api::LogLine& line) {
  constexpr Duration kSoon = std::chrono::seconds(2);
  if (line.kind != model::RecordKind::kLogMessage) return std::nullopt;
  const auto records = model::decode_records(line.record.bytes);
  if (!records || records.value().size() != 1) return std::nullopt;
  const auto* said = std::get_if<model::LogMessage>(&records.value()[0]);
  if (said == nullptr || said->at == UtcTime{}) return std::nullopt;
  if (line.recorded_at - said->at < kSoon) return std::nullopt;
  return said->at;
}

bool stands_for_others(const model::api::LogLine& line) {
  return line.kind == model::RecordKind::kExpired && line.sequence == 0;
}

std::vector<std::pair<std::string, std::string>> line_details(const model::api::LogLine& line) {
  std::vector<std::pair<std::string, std::string>> out = {
      {"line", std::to_string(line.line)},
      {"time", time_text(line.recorded_at, 9)},
      {"origin", printable(line.origin) + ", incarnation " + std::to_string(line.incarnation) +
                     ", its record " + std::to_string(line.sequence)},
      {"kind", std::string(model::to_string(line.kind))},
      {"level", std::string(model::to_string(line.level))}};
  if (!line.subject.empty()) out.emplace_back("subject", printable(line.subject));
  if (!line.text.empty()) out.emplace_back("text", printable(line.text));
  if (const auto said = said_before(line)) out.emplace_back("said", time_text(*said, 9));
  if (line.kind != model::RecordKind::kPvUpdate) return out;
  const auto alarm = alarm_text(line.alarm);
  out.emplace_back("value", printable(value_text(line.value)));
  out.emplace_back("alarm", alarm.empty() ? "none" : alarm);
  out.emplace_back("IOC time", time_text(line.taken_at, 9));
  return out;
}

std::vector<std::string> line_json_rows(const model::api::LogLine& line) {
  const auto json = line_json(line);
  const bool is_long =
      json.contains("value") && json["value"].is_array() && json["value"].size() > kArrayMax;
  std::vector<std::string> rows;
  std::istringstream text(dumped(json, is_long ? -1 : 2));
  for (std::string row; std::getline(text, row);) rows.push_back(printable(row));
  return rows;
}

}  // namespace tidemark::tools
