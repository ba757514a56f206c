// tools/cmd_log_import.cpp
//
// log import: lines of other journals into this one. First all files are read to the end, and
// nothing is imported when a line is broken; then file by file, the oldest first.

#include <algorithm>
#include <ostream>

#include "tools/commands.h"
#include "tools/import_file.h"
#include "tools/import_plan.h"
#include "tools/interrupt.h"
#include "tools/progress.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

constexpr auto kImportBudget = 30s;
constexpr std::uint64_t kComplaintsMax = 20;  // shown; the rest is counted
constexpr std::uint32_t bit(model::RecordKind kind) {
  return 1u << static_cast<std::uint32_t>(kind);
}
constexpr std::uint32_t kImportedKinds = bit(model::RecordKind::kLogMessage) |
                                         bit(model::RecordKind::kMarkBegin) |
                                         bit(model::RecordKind::kMarkEnd);

struct LogImportOptions {
  std::vector<std::string> files;
  bool skip_bad = false;
  bool dry_run = false;
};

struct Counts {
  FileCount read;
  std::uint64_t messages = 0;
  std::uint64_t marks = 0;  // ends of them
  std::uint64_t there = 0;  // in the journal already
  std::uint64_t twice = 0;  // in the files
};

class Import {
 public:
  Import(Context& context, Client& client, const LogImportOptions& options)
      : context_(context), client_(client), options_(options) {}

  Exit run() {
    const auto checked = check();
    if (!checked) return context_.report(checked.error());
    if (counts_.read.bad > 0 && !options_.skip_bad) {
      const auto rest = counts_.read.bad - std::min(counts_.read.bad, kComplaintsMax);
      if (rest > 0) context_.err << "tidemark: and " << rest << " more broken lines\n";
      return context_.report({Code::kInvalidArgument, std::to_string(counts_.read.bad) +
                                                          " broken lines; nothing was imported "
                                                          "(--skip-bad: leave them out)"});
    }
    const Interrupt interrupt;
    for (const auto& file : files_) {
      const auto imported = import(file.name);
      if (!imported) return context_.report(imported.error());
    }
    say();
    return Exit::kFine;
  }

 private:
  struct File {
    std::string name;
    std::uint64_t first = ~std::uint64_t{0};  // the least number in it
    std::uint64_t lines = 0;
  };

  Result<Unit> check() {
    const auto ipi = make_ipi_reader();
    for (const auto& name : options_.files) {
      File file{name};
      const auto read = read_import_file(
          name, *ipi,
          [&](const ImportedLine& line) { file.first = std::min(file.first, line.sequence); },
          [&](const std::string& what) {
            if (++complaints_ <= kComplaintsMax) context_.err << "tidemark: " << what << "\n";
          });
      if (!read) return read.error();
      counts_.read.lines += read.value().lines;
      counts_.read.left_out += read.value().left_out;
      counts_.read.bad += read.value().bad;
      file.lines = read.value().lines;
      files_.push_back(file);
    }
    std::stable_sort(files_.begin(), files_.end(),
                     [](const File& a, const File& b) { return a.first < b.first; });
    return Unit{};
  }

  Result<Unit> import(const std::string& file) {
    std::vector<ImportedLine> lines;
    const auto read = read_import_file(
        file, *ipi_, [&](ImportedLine line) { lines.push_back(std::move(line)); },
        [](const std::string&) {});
    if (!read) return read.error();
    counts_.twice += put_in_order(lines);
    const auto learned = learn(lines);
    if (!learned) return learned.error();
    std::map<Uuid, std::uint64_t> after;
    for (const auto& [origin, has] : known_) after[origin] = has.through;
    const auto there = leave_new(lines, known_);
    if (!there) return Error{there.error().code, file + ": " + there.error().message};
    counts_.there += there.value();
    for (const auto& line : lines) {
      const bool message = std::holds_alternative<model::LogMessage>(line.record);
      ++(message ? counts_.messages : counts_.marks);
    }
    if (options_.dry_run) return Unit{};
    for (const auto& request : requests_of(lines, after)) {
      if (Interrupt::came()) {
        return Error{Code::kCancelled,
                     "interrupted; what was imported stays, and importing again "
                     "goes on from there"};
      }
      const auto stored = client_.ask<api::AppendReply>("journal", "journal.append", request,
                                                        context_.budget(kImportBudget));
      if (!stored) return stored.error();
      for (const auto& section : request.sections) stored_ += section.count;
      show();
    }
    return Unit{};
  }

  /// How far the journal has these origins; and when it has some of these lines, or later ones,
  /// which lines it has.
  Result<Unit> learn(const std::vector<ImportedLine>& lines) {
    bool some_may_be_there = false;
    for (const auto& line : lines) {
      if (!known_.contains(line.origin)) {
        for (int level = 0; level <= kLateMax; ++level) {
          const auto through = ask_through(origin_at(line.origin, level), line.node);
          if (!through) return through.error();
          known_[origin_at(line.origin, level)].through = through.value();
          if (through.value() == 0) break;
          numbers_read_ = false;
        }
      }
      some_may_be_there = some_may_be_there || line.sequence <= known_[line.origin].through;
    }
    if (!some_may_be_there || numbers_read_) return Unit{};
    return read_numbers();
  }

  Result<std::uint64_t> ask_through(const Uuid& origin, const std::string& node) {
    api::AppendRequest request;
    request.origin = origin;
    request.node = node;
    request.incarnation = 1;
    request.sparse = request.complete = true;
    const auto reply = client_.ask<api::AppendReply>("journal", "journal.append", request,
                                                     context_.budget(kImportBudget));
    if (!reply) return reply.error();
    return reply.value().through;
  }

  Result<Unit> read_numbers() {
    std::map<std::string, Uuid> wanted;
    for (const auto& [origin, has] : known_) {
      if (has.through > 0) wanted[origin.text()] = origin;
    }
    api::ReadRequest request;
    request.kinds = kImportedKinds;
    request.limit = api::ReadRequest::kReadLinesMax;
    while (true) {
      const auto page = client_.ask<api::ReadReply>("journal", "journal.read", request,
                                                    context_.budget(kImportBudget));
      if (!page) return page.error();
      for (const auto& line : page.value().lines) {
        const auto origin = wanted.find(line.origin);
        if (origin != wanted.end()) known_[origin->second].numbers.push_back(line.sequence);
      }
      if (page.value().end || page.value().next <= request.from) break;
      request.from = page.value().next;
    }
    for (auto& [origin, has] : known_) {
      auto& all = has.numbers;
      std::sort(all.begin(), all.end());
      all.erase(std::unique(all.begin(), all.end()), all.end());
    }
    numbers_read_ = true;
    return Unit{};
  }

  void show() {
    model::Job job;
    job.type = "import";
    job.total = static_cast<std::uint32_t>(counts_.read.lines);
    job.done = static_cast<std::uint32_t>(stored_ + counts_.there);
    progress_.show(job, steady_now());
  }

  void say() {
    const auto imported = counts_.messages + counts_.marks;
    if (context_.json) {
      context_.print({{"files", files_.size()},
                      {"lines", counts_.read.lines},
                      {"imported", imported},
                      {"messages", counts_.messages},
                      {"mark_ends", counts_.marks},
                      {"there_already", counts_.there},
                      {"twice", counts_.twice},
                      {"left_out", counts_.read.left_out},
                      {"bad", counts_.read.bad},
                      {"dry_run", options_.dry_run}});
      return;
    }
    auto& out = context_.out;
    out << (options_.dry_run ? "would import " : "imported ") << imported << " of "
        << counts_.read.lines << " lines: " << counts_.messages << " messages, " << counts_.marks
        << " begins and ends of marks\n";
    const auto also = [&](std::uint64_t count, const char* what) {
      if (count > 0) out << count << " " << what << "\n";
    };
    also(counts_.there, "were there already");
    also(counts_.twice, "are in the files twice");
    also(counts_.read.left_out, "left out: values of PVs are this machine's own");
    also(counts_.read.bad, "broken lines left out");
  }

  Context& context_;
  Client& client_;
  const LogImportOptions& options_;
  Progress progress_{context_.err, context_.err_terminal, context_.columns};
  const std::unique_ptr<LineReader> ipi_ = make_ipi_reader();
  std::vector<File> files_;
  Counts counts_;
  std::uint64_t complaints_ = 0;
  std::uint64_t stored_ = 0;
  KnownOrigins known_;
  bool numbers_read_ = false;
};

}  // namespace

void add_log_import_command(Command log, Context& context) {
  auto options = std::make_shared<LogImportOptions>();
  auto command = add_command(
      log, context, "import",
      {"Take in lines of other journals",
       "Reads segments of an ipi-ecs journal (NDJSON v1), and exports of `log export`. Messages "
       "stay messages, begins and ends of events become marks, and all keep their times. A file "
       "that is imported again stores nothing twice. Broken lines are named, and then nothing is "
       "imported, unless with --skip-bad.",
       "  tidemark log import segments/*.ndjson --dry-run\n"
       "  tidemark log import segments/*.ndjson --skip-bad\n"
       "  tidemark log import other-site.ndjson --json"},
      [&context, options] {
        return with_client(context,
                           [&](Client& client) { return Import(context, client, *options).run(); });
      });
  command.add_option("FILE", options->files, "What to read").required();
  command.add_flag("--skip-bad", options->skip_bad, "Leave out broken lines");
  command.add_flag("--dry-run", options->dry_run, "Only say what would be imported");
}

}  // namespace tidemark::tools
