// tools/cmd_job.cpp
//
// tag list, job list, job show, job cancel.

#include <algorithm>
#include <ostream>

#include "model/api/keeper.h"
#include "model/api/node.h"
#include "tools/commands.h"
#include "tools/documents.h"
#include "tools/jobs.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

constexpr auto kJobBudget = 5s;

// ---- tags ---------------------------------------------------------------------------------------

Exit list_tags(Context& context, Client& client) {
  const auto reply =
      client.ask<api::Tags>("keeper", "keeper.tags", api::Empty{}, context.budget(kJobBudget));
  if (!reply) return context.report(reply.error());
  const auto pvs_of = [&](const Uuid& tag) -> std::uint32_t {
    for (const auto& [id, count] : reply.value().pv_counts) {
      if (id == tag) return count;
    }
    return 0;
  };
  auto documents = Json::array();
  Table table({{"TAG"}, {"PVS", true, false}, {"DESCRIPTION"}});
  for (const auto& group : reply.value().groups) {
    for (const auto& tag : group.tags) {
      const auto name = group.name + "/" + tag.name;
      const auto pvs = pvs_of(tag.id);
      documents.push_back({{"id", tag.id.text()},
                           {"group", group.name},
                           {"tag", tag.name},
                           {"name", name},
                           {"description", tag.description},
                           {"pvs", pvs}});
      table.add({name, std::to_string(pvs), tag.description});
    }
  }
  if (context.json) {
    context.print(documents);
  } else if (table.empty()) {
    context.err << "no tags\n";
  } else {
    table.print(context.out, context.columns, context.color());
  }
  return Exit::kFine;
}

// ---- jobs ---------------------------------------------------------------------------------------

Exit list_jobs(Context& context, Client& client, std::uint32_t limit) {
  const auto reply = client.ask<api::JobList>("keeper", "keeper.jobs", api::JobsQuery{limit},
                                              context.budget(kJobBudget));
  if (!reply) return context.report(reply.error());
  if (context.json) {
    auto documents = Json::array();
    for (const auto& job : reply.value().jobs) documents.push_back(job_json(job));
    context.print(documents);
    return Exit::kFine;
  }
  Table table({{"ID", false, false},
               {"TYPE", false, false},
               {"TITLE"},
               {"STATE", false, false},
               {"DONE", true, false},
               {"CREATED", false, false},
               {"USER"},
               {"MESSAGE"}});
  for (const auto& job : reply.value().jobs) {
    const bool bad =
        job.state >= model::JobState::kPartial && job.state != model::JobState::kCancelled;
    table.add({short_id(job.id),
               job.type,
               job.title,
               {model::to_string(job.state), bad ? Color::kRed : Color::kNone},
               std::to_string(job.done) + "/" + std::to_string(job.total),
               time_text(job.created_at, 0),
               job.user,
               job.error.empty() ? job.message : job.error});
  }
  if (table.empty()) {
    context.err << "no jobs\n";
  } else {
    table.print(context.out, context.columns, context.color());
  }
  return Exit::kFine;
}

/// A whole id, or the first part of one that only one job has.
Result<Uuid> find_job(Context& context, Client& client, const std::string& text) {
  if (const auto whole = Uuid::parse(text)) return *whole;
  constexpr std::uint32_t kJobsMax = 10'000;
  const auto reply = client.ask<api::JobList>("keeper", "keeper.jobs", api::JobsQuery{kJobsMax},
                                              context.budget(kJobBudget));
  if (!reply) return reply.error();
  std::vector<Uuid> found;
  for (const auto& job : reply.value().jobs) {
    if (job.id.text().starts_with(text)) found.push_back(job.id);
  }
  if (found.size() == 1) return found.front();
  return Error{Code::kNotFound,
               (found.empty() ? "no job '" : "more than one job begins with '") + text + "'"};
}

/// `method` is keeper.job or keeper.job_cancel.
Exit ask_job(Context& context, Client& client, const std::string& text, const std::string& method) {
  const auto id = find_job(context, client, text);
  if (!id) return context.report(id.error());
  const auto job =
      client.ask<model::Job>("keeper", method, api::JobQuery{id.value(), Duration{0}, context.user},
                             context.budget(kJobBudget));
  if (!job) return context.report(job.error());
  if (context.json) {
    context.print(job_json(job.value()));
  } else {
    print_job(context, job.value());
  }
  return Exit::kFine;
}

void add_job_command(Command group, Context& context, const std::string& name,
                     const std::string& method, Help help) {
  auto id = std::make_shared<std::string>();
  auto command = add_command(group, context, name, std::move(help), [&context, id, method] {
    return with_client(context,
                       [&](Client& client) { return ask_job(context, client, *id, method); });
  });
  command.add_option("ID", *id, "Id of the job, or the first part of one").required();
}

}  // namespace

void add_job_commands(Command app, Context& context) {
  auto tag = add_group(
      app, "tag",
      {"List tags", "Tags stand in groups, written group/tag. They come with `pv import`.",
       "  tidemark tag list"});
  add_command(tag, context, "list",
              {"List tags and how many PVs have them", "All groups, by name.",
               "  tidemark tag list --json"},
              [&context] {
                return with_client(context,
                                   [&](Client& client) { return list_tags(context, client); });
              });

  auto job = add_group(app, "job",
                       {"List, show and cancel jobs",
                        "Snapshots, restores and writes are jobs: they are kept, with what "
                        "became of them, when the command that asked has long gone.",
                        "  tidemark job list\n  tidemark job cancel 7d1b00aa"});
  auto limit = std::make_shared<std::uint32_t>(30);
  auto list = add_command(job, context, "list",
                          {"List jobs, newest first", "Who asked, how far it is, how it ended.",
                           "  tidemark job list --limit 10"},
                          [&context, limit] {
                            return with_client(context, [&](Client& client) {
                              return list_jobs(context, client, *limit);
                            });
                          });
  list.add_option("--limit", *limit, "At most so many (default: 30)");
  add_job_command(job, context, "show", "keeper.job",
                  {"Show a job, and of a restore what was not confirmed",
                   "Exits with 0 whatever became of the job: the answer is in the output.",
                   "  tidemark job show 7d1b00aa"});
  add_job_command(
      job, context, "cancel", "keeper.job_cancel",
      {"Stop a job", "What a restore has sent is awaited, what it has not sent is not written.",
       "  tidemark job cancel 7d1b00aa"});
}

}  // namespace tidemark::tools
