#include "tools/line_csv.h"

#include "tools/csv.h"
#include "tools/documents.h"
#include "tools/past_show.h"

namespace tidemark::tools {

void print_line_titles(std::ostream& out) {
  print_csv(out, {"line", "recorded_at", "origin", "incarnation", "sequence", "kind", "level",
                  "subject", "text", "type", "value", "severity", "taken_at", "record"});
}

void print_line_row(std::ostream& out, const model::api::LogLine& line) {
  const bool update = line.kind == model::RecordKind::kPvUpdate;
  const auto json = line_json(line);
  const auto record = json.contains("record")
                          ? json["record"].dump(-1, ' ', false, Json::error_handler_t::replace)
                          : std::string();
  print_csv(out,
            {std::to_string(line.line), csv_time(line.recorded_at), line.origin,
             std::to_string(line.incarnation), std::to_string(line.sequence),
             std::string(model::to_string(line.kind)), std::string(model::to_string(line.level)),
             line.subject, line.text, update ? std::string(model::type_name(line.value)) : "",
             update ? csv_value(line.value) : "",
             update ? std::string(model::to_string(line.alarm.severity)) : "",
             csv_time(line.taken_at), record});
}

}  // namespace tidemark::tools
