#include "tools/past.h"

#include <algorithm>
#include <cstdio>
#include <ostream>

#include "base/glob.h"
#include "tools/commands.h"
#include "tools/marks.h"
#include "tools/pv_hint.h"
#include "tools/show.h"

namespace tidemark::tools {

namespace api = model::api;

Result<api::MomentReply> resolve(const Context& context, Client& client,
                                 const api::Moment& moment) {
  auto found = client.ask<api::MomentReply>("journal", "journal.moment", moment,
                                            context.budget(kPastBudget));
  if (found || found.error().code != Code::kNotFound || moment.mark.empty()) return found;
  return Error{Code::kNotFound, found.error().message + mark_hint(client, moment.mark)};
}

Result<UtcTime> time_of(const Context& context, Client& client, const std::string& option,
                        const api::Moment& moment) {
  if (moment.line == 0 && moment.mark.empty()) return moment.time.value_or(context.now());
  const auto found = resolve(context, client, moment);
  if (found) return found.value().recorded_at;
  return Error{found.error().code, option + ": " + found.error().message};
}

api::Moment exactly(const api::Moment& asked, const api::MomentReply& found,
                    const std::optional<Duration>& lateness) {
  if (lateness && asked.time) return asked;
  // Line 0 is before everything, and as a question it would mean now.
  return found.line == 0 ? asked : api::Moment{found.line, std::nullopt};
}

std::string moment_text(const api::MomentReply& moment) {
  if (moment.line == 0) return "before the first line";
  return "line " + std::to_string(moment.line) + ", " + time_text(moment.recorded_at);
}

std::string moment_text(const api::MomentReply& moment,
                        const std::optional<api::SourceMoment>& source) {
  if (!source) return moment_text(moment);
  auto text = time_text(source->at) + " " + rule_text(source->lateness) + ": line " +
              std::to_string(source->certain);
  if (source->last > source->certain) {
    text += ", and what was taken by then up to line " + std::to_string(source->last);
  }
  return text;
}

Unknown::Unknown(const std::vector<std::string>& patterns) {
  std::copy_if(patterns.begin(), patterns.end(), std::back_inserter(unmatched_),
               [](const std::string& pattern) { return is_glob(pattern); });
}

void Unknown::saw(const std::string& address) {
  std::erase_if(unmatched_,
                [&](const std::string& pattern) { return glob_match(pattern, address); });
}

bool Unknown::report(const Context& context, Client& client,
                     const std::vector<std::string>& never) const {
  for (const auto& pattern : unmatched_) {
    context.err << "tidemark: no PV matches '" << printable(pattern) << "'\n";
  }
  if (!never.empty()) {
    context.err << "tidemark: " << never.size()
                << (never.size() == 1 ? " address is" : " addresses are") << " unknown:";
    for (const auto& address : never) context.err << " " << printable(address);
    // Of many it would take as many questions.
    if (never.size() == 1) context.err << pv_hint(client, never.front());
    context.err << "\n";
  }
  return !unmatched_.empty() || !never.empty();
}

void add_clock(Command command, Clock& clock) {
  command
      .add_option(
          "--by", clock.by,
          "Times are those of: journal-time (default), when it was recorded; ioc-time, what "
          "the IOC says")
      .one_of({"journal-time", "ioc-time"});
  add_duration(command, "--lateness", clock.lateness,
               "How far an IOC's clock is trusted, and how late its updates may be recorded "
               "(default: 2s)");
}

Result<std::optional<Duration>> lateness_of(const Clock& clock) {
  if (clock.by == "ioc-time") {
    return std::optional(clock.lateness < Duration{0} ? api::kLateness : clock.lateness);
  }
  if (clock.lateness < Duration{0}) return std::optional<Duration>{};
  return Error{Code::kInvalidArgument, "--lateness is for --by ioc-time"};
}

std::string rule_text(Duration lateness) {
  char text[64];
  std::snprintf(text, sizeof text, "by IOC time, clocks trusted within %g s",
                std::chrono::duration<double>(lateness).count());
  return text;
}

void add_rule(Json& json, const std::optional<Duration>& lateness) {
  if (!lateness) return;
  json["by"] = "ioc-time";
  json["lateness"] = std::chrono::duration<double>(*lateness).count();
}

Option add_csv(Command command, bool& csv) {
  return command.add_flag("--csv", csv, "Comma-separated values, with a line of titles");
}

Result<Unit> csv_or_json(const Context& context, bool csv) {
  if (!csv || !context.json) return Unit{};
  return Error{Code::kInvalidArgument, "--csv and --json are two forms of output: use one"};
}

}  // namespace tidemark::tools
