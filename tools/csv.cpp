#include "tools/csv.h"

#include <ostream>

namespace tidemark::tools {

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

void print_csv(std::ostream& out, const std::vector<std::string>& row) {
  const char* comma = "";
  for (const auto& field : row) {
    out << comma << csv_field(field);
    comma = ",";
  }
  out << "\n";
}

}  // namespace tidemark::tools
