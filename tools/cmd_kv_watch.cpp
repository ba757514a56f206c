// tools/cmd_kv_watch.cpp
//
// kv watch: the value now, then every change, until enough. The library follows; each line is
// printed in its callback, so a slow terminal gets fewer, newer values, and the library counts
// those that it left out. With --durable it follows the journal instead, and leaves out none.

#include <atomic>
#include <map>
#include <ostream>

#include "base/glob.h"
#include "tools/commands.h"
#include "tools/finish.h"
#include "tools/interrupt.h"
#include "tools/join.h"
#include "tools/key_show.h"
#include "tools/log_filter.h"
#include "tools/moment.h"
#include "tools/offers.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;

struct KeyWatchOptions {
  std::vector<std::string> patterns;
  bool all = false;
  bool durable = false;
  std::string from = "now";
  std::uint64_t count = 0;  // lines; 0: no end
  Duration period{0};       // 0: no end
};

/// Threads: take() and hear() on the library's callback thread.
class KeyWatch {
 public:
  KeyWatch(Context& context, tidemark::Client& site, std::uint64_t lines_max)
      : context_(context), site_(site), lines_max_(lines_max) {}

  void take(const Update<Value>& update) {
    if (finish_.is_enough()) return;
    if (context_.json) {
      print_json(update);
    } else {
      print_text(update);
    }
    context_.out.flush();
    ++lines_;
    if ((lines_max_ > 0 && lines_ >= lines_max_) || !context_.out) finish_.enough();
  }

  /// What is wrong with a durable watch. What it cannot go on with ends the command.
  void hear(const Error& problem) {
    const bool goes_on = problem.code == Code::kRefused || problem.code == Code::kUnavailable ||
                         problem.code == Code::kConflict || problem.code == Code::kNotFound;
    if (goes_on) {
      context_.err << "tidemark: " << printable(problem.message) << std::endl;
      return;
    }
    failure_ = problem;
    finish_.enough();
  }

  Finish& finish() { return finish_; }
  /// Once no callback runs any more.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  void print_json(const Update<Value>& update) {
    Json json = {{"key", update.key}, {"unit", unit_of(update.key)}};
    json.update(update_json(
        {0, update.sequence, update.time, update.quality, update.writer, update.value}));
    json["missed"] = update.missed;
    if (update.line > 0) json["line"] = update.line;
    context_.print(json);
  }

  void print_text(const Update<Value>& update) {
    const bool colored = context_.color();
    auto text = printable(key_value_text(update.value));
    const auto unit = unit_of(update.key);
    if (!unit.empty()) text += " " + printable(unit);
    auto& out = context_.out;
    const auto color = quality_color(update.quality);
    out << time_text(update.time) << "  " << printable(update.key) << "  "
        << paint(text, color, colored);
    if (update.quality != Quality::kGood) {
      out << "  " << paint(to_string(update.quality), color, colored);
    }
    if (!update.writer.empty()) out << "  by " << printable(update.writer);
    if (update.missed > 0) out << "  (" << update.missed << " missed)";
    if (update.line > 0) out << "  line " << update.line;
    out << "\n";
  }

  /// Looked up when a key is first seen: a surface may be large.
  const std::string& unit_of(const std::string& key) {
    const auto known = units_.find(key);
    if (known != units_.end()) return known->second;
    for (const auto& peer : site_.peers()) {
      for (const auto& spec : peer.surface.keys) units_[peer.name + "/" + spec.name] = spec.unit;
    }
    return units_[key];
  }

  Context& context_;
  tidemark::Client& site_;
  const std::uint64_t lines_max_;
  std::map<std::string, std::string> units_;
  std::uint64_t lines_ = 0;
  std::optional<Error> failure_;
  Finish finish_;
};

/// What will not be seen at once; it may come. The journal has also what is not published.
void say_what_is_missing(const Context& context, const std::vector<Offer>& offers,
                         const std::vector<std::string>& patterns, bool durable) {
  const auto say = [&](const std::string& what) {
    context.err << "tidemark: " << printable(what) << "; waiting for it" << std::endl;
  };
  for (const auto& pattern : patterns) {
    const auto keys = find_keys(offers, pattern);
    if (keys.empty()) {
      const auto found = find_key(offers, pattern);
      const bool named = !is_glob(pattern) && pattern.find('/') != std::string::npos;
      say(named && !found ? found.error().message : "no key matches '" + pattern + "'");
    }
    for (const auto& key : keys) {
      if (!key.spec().published && !durable) {
        say(key.name() + " is not published: it can only be read");
      } else if (key.offer->gone()) {
        say(key.name() + " is " + std::string(bus::to_string(key.offer->node.state)));
      }
    }
  }
}

Exit watch_keys(Context& context, Client& client, const KeyWatchOptions& options) {
  const auto beginning = parse_beginning("--from", options.from, context.now());
  if (!beginning) return context.report(beginning.error());
  const auto from = find_beginning(context, client, beginning.value());
  if (!from) return context.report(from.error());
  const Interrupt interrupt;
  const auto joined = join(client, context.budget(5s));
  if (!joined) return context.report(joined.error());
  auto& site = *joined.value();
  say_what_is_missing(context, offers_of(client.directory()), options.patterns, options.durable);

  KeyWatch shown(context, site, options.count);
  const auto policy = options.all ? Policy::kAll : Policy::kLatest;
  std::vector<Subscription> subscriptions;
  const auto take = [&](const Update<Value>& update) { shown.take(update); };
  const Durable durable{from.value().line, from.value().time,
                        [&](const Error& problem) { shown.hear(problem); }};
  for (const auto& pattern : options.patterns) {
    subscriptions.push_back(options.durable ? site.subscribe(pattern, take, durable)
                                            : site.subscribe(pattern, take, policy));
  }
  shown.finish().wait(options.period > Duration{0} ? steady_now() + options.period
                                                   : SteadyTime::max());
  subscriptions.clear();
  site.stop(Duration{0});  // A callback may still be printing.
  return shown.failure() ? context.report(*shown.failure()) : Exit::kFine;
}

}  // namespace

void add_kv_watch_command(Command kv, Context& context) {
  auto options = std::make_shared<KeyWatchOptions>();
  auto command = add_command(
      kv, context, "watch",
      {"Show keys now and as they change",
       "One line for each change, until Ctrl-C, --count lines or --for a time. A terminal that is "
       "too slow gets the newest values, and \"missed\" says how many were left out; with --all "
       "every change waits for it. A key need not be there yet; when its owner goes, its last "
       "value is shown as disconnected.\n\n"
       "--durable shows what the journal recorded instead, each change once and in order, with "
       "its line, and goes on where it was when the journal restarts. Standard error says which "
       "keys are not journaled. " +
           std::string(kMomentHelp),
       "  tidemark kv watch psu.1/current\n"
       "  tidemark kv watch 'psu.*/current' --all --for 5s --json\n"
       "  tidemark kv watch 'psu.*/current' --durable --from 184223"},
      [&context, options] {
        return with_client(context,
                           [&](Client& client) { return watch_keys(context, client, *options); });
      });
  command.add_option("PATTERN", options->patterns, "Keys or patterns").required();
  auto all = command.add_flag("--all", options->all, "Every change, not only the newest");
  auto durable = command.add_flag("--durable", options->durable,
                                  "Every change that the journal recorded, with its line");
  durable.excludes(all);
  command
      .add_option("--from", options->from,
                  "With --durable: the first line, a moment or a mark (default: now)")
      .type_name("LINE|MOMENT")
      .needs(durable);
  command.add_option("--count", options->count, "End after so many lines");
  add_duration(command, "--for", options->period, "End after this time");
}

}  // namespace tidemark::tools
