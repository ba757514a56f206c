#include "tools/past.h"

#include <algorithm>
#include <ostream>

#include "base/glob.h"
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

api::Moment exactly(const api::Moment& asked, const api::MomentReply& found) {
  // Line 0 is before everything, and as a question it would mean now.
  return found.line == 0 ? asked : api::Moment{found.line, std::nullopt};
}

std::string moment_text(const api::MomentReply& moment) {
  if (moment.line == 0) return "before the first line";
  return "line " + std::to_string(moment.line) + ", " + time_text(moment.recorded_at);
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

Option add_csv(Command command, bool& csv) {
  return command.add_flag("--csv", csv, "Comma-separated values, with a line of titles");
}

Result<Unit> csv_or_json(const Context& context, bool csv) {
  if (!csv || !context.json) return Unit{};
  return Error{Code::kInvalidArgument, "--csv and --json are two forms of output: use one"};
}

}  // namespace tidemark::tools
