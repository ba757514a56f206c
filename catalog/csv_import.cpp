#include "catalog/csv_import.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <unordered_set>

#include "base/ascii.h"
#include "model/catalog_entries.h"
#include "model/pv.h"

namespace tidemark::catalog {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// What spreadsheets and pandas write where there is nothing.
bool means_empty(std::string_view cell) {
  if (cell.empty()) return true;
  if (cell.size() > 4) return false;
  const auto word = lowered(cell);
  return word == "nan" || word == "none";
}

/// Well-formed UTF-8 without NUL: what JSON can carry.
bool is_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first == 0) return false;
    if (first < 0x80) {
      ++i;
      continue;
    }
    const std::size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || text.size() - i <= more) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    const auto second = static_cast<unsigned char>(text[i + 1]);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
      return false;  // overlong, a surrogate, or beyond U+10FFFF
    }
    i += more + 1;
  }
  return true;
}

struct RawRow {
  std::uint32_t line = 0;
  std::vector<std::string> cells;  // trimmed; the first `count`: the others are spare
  std::size_t count = 0;
  bool text_after_quote = false;

  std::string& add_cell() {
    if (count == cells.size()) cells.emplace_back();
    auto& cell = cells[count++];
    cell.clear();
    return cell;
  }
};

/// Splits text into rows of cells. Knows quotes and line ends; knows nothing of columns.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {
    if (rest_.substr(0, 3) == "\xef\xbb\xbf") rest_.remove_prefix(3);
  }

  /// False at the end. Errors: a quote that is never closed.
  Result<bool> next(RawRow& row) {
    while (!rest_.empty() && (rest_.front() == '\n' || rest_.front() == '\r')) end_line();
    if (rest_.empty()) return false;
    row.line = line_;
    row.count = 0;
    row.text_after_quote = false;
    while (true) {
      auto& cell = row.add_cell();
      const auto start = rest_.find_first_not_of(" \t");
      if (start != std::string_view::npos && rest_[start] == '"') {
        rest_.remove_prefix(start + 1);
        if (!quoted(cell)) {
          return Error{Code::kInvalidArgument, "line " + std::to_string(opened_) +
                                                   ": the quote that opens here is never closed"};
        }
        if (!trimmed(until_separator()).empty()) row.text_after_quote = true;
      } else {
        cell = trimmed(until_separator());
      }
      if (rest_.empty()) return true;
      if (rest_.front() != ',') {
        end_line();
        return true;
      }
      rest_.remove_prefix(1);
    }
  }

 private:
  std::string_view until_separator() {
    const auto end = std::min(rest_.find_first_of(",\r\n"), rest_.size());
    const auto taken = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return taken;
  }

  /// After the opening quote; false when there is no closing one.
  bool quoted(std::string& cell) {
    opened_ = line_;
    while (true) {
      const auto end = rest_.find('"');
      if (end == std::string_view::npos) return false;
      const auto part = rest_.substr(0, end);
      line_ += line_ends(part);
      cell += part;
      rest_.remove_prefix(end + 1);
      if (rest_.empty() || rest_.front() != '"') break;
      cell += '"';
      rest_.remove_prefix(1);
    }
    cell = std::string(trimmed(cell));
    return true;
  }

  static std::uint32_t line_ends(std::string_view text) {
    std::uint32_t ends = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool lone_cr = text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n');
      ends += text[i] == '\n' || lone_cr ? 1 : 0;
    }
    return ends;
  }

  void end_line() {
    rest_.remove_prefix(rest_.substr(0, 2) == "\r\n" ? 2 : 1);
    ++line_;
  }

  std::string_view rest_;
  std::uint32_t line_ = 1;
  std::uint32_t opened_ = 1;
};

enum class Role {
  kSetpoint,
  kReadback,
  kConfig,
  kDevice,
  kDescription,
  kAbsTolerance,
  kRelTolerance,
  kReadOnly,
  kTags,
  kNameless,
};

struct Column {
  Role role = Role::kTags;
  std::string name;
};

Role role_of(std::string_view name) {
  static constexpr std::pair<std::string_view, Role> kRoles[] = {
      {"setpoint", Role::kSetpoint},
      {"readback", Role::kReadback},
      {"config", Role::kConfig},
      {"device", Role::kDevice},
      {"description", Role::kDescription},
      {"abstolerance", Role::kAbsTolerance},
      {"reltolerance", Role::kRelTolerance},
      {"readonly", Role::kReadOnly}};
  if (name.empty()) return Role::kNameless;
  std::string plain;
  for (const char c : name) {
    if (c != ' ' && c != '_' && c != '-') plain += lower(c);
  }
  for (const auto& [word, role] : kRoles) {
    if (plain == word) return role;
  }
  return Role::kTags;
}

Result<std::vector<Column>> read_header(const RawRow& row) {
  const auto at = "line " + std::to_string(row.line) + ": ";
  const auto bad = [&](const std::string& what) {
    return Error{Code::kInvalidArgument, at + what};
  };
  if (row.count > kCsvColumnsMax) {
    return bad("the header has " + std::to_string(row.count) + " columns, the limit is " +
               std::to_string(kCsvColumnsMax));
  }
  std::vector<Column> columns;
  std::unordered_set<std::string> names;
  bool addresses = false;
  for (std::size_t i = 0; i < row.count; ++i) {
    const auto& name = row.cells[i];
    const auto role = role_of(name);
    const auto number = "column " + std::to_string(i + 1);
    if (!is_text(name)) return bad("the name of " + number + " is not UTF-8");
    if (name.size() > model::kCatalogTextBytesMax) {
      return bad("the name of " + number + " has " + std::to_string(name.size()) +
                 " bytes, the limit is " + std::to_string(model::kCatalogTextBytesMax));
    }
    const auto key = role == Role::kTags ? lowered(name) : std::string(1, static_cast<char>(role));
    if (role != Role::kNameless && !names.insert(key).second) {
      return bad("the header has the column '" + name + "' twice");
    }
    addresses = addresses || role == Role::kSetpoint || role == Role::kReadback;
    columns.push_back({role, name});
  }
  if (!addresses) {
    const bool semicolons = row.count == 1 && row.cells[0].find(';') != std::string::npos;
    return bad(std::string("the header has neither a Setpoint nor a Readback column") +
               (semicolons ? "; save the file with commas between the cells, not semicolons" : ""));
  }
  return columns;
}

/// Reads one row's cells by their columns. The first fault stays, and names its column.
class RowReader {
 public:
  explicit RowReader(const std::vector<Column>& columns) : columns_(columns) {}

  /// Empty: `out` is good.
  std::string read(const RawRow& raw, CsvRow& out) {
    fault_.clear();
    out = CsvRow{};
    out.line = raw.line;
    if (raw.text_after_quote) return "there is text after a closing quote";
    for (std::size_t i = 0; i < raw.count && fault_.empty(); ++i) {
      const auto& cell = raw.cells[i];
      if (cell.empty()) continue;
      if (i >= columns_.size()) {
        return "has more cells than the header, which has " + std::to_string(columns_.size());
      }
      column_ = &columns_[i];
      take(cell, i, out);
    }
    if (!fault_.empty()) return fault_;
    if (out.setpoint.empty() && out.readback.empty() && out.config.empty()) {
      return "has no address: Setpoint, Readback and Config are empty";
    }
    if (out.setpoint.empty()) out.read_only = true;
    return {};
  }

 private:
  void take(const std::string& cell, std::size_t index, CsvRow& out) {
    switch (column_->role) {
      case Role::kSetpoint: return address(cell, out.setpoint);
      case Role::kReadback: return address(cell, out.readback);
      case Role::kConfig: return address(cell, out.config);
      case Role::kDevice: return text(cell, out.device);
      case Role::kDescription: return text(cell, out.description);
      case Role::kAbsTolerance: return tolerance(cell, out.abs_tolerance);
      case Role::kRelTolerance: return tolerance(cell, out.rel_tolerance);
      case Role::kReadOnly: return flag(cell, out.read_only);
      case Role::kTags: return tags(cell, out);
      case Role::kNameless:
        fault_ = "column " + std::to_string(index + 1) + " has no name, but '" + shown(cell) + "'";
        return;
    }
  }

  void address(const std::string& cell, std::string& into) {
    if (means_empty(cell)) return;
    if (const auto good = model::check_pv_name(cell); !good) {
      return bad(is_text(cell) ? good.error().message : "is not a PV name, and not UTF-8");
    }
    into = cell;
  }

  void text(const std::string& cell, std::string& into) {
    if (means_empty(cell)) return;
    if (fits(cell)) into = cell;
  }

  void tolerance(const std::string& cell, double& into) {
    if (lowered(cell) == "none") return;
    const auto* begin = cell.data() + (cell.front() == '+' ? 1 : 0);
    const auto* end = cell.data() + cell.size();
    double value = 0;
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (error != std::errc{} || stop != end || !std::isfinite(value) || value < 0) {
      return bad("'" + shown(cell) + "' is not a number from 0 up");
    }
    into = value;
  }

  void flag(const std::string& cell, bool& into) {
    if (means_empty(cell)) return;
    const auto word = lowered(cell);
    const bool yes = word == "true" || word == "yes" || word == "1";
    if (!yes && word != "false" && word != "no" && word != "0") {
      return bad("'" + shown(cell) + "' is none of true, false, yes, no, 1, 0");
    }
    into = yes;
  }

  void tags(std::string_view cell, CsvRow& out) {
    while (!cell.empty() && fault_.empty()) {
      const auto comma = std::min(cell.find(','), cell.size());
      const auto name = trimmed(cell.substr(0, comma));
      cell.remove_prefix(std::min(comma + 1, cell.size()));
      if (means_empty(name) || !fits(name)) continue;
      const bool there = std::any_of(out.tags.begin(), out.tags.end(), [&](const auto& tag) {
        return tag.first == column_->name && lowered(tag.second) == lowered(name);
      });
      if (!there) out.tags.emplace_back(column_->name, name);
    }
  }

  bool fits(std::string_view value) {
    if (value.size() > model::kCatalogTextBytesMax) {
      bad("has " + std::to_string(value.size()) + " bytes, the limit is " +
          std::to_string(model::kCatalogTextBytesMax));
      return false;
    }
    if (!is_text(value)) {
      bad("is not UTF-8");
      return false;
    }
    return true;
  }

  void bad(const std::string& what) { fault_ = column_->name + ": " + what; }

  static std::string shown(const std::string& cell) {
    constexpr std::size_t kBytesMax = 40;
    if (!is_text(cell)) return "(not UTF-8)";
    if (cell.size() <= kBytesMax) return cell;
    auto end = kBytesMax;  // never in the middle of a character
    while ((static_cast<unsigned char>(cell[end]) & 0xc0) == 0x80) --end;
    return cell.substr(0, end) + "…";
  }

  const std::vector<Column>& columns_;
  const Column* column_ = nullptr;
  std::string fault_;
};

}  // namespace

Result<CsvFile> parse_csv(std::string_view text) {
  if (text.size() > kCsvBytesMax) {
    return Error{Code::kInvalidArgument, "the file has " + std::to_string(text.size()) +
                                             " bytes, the limit is " +
                                             std::to_string(kCsvBytesMax)};
  }
  Scanner scanner(text);
  RawRow raw;
  auto more = scanner.next(raw);
  if (!more) return more.error();
  if (!more.value()) return Error{Code::kInvalidArgument, "the file is empty: no header"};
  const auto columns = read_header(raw);
  if (!columns) return columns.error();

  CsvFile file;
  for (const auto& column : columns.value()) {
    switch (column.role) {
      case Role::kDevice: file.columns.device = true; break;
      case Role::kDescription: file.columns.description = true; break;
      case Role::kAbsTolerance: file.columns.abs_tolerance = true; break;
      case Role::kRelTolerance: file.columns.rel_tolerance = true; break;
      case Role::kReadOnly: file.columns.read_only = true; break;
      case Role::kTags: file.tag_groups.push_back(column.name); break;
      default: break;
    }
  }
  RowReader reader(columns.value());
  while (true) {
    more = scanner.next(raw);
    if (!more) return more.error();
    if (!more.value()) return file;
    if (file.rows.size() + file.problems.size() == kCsvRowsMax) {
      return Error{Code::kInvalidArgument,
                   "more than " + std::to_string(kCsvRowsMax) + " rows; split the file"};
    }
    CsvRow row;
    auto fault = reader.read(raw, row);
    if (fault.empty()) {
      file.rows.push_back(std::move(row));
    } else {
      file.problems.push_back({raw.line, std::move(fault)});
    }
  }
}

}  // namespace tidemark::catalog
