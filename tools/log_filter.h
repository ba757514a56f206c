// tools/log_filter.h
//
// Which lines of the journal: the filters that `log query`, `follow`, `export` and `browse` share,
// from options to a request; and a line as people read it.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/api/journal.h"
#include "model/api/past.h"
#include "tools/command_line.h"
#include "tools/context.h"
#include "tools/table.h"

namespace tidemark::tools {

struct LogFilter {
  std::vector<std::string> kinds;  // each may be a list: "PutIntended,PutConfirmed"
  std::string level;
  std::string subject;
  std::string text;
  std::string regex;
  std::vector<std::string> fields;  // "data.shot=4711"
  std::string origin;
  std::string mark;  // only inside of it: its name, or its id
  std::string since;
  std::string until;
};

/// What --since and --until say, when they say something.
struct FilterEnds {
  std::optional<model::api::Moment> since;
  std::optional<model::api::Moment> until;
};
/// Lines, both included. An end that is a time is none of a line.
struct LineSpan {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;  // 0: before every line
};

void add_filter_options(Command command, LogFilter& filter);

/// Errors: kInvalidArgument, naming the option and what it takes.
Result<FilterEnds> ends_of(const LogFilter& filter, UtcTime now);
/// Without what only the journal knows: the filter's mark, and the ends that are no times.
/// Errors: kInvalidArgument, naming the option and what it takes.
Result<model::api::ReadRequest> read_request(const LogFilter& filter, UtcTime now);

/// Puts the rest into the request, which says already from where and which way it reads: the mark
/// by its id and marks at the ends by their lines, since between two reads there may come newer
/// ones of that name. Errors: as find_mark() and resolve().
Result<Unit> complete(const Context& context, Client& client, const LogFilter& filter,
                      model::api::ReadRequest& request);
/// Of what the request reads, only lines of `span`.
void keep_within(const LineSpan& span, model::api::ReadRequest& request);

/// Where following begins: a line, with or without @, that is shown itself, a moment, or a mark.
/// Nothing of these: now. Errors: kInvalidArgument, naming `option`.
Result<model::api::Moment> parse_beginning(std::string_view option, std::string_view text,
                                           UtcTime now);
/// The same with the line of its mark, if it is one. Errors: as journal.moment.
Result<model::api::Moment> find_beginning(const Context& context, Client& client,
                                          const model::api::Moment& parsed);

/// "12..40", "12", "@12": both ends included. Errors: kInvalidArgument.
Result<std::pair<std::uint64_t, std::uint64_t>> parse_lines(std::string_view text);

Color level_color(model::Level level);

void print_line(const Context& context, const model::api::LogLine& line);

}  // namespace tidemark::tools
