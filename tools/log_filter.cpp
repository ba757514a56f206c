#include "tools/log_filter.h"

#include <algorithm>
#include <charconv>
#include <ostream>

#include "journal/text_pattern.h"
#include "model/field_test.h"
#include "tools/commands.h"
#include "tools/documents.h"
#include "tools/line_details.h"
#include "tools/marks.h"
#include "tools/moment.h"
#include "tools/nearest.h"
#include "tools/past.h"
#include "tools/show.h"
#include "tools/update_line.h"

namespace tidemark::tools {
namespace {

constexpr Duration kFindMarkBudget = std::chrono::seconds(10);
constexpr std::uint8_t kKindMax = static_cast<std::uint8_t>(model::RecordKind::kPolicyChanged);

Error no_such_kind(const std::string& word) {
  std::vector<std::string> known;
  std::string all;
  for (std::uint8_t kind = 1; kind <= kKindMax; ++kind) {
    const auto name = std::string(model::to_string(model::RecordKind{kind}));
    if (!model::parse_record_kind(name)) continue;  // a number that is kept for another version
    all += (all.empty() ? "" : ", ") + name;
    known.push_back(name);
  }
  const auto hint = did_you_mean(word, known);
  return {Code::kInvalidArgument, "--kind: '" + printable(word) + "' is no kind of record" +
                                      (hint.empty() ? ": use " + all : hint)};
}

Result<std::uint32_t> kind_mask(const std::vector<std::string>& lists) {
  std::uint32_t mask = 0;
  for (const auto& list : lists) {
    std::size_t begin = 0;
    while (begin <= list.size()) {
      const auto comma = std::min(list.find(',', begin), list.size());
      const auto word = list.substr(begin, comma - begin);
      begin = comma + 1;
      const auto kind = model::parse_record_kind(word);
      if (!kind) return no_such_kind(word);
      mask |= 1u << static_cast<std::uint8_t>(*kind);
    }
  }
  return mask == 0 ? ~0u : mask;
}

std::string padded(std::string_view text, std::size_t width) {
  auto out = printable(text);
  const auto used = display_width(out);
  if (used < width) out.append(width - used, ' ');
  return out;
}

/// "12", "@12".
std::optional<std::uint64_t> whole_number(std::string_view text) {
  if (text.starts_with('@')) text.remove_prefix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void add_filter_options(Command command, LogFilter& filter) {
  add_repeatable(command, "--kind", filter.kinds, "Record kinds, such as PvUpdate,PutIntended")
      .type_name("KINDS");
  command.add_option("--level", filter.level, "At least: debug, info, warning, error")
      .type_name("LEVEL");
  command.add_option("--subject", filter.subject, "Glob on what the line is about")
      .type_name("GLOB");
  command.add_option("--text", filter.text, "Part of the text, in any case").type_name("TEXT");
  command
      .add_option("--regex", filter.regex,
                  "Found in the text: an RE2 expression, (?i) for any case")
      .type_name("REGEX");
  add_repeatable(command, "--field", filter.fields,
                 "A field of the content: data.shot=4711, user!=anna, values>=100")
      .type_name("TEST");
  command.add_option("--origin", filter.origin, "Glob on the node that said it, or its UUID")
      .type_name("GLOB");
  command.add_option("--in", filter.mark, "Only inside of this mark: its name, or its id")
      .type_name("MARK");
  command
      .add_option("--since", filter.since,
                  "From this moment on: 1h (ago), 14:05, 2026-11-21T14:05:00Z, a line, a mark")
      .type_name("MOMENT");
  command.add_option("--until", filter.until, "Up to this moment").type_name("MOMENT");
}

Result<FilterEnds> ends_of(const LogFilter& filter, UtcTime now) {
  FilterEnds ends;
  const auto read = [now](const char* option, const std::string& text, auto& into) -> Result<Unit> {
    if (text.empty()) return Unit{};
    auto moment = parse_moment(option, text, now);
    if (!moment) return moment.error();
    into = std::move(moment).value();
    const bool is_now = into->line == 0 && !into->time && into->mark.empty();
    if (is_now) into->time = now;
    return Unit{};
  };
  const auto since = read("--since", filter.since, ends.since);
  if (!since) return since.error();
  const auto until = read("--until", filter.until, ends.until);
  if (!until) return until.error();
  return ends;
}

Result<model::api::ReadRequest> read_request(const LogFilter& filter, UtcTime now) {
  model::api::ReadRequest request;
  const auto kinds = kind_mask(filter.kinds);
  if (!kinds) return kinds.error();
  request.kinds = kinds.value();
  if (!filter.level.empty()) {
    const auto level = model::parse_level(filter.level);
    if (!level) {
      return Error{Code::kInvalidArgument,
                   "--level: '" + printable(filter.level) +
                       "' is none of debug, info, warning, error" +
                       did_you_mean(filter.level, {"debug", "info", "warning", "error"})};
    }
    request.level = *level;
  }
  request.subject = filter.subject;
  request.text = filter.text;
  if (!filter.regex.empty()) {
    const auto pattern = journal::TextPattern::compile(filter.regex);
    if (!pattern) return Error{pattern.error().code, "--regex: " + pattern.error().message};
  }
  request.regex = filter.regex;
  if (filter.fields.size() > model::kFieldTestsMax) {
    return Error{Code::kInvalidArgument,
                 "--field: at most " + std::to_string(model::kFieldTestsMax) + " of them"};
  }
  for (const auto& each : filter.fields) {
    const auto test = model::parse_field_test(each);
    if (!test) return Error{test.error().code, "--field: " + test.error().message};
  }
  request.field_tests = filter.fields;
  request.origin = filter.origin;
  const auto ends = ends_of(filter, now);
  if (!ends) return ends.error();
  if (ends.value().since) request.since = ends.value().since->time;
  if (ends.value().until) request.until = ends.value().until->time;
  return request;
}

Result<Unit> complete(const Context& context, Client& client, const LogFilter& filter,
                      model::api::ReadRequest& request) {
  if (!filter.mark.empty()) {
    const auto mark = find_mark(client, filter.mark, false, context.budget(kFindMarkBudget));
    if (!mark) return mark.error();
    request.mark = mark.value().id.text();
  }
  const auto ends = ends_of(filter, context.now());
  if (!ends) return ends.error();
  LineSpan span;
  const auto find = [&](const char* option, const auto& end, auto& line) -> Result<Unit> {
    if (!end || end->time) return Unit{};
    line = end->line;
    if (end->mark.empty()) return Unit{};
    const auto found = resolve(context, client, *end);
    if (!found)
      return Error{found.error().code, std::string(option) + ": " + found.error().message};
    line = found.value().line;
    return Unit{};
  };
  const auto since = find("--since", ends.value().since, span.first);
  if (!since) return since;
  const auto until = find("--until", ends.value().until, span.last);
  if (!until) return until;
  keep_within(span, request);
  return Unit{};
}

void keep_within(const LineSpan& span, model::api::ReadRequest& request) {
  auto& upper = request.newest_first ? request.from : request.to;  // 0: no bound
  auto& lower = request.newest_first ? request.to : request.from;
  if (span.first) lower = std::max(lower, *span.first);
  if (!span.last) return;
  if (*span.last == 0) request.until = UtcTime{};  // no line is as old
  upper = upper == 0 ? *span.last : std::min(upper, *span.last);
}

Result<model::api::Moment> parse_beginning(std::string_view option, std::string_view text,
                                           UtcTime now) {
  const auto lines = parse_lines(text);
  if (lines && lines.value().first == lines.value().second) {
    return model::api::Moment{lines.value().first, std::nullopt};
  }
  return parse_moment(option, text, now);
}

Result<model::api::Moment> find_beginning(const Context& context, Client& client,
                                          const model::api::Moment& parsed) {
  if (parsed.mark.empty()) return parsed;
  const auto found = resolve(context, client, parsed);
  if (!found) return found.error();
  return model::api::Moment{std::max<std::uint64_t>(found.value().line, 1), std::nullopt};
}

Result<std::pair<std::uint64_t, std::uint64_t>> parse_lines(std::string_view text) {
  const auto dots = text.find("..");
  const auto first = whole_number(text.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : whole_number(text.substr(dots + 2));
  if (!first || !last || *first == 0 || *last < *first) {
    return Error{Code::kInvalidArgument,
                 "'" + std::string(text) + "' is no line: use 1234, @1234, or 1200..1234"};
  }
  return std::pair(*first, *last);
}

Color level_color(model::Level level) {
  switch (level) {
    case model::Level::kDebug: return Color::kDim;
    case model::Level::kInfo: return Color::kNone;
    case model::Level::kWarning: return Color::kYellow;
    case model::Level::kError: break;
  }
  return Color::kRed;
}

void print_line(const Context& context, const model::api::LogLine& line) {
  if (context.json) {
    if (line.kind != model::RecordKind::kPvUpdate || !line.record.bytes.empty()) {
      return context.print(line_json(line));
    }
    std::string text;
    append_update_line(text, line);
    text += '\n';
    context.out << text;
    return;
  }
  // Fixed widths: a stream cannot know what comes. In a narrow terminal only of what is always
  // there, so that most lines are one row.
  constexpr std::size_t kWide = 110;  // columns
  const bool narrow = context.columns > 0 && context.columns < kWide;
  const auto number_text = std::to_string(line.line);
  auto& out = context.out;
  out << std::string(number_text.size() < 9 ? 9 - number_text.size() : 0, ' ') << number_text
      << "  " << time_text(line.recorded_at) << "  "
      << paint(padded(model::to_string(line.level), 7), level_color(line.level), context.color())
      << "  " << padded(model::to_string(line.kind), 14) << "  ";
  if (!narrow) out << padded(line.origin, 10) << "  ";
  out << padded(line.subject, narrow ? 0 : 24);
  auto text = line.text;
  if (text.empty() && line.value.index() != 0) text = value_text(line.value);
  if (const auto said = said_before(line)) text += " (said " + time_text(*said) + ")";
  if (!text.empty())
    out << "  " << paint(printable(text), alarm_color(line.alarm), context.color());
  out << "\n";
}

}  // namespace tidemark::tools
