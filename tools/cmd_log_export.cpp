// tools/cmd_log_export.cpp
//
// log export: lines of the journal into a file or a pipe, whole, page by page, so that neither the
// journal nor this command holds all of it. The number of the last line written is all there is to
// remember, so an export that was cut goes on from there.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "tools/commands.h"
#include "tools/documents.h"
#include "tools/export_format.h"
#include "tools/interrupt.h"
#include "tools/line_csv.h"
#include "tools/log_filter.h"
#include "tools/moment.h"
#include "tools/past.h"
#include "tools/progress.h"
#include "tools/typed_json.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;

struct ExportOptions {
  LogFilter filter;
  std::string from;
  std::string to = "now";
  std::string format = "ndjson";
  std::string file;  // empty: standard output
  bool resume = false;
};

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class Exporter {
 public:
  Exporter(Context& context, Client& client, const ExportOptions& options, std::ostream& out)
      : context_(context), client_(client), csv_(options.format == "csv"), out_(out) {}

  void titles() {
    if (csv_) {
      print_line_titles(out_);
      return;
    }
    const auto journal = client_.node("journal");
    out_ << dump({{"format", kExportFormat},
                  {"v", kExportVersion},
                  {"journal", journal ? journal->uuid.text() : ""},
                  {"exported_at", to_iso(context_.now(), 9)}})
         << "\n";
  }

  Exit run(api::ReadRequest request) {
    const Interrupt interrupt;
    Progress progress(context_.err, context_.err_terminal, context_.columns);
    const auto first = request.from;
    request.limit = api::ReadRequest::kReadLinesMax;
    while (request.from <= request.to && out_ && !Interrupt::came()) {
      const auto page = client_.ask<api::ReadReply>("journal", "journal.read", request,
                                                    context_.budget(kPastBudget));
      if (!page) return cut(request.from, page.error());
      for (const auto& line : page.value().lines) print(line);
      const bool stuck = page.value().next <= request.from;
      request.from = page.value().next;
      if (page.value().end || stuck) break;
      show(progress, first, request);
    }
    out_.flush();
    if (!out_) return cut(request.from, {Code::kUnavailable, "cannot write"});
    if (Interrupt::came()) return cut(request.from, {Code::kCancelled, "interrupted"});
    return Exit::kFine;
  }

  std::uint64_t lines() const { return lines_; }

 private:
  void print(const api::LogLine& line) {
    ++lines_;
    if (csv_) return print_line_row(out_, line);
    out_ << dump(line_json(line)) << "\n";
  }
  void show(Progress& progress, std::uint64_t first, const api::ReadRequest& request) {
    constexpr std::uint32_t kParts = 1000;
    model::Job job;
    job.type = "export, thousandths of the journal";
    job.total = kParts;
    job.done = static_cast<std::uint32_t>(static_cast<double>(request.from - first) * kParts /
                                          static_cast<double>(request.to - first + 1));
    job.message = std::to_string(lines_) + " lines";
    progress.show(job, steady_now());
  }
  Exit cut(std::uint64_t next, const Error& error) {
    out_.flush();
    context_.err << "tidemark: the export ends before line " << next << "; to go on: --from @"
                 << next << ", or --resume with a file\n";
    return context_.report(error);
  }

  Context& context_;
  Client& client_;
  const bool csv_;
  std::ostream& out_;
  std::uint64_t lines_ = 0;
};

/// The line to go on from. What was half written at the end of the file is cut off.
Result<std::uint64_t> resume_from(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Error{Code::kNotFound, "cannot read " + file};
  std::string line;
  std::string last;
  std::uintmax_t whole = 0;
  while (std::getline(stream, line) && !stream.eof()) {
    whole += line.size() + 1;
    last.swap(line);
  }
  const auto json = parse_json_line(last);
  if (!json) {
    return Error{Code::kInvalidArgument, file + ": its last line: " + json.error().message};
  }
  if (json.value().value("format", "") == kExportFormat) return std::uint64_t{0};
  const auto number = json.value().find("line");
  if (number == json.value().end() || !number->is_number_unsigned()) {
    return Error{Code::kInvalidArgument, file + " is no export of a journal"};
  }
  std::error_code failed;
  std::filesystem::resize_file(file, whole, failed);
  if (failed) return Error{Code::kUnavailable, "cannot cut " + file + ": " + failed.message()};
  return number->get<std::uint64_t>() + 1;
}

/// From and to, as lines and times.
Result<Unit> set_span(const Context& context, Client& client, const ExportOptions& options,
                      api::ReadRequest& request) {
  if (!options.from.empty()) {
    const auto from = parse_moment("--from", options.from, context.now());
    if (!from) return from.error();
    request.from = std::max<std::uint64_t>(from.value().line, 1);
    const bool is_line = from.value().line != 0 || !from.value().mark.empty();
    const auto time = is_line ? from.value().time : from.value().time.value_or(context.now());
    request.since = std::max(request.since, time);
    if (!from.value().mark.empty()) {
      const auto at = resolve(context, client, from.value());
      if (!at) return Error{at.error().code, "--from: " + at.error().message};
      request.from = std::max<std::uint64_t>(at.value().line, 1);
    }
  }
  const auto to = parse_moment("--to", options.to, context.now());
  if (!to) return to.error();
  const auto at = resolve(context, client, to.value());
  if (!at) return Error{at.error().code, "--to: " + at.error().message};
  request.to = at.value().line;
  return Unit{};
}

Exit export_to_file(Context& context, Client& client, const ExportOptions& options,
                    api::ReadRequest request) {
  if (!options.resume && std::filesystem::exists(options.file)) {
    return context.report({Code::kConflict, options.file + " exists: see --resume"});
  }
  bool begun = false;
  if (options.resume && std::filesystem::exists(options.file)) {
    const auto from = resume_from(options.file);
    if (!from) return context.report(from.error());
    request.from = std::max(request.from, from.value());
    begun = true;
  }
  std::ofstream out(options.file, std::ios::binary | std::ios::app);
  if (!out) return context.report({Code::kUnavailable, "cannot write " + options.file});
  Exporter exporter(context, client, options, out);
  if (!begun) exporter.titles();
  const auto exit = exporter.run(std::move(request));
  context.err << "tidemark: " << exporter.lines() << " lines into " << options.file << "\n";
  return exit;
}

Exit run_export(Context& context, const ExportOptions& options) {
  auto request = read_request(options.filter, context.now());
  if (!request) return context.report(request.error());
  if (options.resume && (options.file.empty() || options.format != "ndjson")) {
    return context.report({Code::kInvalidArgument, "--resume needs --output, and ndjson"});
  }
  return with_client(context, [&](Client& client) {
    const auto spanned = set_span(context, client, options, request.value());
    if (!spanned) return context.report(spanned.error());
    const auto completed = complete(context, client, options.filter, request.value());
    if (!completed) return context.report(completed.error());
    if (!options.file.empty()) {
      return export_to_file(context, client, options, std::move(request).value());
    }
    Exporter exporter(context, client, options, context.out);
    exporter.titles();
    return exporter.run(std::move(request).value());
  });
}

}  // namespace

void add_log_export_command(Command log, Context& context) {
  auto options = std::make_shared<ExportOptions>();
  auto command = add_command(
      log, context, "export",
      {"Write lines of the journal to a file",
       "Oldest first, whole, with every value's type. NDJSON is one JSON document a line; the "
       "first says what it is (docs/cli.md); `log import` reads it. Standard error says how far "
       "it is. An export that was cut goes on with --resume. " +
           std::string(kMomentHelp),
       "  tidemark log export --from 'yesterday 00:00' --to 'today 00:00' -o day.ndjson\n"
       "  tidemark log export -o day.ndjson --resume\n"
       "  tidemark log export --kind LogMessage --level warning --format csv > warnings.csv"},
      [&context, options] { return run_export(context, *options); });
  add_filter_options(command, options->filter);
  command.add_option("--from", options->from, "First line, or from this time on (default: all)")
      .type_name("MOMENT");
  command.add_option("--to", options->to, "Last line, or up to this time (default: now)")
      .type_name("MOMENT");
  command.add_option("--format", options->format, "ndjson (default) or csv")
      .one_of({"ndjson", "csv"});
  command.add_option("-o,--output", options->file, "Into this file (default: standard output)")
      .type_name("FILE");
  command.add_flag("--resume", options->resume, "Go on where the file ends");
  add_journal(command, context);
}

}  // namespace tidemark::tools
