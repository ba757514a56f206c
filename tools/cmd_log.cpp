// tools/cmd_log.cpp
//
// log show, query, follow: the journal, line by line.

#include <algorithm>
#include <limits>
#include <ostream>
#include <span>
#include <thread>

#include "tools/commands.h"
#include "tools/documents.h"
#include "tools/interrupt.h"
#include "tools/line_csv.h"
#include "tools/line_details.h"
#include "tools/log_filter.h"
#include "tools/moment.h"
#include "tools/past.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

constexpr auto kReadBudget = 10s;
constexpr auto kJournal = "journal";
constexpr auto kRead = "journal.read";

Result<api::ReadReply> read(Client& client, const api::ReadRequest& request, Duration budget) {
  return client.ask<api::ReadReply>(kJournal, kRead, request, budget);
}

using PrintLine = void (*)(const Context& context, const api::LogLine& line);

/// Prints what matches, page by page. `limit` 0: all; what stands for lines that expired is no part
/// of it. Answers how many were printed.
Result<std::uint64_t> print_pages(Context& context, Client& client, api::ReadRequest request,
                                  std::uint64_t limit, PrintLine print = print_line) {
  constexpr std::uint64_t kPage = 1000;
  std::uint64_t printed = 0;
  std::uint64_t found = 0;
  while (context.out) {
    const auto left = limit == 0 ? kPage : limit - std::min(found, limit);
    if (left == 0) break;
    request.limit = static_cast<std::uint32_t>(std::min(kPage, left));
    auto page = read(client, request, context.budget(kReadBudget));
    if (!page) return page.error();
    for (const auto& line : page.value().lines) {
      print(context, line);
      ++printed;
      if (!stands_for_others(line)) ++found;
    }
    const bool stuck = page.value().next == request.from || page.value().next == 0;
    if (page.value().end || stuck) break;
    request.from = page.value().next;
    if (!request.newest_first && request.to != 0 && request.from > request.to) break;
  }
  return printed;
}

// ---- show ---------------------------------------------------------------------------------------

void print_details(const Context& context, const api::LogLine& line) {
  constexpr std::size_t kNames = 10;  // columns
  for (const auto& [name, text] : line_details(line)) {
    context.out << name << std::string(kNames - name.size(), ' ') << text << "\n";
  }
}

Exit show_lines(Context& context, Client& client, std::uint64_t first, std::uint64_t last) {
  api::ReadRequest request;
  request.from = first;
  request.to = last;
  if (first == last && !context.json) {
    const auto page = read(client, request, context.budget(kReadBudget));
    if (!page) return context.report(page.error());
    if (!page.value().lines.empty()) {
      print_details(context, page.value().lines.front());
      return Exit::kFine;
    }
  } else {
    const auto printed = print_pages(context, client, request, 0);
    if (!printed) return context.report(printed.error());
    if (printed.value() > 0) return Exit::kFine;
  }
  return context.report({Code::kNotFound, "the journal has no line " + std::to_string(first) +
                                              (last == first ? "" : " or after")});
}

// ---- query --------------------------------------------------------------------------------------

struct QueryOptions {
  LogFilter filter;
  std::uint64_t limit = 50;
  bool oldest_first = false;
  bool csv = false;
};

void print_in_row(const Context& context, const api::LogLine& line) {
  print_line_row(context.out, line);
}

Exit query(Context& context, const QueryOptions& options) {
  const auto form = csv_or_json(context, options.csv);
  if (!form) return context.report(form.error());
  auto request = read_request(options.filter, context.now());
  if (!request) return context.report(request.error());
  request.value().newest_first = !options.oldest_first;
  request.value().from = options.oldest_first ? 1 : 0;
  return with_client(context, [&](Client& client) {
    const auto completed = complete(context, client, options.filter, request.value());
    if (!completed) return context.report(completed.error());
    if (options.csv) print_line_titles(context.out);
    const auto printed = print_pages(context, client, request.value(), options.limit,
                                     options.csv ? print_in_row : print_line);
    return printed ? Exit::kFine : context.report(printed.error());
  });
}

// ---- follow -------------------------------------------------------------------------------------

struct FollowOptions {
  LogFilter filter;
  std::string from = "now";
  std::uint64_t count = 0;  // lines; 0: no end
  Duration period{0};       // 0: no end
};

/// Reads on from the last line seen. The line number is all there is to remember, so a journal
/// that restarts costs nothing: the next read asks for the line after the last one shown.
class Follower {
 public:
  Follower(Context& context, Client& client, api::ReadRequest request, const FollowOptions& options)
      : context_(context),
        client_(client),
        request_(std::move(request)),
        count_(options.count),
        end_(options.period > Duration{0} ? steady_now() + options.period : SteadyTime::max()) {}

  Exit run() {
    const Interrupt interrupt;
    client_.follow_directory();
    auto asked = ask();
    while (!enough()) {
      const auto page = Client::wait_for<api::ReadReply>(*asked, kRead);
      if (page) {
        back(page.value());
        const auto lines = take(page.value());
        if (!enough()) asked = ask();  // The journal finds the next ones while these are printed.
        for (const auto& line : lines) print_line(context_, line);
        context_.out.flush();
        continue;
      }
      if (Interrupt::came()) break;
      const auto& error = page.error();
      if (error.code != Code::kTimeout && error.code != Code::kUnavailable) {
        return context_.report(error);
      }
      gone(error);
      asked = ask();
    }
    return Exit::kFine;
  }

 private:
  static constexpr Duration kWait = 5s;
  static constexpr Duration kRetry = 200ms;
  static constexpr std::uint32_t kPage = 1000;

  bool enough() const {
    return Interrupt::came() || steady_now() >= end_ || (count_ > 0 && taken_ >= count_) ||
           !context_.out;
  }

  std::shared_ptr<Pending> ask() {
    request_.wait =
        away_ ? Duration{0} : std::clamp<Duration>(end_ - steady_now(), Duration{0}, kWait);
    request_.limit =
        count_ == 0 ? kPage
                    : static_cast<std::uint32_t>(std::min<std::uint64_t>(kPage, count_ - taken_));
    return client_.begin(kJournal, kRead, request_, request_.wait + (away_ ? 1s : 3s));
  }

  /// Its lines that are new, and from then on the line behind them is asked for.
  std::span<const api::LogLine> take(const api::ReadReply& page) {
    std::span<const api::LogLine> lines = page.lines;
    while (!lines.empty() && lines.front().line < request_.from) lines = lines.subspan(1);
    taken_ += static_cast<std::uint64_t>(std::count_if(
        lines.begin(), lines.end(), [](auto& line) { return !stands_for_others(line); }));
    if (!lines.empty()) request_.from = lines.back().line + 1;
    request_.from = std::max(request_.from, page.next);
    return lines;
  }

  void gone(const Error& error) {
    if (!away_) {
      context_.err << "tidemark: the journal is away (" << error.message << "); waiting"
                   << std::endl;
    }
    away_ = true;
    std::this_thread::sleep_for(kRetry);
    [[maybe_unused]] const auto known = client_.refresh(1s);  // The registry may be away too.
  }

  void back(const api::ReadReply& page) {
    if (away_) context_.err << "tidemark: the journal is back" << std::endl;
    away_ = false;
    if (page.last_line + 1 >= request_.from || warned_) return;
    warned_ = true;
    context_.err << "tidemark: the journal ends at line " << page.last_line << ", before line "
                 << request_.from - 1 << " that was seen: is it another one?" << std::endl;
  }

  Context& context_;
  Client& client_;
  api::ReadRequest request_;
  const std::uint64_t count_;
  const SteadyTime end_;
  std::uint64_t taken_ = 0;  // lines
  bool away_ = false;
  bool warned_ = false;
};

Exit follow_log(Context& context, Client& client, api::ReadRequest request,
                const FollowOptions& options) {
  const auto completed = complete(context, client, options.filter, request);
  if (!completed) return context.report(completed.error());
  if (request.from == 0) {
    api::ReadRequest newest;
    newest.newest_first = true;
    newest.from = 0;
    newest.limit = 1;
    const auto page = read(client, newest, context.budget(kReadBudget));
    if (!page) return context.report(page.error());
    // With --since, what was from then on comes first.
    request.from = request.since ? 1 : page.value().last_line + 1;
  }
  return Follower(context, client, std::move(request), options).run();
}

Exit start_follow(Context& context, const FollowOptions& options) {
  auto request = read_request(options.filter, context.now());
  if (!request) return context.report(request.error());
  const auto from = parse_beginning("--from", options.from, context.now());
  if (!from) return context.report(from.error());
  return with_client(context, [&](Client& client) {
    const auto found = find_beginning(context, client, from.value());
    if (!found) return context.report(found.error());
    request.value().from = found.value().line;  // 0: now
    if (found.value().time) {
      request.value().from = 1;
      request.value().since = std::max(found.value().time, request.value().since);
    }
    return follow_log(context, client, request.value(), options);
  });
}

// ---- options ------------------------------------------------------------------------------------

void add_line_show(Command log, Context& context) {
  auto lines = std::make_shared<std::string>();
  auto command =
      add_command(log, context, "show",
                  {"Show a line of the journal, or a range",
                   "One line is shown with all that is known of it. Exits with 1 when "
                   "the journal does not have it.",
                   "  tidemark log show 184223\n  tidemark log show 184200..184223"},
                  [&context, lines] {
                    const auto range = parse_lines(*lines);
                    if (!range) return context.report(range.error());
                    return with_client(context, [&](Client& client) {
                      return show_lines(context, client, range.value().first, range.value().second);
                    });
                  });
  command.add_option("LINE", *lines, "Line number, or first..last").required();
  add_journal(command, context);
}

void add_query(Command log, Context& context) {
  auto options = std::make_shared<QueryOptions>();
  auto command = add_command(
      log, context, "query",
      {"Search the journal, newest first",
       "All filters must match. Times are those at which the journal recorded the line. " +
           std::string(kMomentHelp),
       "  tidemark log query --kind PutIntended,PutConfirmed --since 10m\n"
       "  tidemark log query --since @184223 --oldest-first\n"
       "  tidemark log query --level warning --subject 'QUAD:*' --limit 20\n"
       "  tidemark log query --in 'shot 4711' --regex 'interlock (opened|closed)'\n"
       "  tidemark log query --kind MarkBegin --field data.shot=4711 --field who=anna\n"
       "  tidemark log query --level warning --since yesterday --limit 0 --csv > warnings.csv"},
      [&context, options] { return query(context, *options); });
  add_filter_options(command, options->filter);
  command.add_option("--limit", options->limit, "At most so many lines (default: 50; 0: all)");
  command.add_flag("--oldest-first", options->oldest_first, "From the beginning");
  add_csv(command, options->csv);
  add_journal(command, context);
}

void add_follow(Command log, Context& context) {
  auto options = std::make_shared<FollowOptions>();
  auto command = add_command(
      log, context, "follow",
      {"Show lines of the journal as they are written",
       "Until Ctrl-C, --count lines or --for a time. When the journal restarts it goes on where "
       "it was: no line is lost, none is shown twice; standard error says when the journal is "
       "away and back. " +
           std::string(kMomentHelp),
       "  tidemark log follow --level warning --origin keeper\n"
       "  tidemark log follow --from 184200 --kind PvUpdate --json"},
      [&context, options] { return start_follow(context, *options); });
  add_filter_options(command, options->filter);
  command.add_option("--from", options->from, "First line, a moment or a mark (default: now)")
      .type_name("LINE|MOMENT");
  command.add_option("--count", options->count, "End after so many lines");
  add_duration(command, "--for", options->period, "End after this time");
}

}  // namespace

void add_log_commands(Command app, Context& context) {
  auto log = add_group(app, "log",
                       {"Show, search, follow, export the journal; write into it",
                        "Everything that happens is a line of the journal, with a number that is "
                        "never used again.",
                        "  tidemark log query --since 10m\n  tidemark log follow"});
  add_line_show(log, context);
  add_query(log, context);
  add_follow(log, context);
  add_mark_commands(log, context);
  add_log_write_command(log, context);
  add_log_export_command(log, context);
  add_log_import_command(log, context);
}

}  // namespace tidemark::tools
