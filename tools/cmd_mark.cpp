// tools/cmd_mark.cpp
//
// log mark begin, end, set, list: things with a beginning and an end.

#include <optional>
#include <ostream>

#include "tools/commands.h"
#include "tools/csv.h"
#include "tools/key_show.h"
#include "tools/marks.h"
#include "tools/moment.h"
#include "tools/past.h"
#include "tools/past_show.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

constexpr auto kMarkBudget = 5s;

struct MarkOptions {
  std::string name;
  std::vector<std::string> tags;
  std::vector<std::string> data;
  std::string at;
  std::string from;
  std::string to;
};

/// Of an option; not given: none.
using GivenMoment = std::optional<api::Moment>;

Result<GivenMoment> read_moment(const char* option, const std::string& text, UtcTime now) {
  if (text.empty()) return GivenMoment{};
  auto moment = parse_moment(option, text, now);
  if (!moment) return moment.error();
  return GivenMoment{std::move(moment).value()};
}

/// Not given: the epoch.
Result<UtcTime> past_time(const Context& context, Client& client, const char* option,
                          const GivenMoment& moment) {
  if (!moment) return UtcTime{};
  const auto time = time_of(context, client, option, *moment);
  if (!time || time.value() <= context.now()) return time;
  return Error{Code::kInvalidArgument,
               std::string(option) + ": " + time_text(time.value()) + " is yet to come"};
}

std::string line_text(const std::optional<api::MarkPoint>& point) {
  return point ? std::to_string(point->line) : "?";
}

/// Says where a mark stands that was just set.
Exit show_mark(Context& context, Client& client, const Uuid& id) {
  const auto mark = find_mark(client, id.text(), false, context.budget(kMarkBudget));
  if (!mark) return context.report(mark.error());
  if (context.json) {
    context.print(mark_json(mark.value()));
    return Exit::kFine;
  }
  const auto& [same, name, tags, begin, end] = mark.value();
  context.out << printable(name) << " (" << short_id(id) << ") ";
  if (end) {
    context.out << "is line " << line_text(begin) << " to " << line_text(end) << ", "
                << lasted_text(mark.value()) << "\n";
  } else {
    context.out << "begins at line " << line_text(begin) << ", " << time_text(begin->at) << "\n";
  }
  return Exit::kFine;
}

Exit append_mark(Context& context, Client& client, const std::vector<model::Record>& records,
                 const Uuid& id) {
  const auto said = say(client, context.user, records, context.budget(kMarkBudget));
  return said ? show_mark(context, client, id) : context.report(said.error());
}

// ---- begin, set ---------------------------------------------------------------------------------

Exit begin(Context& context, const MarkOptions& options) {
  const auto given = read_moment("--at", options.at, context.now());
  if (!given) return context.report(given.error());
  const auto data = parse_data(options.data);
  if (!data) return context.report(data.error());
  return with_client(context, [&](Client& client) {
    const auto at = past_time(context, client, "--at", given.value());
    if (!at) return context.report(at.error());
    const auto id = Uuid::random();
    return append_mark(
        context, client,
        {model::MarkBegin{id, options.name, options.tags, context.user, data.value(), at.value()}},
        id);
  });
}

Exit set_mark(Context& context, const MarkOptions& options) {
  const auto begin = read_moment("--from", options.from, context.now());
  if (!begin) return context.report(begin.error());
  const auto end = read_moment("--to", options.to, context.now());
  if (!end) return context.report(end.error());
  const auto data = parse_data(options.data);
  if (!data) return context.report(data.error());
  return with_client(context, [&](Client& client) {
    const auto from = past_time(context, client, "--from", begin.value());
    if (!from) return context.report(from.error());
    const auto to = past_time(context, client, "--to", end.value());
    if (!to) return context.report(to.error());
    if (from.value() > to.value()) {
      return context.report({Code::kInvalidArgument, "--to is before --from"});
    }
    const auto id = Uuid::random();
    return append_mark(
        context, client,
        {model::MarkBegin{id, options.name, options.tags, context.user, data.value(), from.value()},
         model::MarkEnd{id, options.name, context.user, {}, to.value()}},
        id);
  });
}

// ---- end ----------------------------------------------------------------------------------------

Exit end(Context& context, const MarkOptions& options) {
  const auto given = read_moment("--at", options.at, context.now());
  if (!given) return context.report(given.error());
  const auto data = parse_data(options.data);
  if (!data) return context.report(data.error());
  return with_client(context, [&](Client& client) {
    const auto at = past_time(context, client, "--at", given.value());
    if (!at) return context.report(at.error());
    const auto mark = find_mark(client, options.name, true, context.budget(kMarkBudget));
    if (!mark) return context.report(mark.error());
    const auto& [id, name, tags, begin, none] = mark.value();
    if (at.value() != UtcTime{} && begin && at.value() < begin->at) {
      return context.report(
          {Code::kInvalidArgument, "--at: '" + name + "' began later: " + time_text(begin->at)});
    }
    const auto said = say(client, context.user,
                          {model::MarkEnd{id, name, context.user, data.value(), at.value()}},
                          context.budget(kMarkBudget));
    return said ? show_mark(context, client, id) : context.report(said.error());
  });
}

// ---- list ---------------------------------------------------------------------------------------

struct MarkListOptions {
  api::MarksQuery query;
  std::string since;
  std::string until;
  std::uint32_t limit = 50;
  bool csv = false;
};

std::string data_text(const api::MarkEntry& mark) {
  std::string out;
  for (const auto* point : {&mark.begin, &mark.end}) {
    if (!*point || (*point)->data.is_none()) continue;
    out += (out.empty() ? "" : "; ") + key_value_text((*point)->data);
  }
  return out;
}

void print_table(const Context& context, const api::MarkList& list) {
  Table table({{"ID", false, false},
               {"NAME"},
               {"BEGIN", false, false},
               {"LASTED", true},
               {"LINES"},
               {"WHO"},
               {"TAGS"},
               {"DATA"}});
  for (const auto& mark : list.marks) {
    const auto& first = mark.begin ? mark.begin : mark.end;
    const bool whole = mark.begin && mark.end;
    table.add({short_id(mark.id),
               mark.name,
               mark.begin ? time_text(mark.begin->at) : "-",
               {lasted_text(mark), whole ? Color::kNone : Color::kYellow},
               line_text(mark.begin) + ".." + (mark.end ? line_text(mark.end) : ""),
               first ? first->who : "",
               joined(mark.tags, ", "),
               data_text(mark)});
  }
  if (!table.empty()) table.print(context.out, context.columns, context.color());
  if (list.found > list.marks.size()) {
    context.err << "tidemark: " << list.found - list.marks.size() << " more: --limit\n";
  }
}

std::string said_text(const Json& json) {
  return json.is_null() ? "" : json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void print_mark_rows(std::ostream& out, const api::MarkList& list) {
  print_csv(out, {"id", "name", "tags", "begin", "begin_line", "begin_record", "begin_who",
                  "begin_data", "end", "end_line", "end_record", "end_who", "end_data"});
  for (const auto& mark : list.marks) {
    const auto json = mark_json(mark);
    std::vector<std::string> row = {mark.id.text(), mark.name, said_text(json["tags"])};
    for (const char* name : {"begin", "end"}) {
      const auto& point = std::string_view(name) == "begin" ? mark.begin : mark.end;
      if (point) {
        row.insert(row.end(),
                   {csv_time(point->at), std::to_string(point->line), std::to_string(point->record),
                    point->who, said_text(json[name]["data"])});
      } else {
        row.insert(row.end(), 5, "");
      }
    }
    print_csv(out, row);
  }
}

Exit list_marks(Context& context, MarkListOptions options) {
  const auto form = csv_or_json(context, options.csv);
  if (!form) return context.report(form.error());
  const auto since = read_moment("--since", options.since, context.now());
  if (!since) return context.report(since.error());
  const auto until = read_moment("--until", options.until, context.now());
  if (!until) return context.report(until.error());
  auto& query = options.query;
  query.limit = options.limit == 0 ? api::MarksQuery::kMarksMax : options.limit;
  return with_client(context, [&](Client& client) {
    const auto find = [&](const char* option, const GivenMoment& moment,
                          auto& into) -> Result<Unit> {
      if (!moment) return Unit{};
      const auto time = time_of(context, client, option, *moment);
      if (!time) return time.error();
      into = time.value();
      return Unit{};
    };
    const auto begun = find("--since", since.value(), query.since);
    if (!begun) return context.report(begun.error());
    const auto ended = find("--until", until.value(), query.until);
    if (!ended) return context.report(ended.error());
    const auto found =
        client.ask<api::MarkList>("journal", "journal.marks", query, context.budget(kMarkBudget));
    if (!found) return context.report(found.error());
    if (found.value().left_out > 0) {
      context.err << "tidemark: the journal has no room for more marks: " << found.value().left_out
                  << " begins and ends of marks are in its log only, and not in this list\n";
    }
    if (context.json) {
      for (const auto& mark : found.value().marks) context.print(mark_json(mark));
    } else if (options.csv) {
      print_mark_rows(context.out, found.value());
    } else {
      print_table(context, found.value());
    }
    return Exit::kFine;
  });
}

// ---- options ------------------------------------------------------------------------------------

void add_data(Command command, MarkOptions& options) {
  add_repeatable(command, "--data", options.data, "What to remember with it, as shot=4711")
      .type_name("KEY=VALUE");
}

void add_name_and_tags(Command command, MarkOptions& options) {
  command.add_option("NAME", options.name, "What it is called; need not be new").required();
  add_repeatable(command, "--tag", options.tags, "To find it by");
}

void add_begin(Command mark, Context& context) {
  auto options = std::make_shared<MarkOptions>();
  auto command = add_command(mark, context, "begin",
                             {"Begin a mark",
                              "It stays open until `log mark end`, also across restarts. Marks may "
                              "lie inside each other. Prints the line where it begins.",
                              "  tidemark log mark begin 'shift 12' --tag operation\n"
                              "  tidemark log mark begin 'shot 4711' --data target=Al --data "
                              "energy=4.5\n"
                              "  tidemark log mark begin 'beam loss' --at 2m"},
                             [&context, options] { return begin(context, *options); });
  add_name_and_tags(command, *options);
  add_data(command, *options);
  command.add_option("--at", options->at, "It began then: 2m (ago), or 2026-11-21T14:05:00Z")
      .type_name("MOMENT");
}

void add_end(Command mark, Context& context) {
  auto options = std::make_shared<MarkOptions>();
  auto command = add_command(
      mark, context, "end",
      {"End a mark",
       "Of several open ones with that name the newest. Exits with 1 when there is none.",
       "  tidemark log mark end 'shift 12'\n"
       "  tidemark log mark end 1f3a90c2 --data result=good"},
      [&context, options] { return end(context, *options); });
  command.add_option("MARK", options->name, "Its name, or its id").required();
  add_data(command, *options);
  command.add_option("--at", options->at, "It ended then: 2m (ago), or 2026-11-21T14:05:00Z")
      .type_name("MOMENT");
}

void add_mark_set(Command mark, Context& context) {
  auto options = std::make_shared<MarkOptions>();
  auto command = add_command(
      mark, context, "set",
      {"Set a mark after the fact, from a moment to a moment",
       "Each end stands for the last line that was recorded at or before its time; of a "
       "line or another mark, that is when it was recorded. " +
           std::string(kMomentHelp),
       "  tidemark log mark set 'beam loss' --from 20m --to 15m --tag fault"},
      [&context, options] { return set_mark(context, *options); });
  add_name_and_tags(command, *options);
  add_data(command, *options);
  command.add_option("--from", options->from, "It began then").type_name("MOMENT").required();
  command.add_option("--to", options->to, "It ended then").type_name("MOMENT").required();
}

void add_mark_list(Command mark, Context& context) {
  auto options = std::make_shared<MarkListOptions>();
  auto command = add_command(mark, context, "list",
                             {"List marks, the newest first",
                              "All filters must match. --since and --until take what was open at "
                              "some time between them. " +
                                  std::string(kMomentHelp),
                              "  tidemark log mark list --open\n"
                              "  tidemark log mark list --name 'shot *' --since 8h --json\n"
                              "  tidemark log mark list --tag beam --limit 0 --csv > shots.csv"},
                             [&context, options] { return list_marks(context, *options); });
  command.add_flag("--open", options->query.open, "Only those that have not ended");
  command.add_option("--name", options->query.name, "Glob on the name").type_name("GLOB");
  command.add_option("--tag", options->query.tag, "Glob on one of its tags").type_name("GLOB");
  command
      .add_option("--since", options->since, "Not ended before: 8h (ago), or 2026-11-21T14:05:00Z")
      .type_name("MOMENT");
  command.add_option("--until", options->until, "Not begun after").type_name("MOMENT");
  command.add_option("--limit", options->limit, "At most so many (default: 50; 0: 10 000)");
  add_csv(command, options->csv);
  add_journal(command, context);
}

}  // namespace

void add_mark_commands(Command log, Context& context) {
  auto mark = add_group(log, "mark",
                        {"Begin, end, set and list marks",
                         "A mark is something with a beginning and an end: a shot, a shift, a "
                         "tuning. Its name is a moment, and NAME.end is where it ended.",
                         "  tidemark log mark begin 'shot 4711'\n"
                         "  tidemark log mark end 'shot 4711'\n"
                         "  tidemark log query --in 'shot 4711'"});
  add_begin(mark, context);
  add_end(mark, context);
  add_mark_set(mark, context);
  add_mark_list(mark, context);
}

}  // namespace tidemark::tools
