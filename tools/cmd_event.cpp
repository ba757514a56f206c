// tools/cmd_event.cpp
//
// event list, call: what subsystems can be asked to do, and asking them. The library calls and
// gathers; feedback is printed as it comes, in its callbacks.

#include <algorithm>
#include <mutex>
#include <ostream>

#include "base/glob.h"
#include "model/kv/text.h"
#include "tools/commands.h"
#include "tools/finish.h"
#include "tools/interrupt.h"
#include "tools/join.h"
#include "tools/key_show.h"
#include "tools/nearest.h"
#include "tools/offers.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
using State = model::EventTarget::State;

// ---- list ---------------------------------------------------------------------------------------

Exit list_events(Context& context, Client& client, const std::string& pattern) {
  const auto offers = offers_of(client.directory());
  Table table({{"EVENT"}, {"SUBSYSTEM"}, {"ARGUMENT"}, {"DESCRIPTION"}});
  bool any = false;
  for (const auto& name : event_names(offers)) {
    if (!pattern.empty() && !glob_match(pattern, name)) continue;
    any = true;
    for (const auto& offer : offers) {
      const auto* event = offer.gone() ? nullptr : find_event(offer, name);
      if (event == nullptr) continue;
      if (context.json) {
        context.print({{"event", name},
                       {"subsystem", offer.node.name},
                       {"labels", offer.node.labels},
                       {"argument", type_text(event->argument)},
                       {"description", event->description}});
      } else {
        table.add({name, offer.node.name, type_text(event->argument), event->description});
      }
    }
  }
  if (!any && !pattern.empty()) {
    return context.report({Code::kNotFound, "nobody handles '" + printable(pattern) + "'" +
                                                did_you_mean(pattern, event_names(offers))});
  }
  if (!context.json && !table.empty()) table.print(context.out, context.columns, context.color());
  return Exit::kFine;
}

// ---- call ---------------------------------------------------------------------------------------

struct CallOptions {
  std::string event;
  std::string argument;
  bool has_argument = false;
  std::vector<std::string> to;
  std::string label;
  bool everybody = false;
};

/// Who will be asked, for certain: whoever is named and is not there, or does not handle it, is
/// an error before anybody is asked. Of those who are not named, who died without a goodbye is
/// asked, too: the library counts it as lost, and so its silence is no yes.
Result<std::vector<const Offer*>> targets_of(const std::vector<Offer>& offers,
                                             const CallOptions& options) {
  std::vector<const Offer*> targets;
  const auto& event = options.event;
  for (const auto& name : options.to) {
    const auto found = find_subsystem(offers, name);
    if (!found) return found.error();
    const auto& offer = *found.value();
    if (offer.gone()) {
      return Error{Code::kUnavailable, printable(name) + " is " +
                                           std::string(bus::to_string(offer.node.state)) +
                                           " since " + to_iso(offer.node.state_since, 0)};
    }
    if (find_event(offer, event) == nullptr) {
      std::vector<std::string> events;
      for (const auto& each : offer.surface.events) events.push_back(each.name);
      return Error{Code::kNotFound, printable(name) + " does not handle '" + printable(event) +
                                        "'" + did_you_mean(event, events)};
    }
    if (std::find(targets.begin(), targets.end(), &offer) == targets.end()) {
      targets.push_back(&offer);
    }
  }
  if (!options.to.empty()) return targets;

  std::vector<std::string> labels;
  bool handled = false;
  for (const auto& offer : offers) {
    if (offer.node.state == bus::NodeState::kStopped) continue;
    const auto& has = offer.node.labels;
    labels.insert(labels.end(), has.begin(), has.end());
    if (find_event(offer, event) == nullptr) continue;
    handled = true;
    const bool wanted =
        options.everybody || std::find(has.begin(), has.end(), options.label) != has.end();
    if (wanted) targets.push_back(&offer);
  }
  if (!targets.empty()) return targets;
  if (!handled) {
    return Error{Code::kNotFound, "nobody handles '" + printable(event) + "'" +
                                      did_you_mean(event, event_names(offers))};
  }
  const bool known = std::find(labels.begin(), labels.end(), options.label) != labels.end();
  return Error{Code::kNotFound, "nobody with the label '" + printable(options.label) +
                                    "' handles '" + printable(event) + "'" +
                                    (known ? "" : did_you_mean(options.label, labels))};
}

/// By the type that the targets want; when they differ, as it looks.
Result<Value> argument_of(const std::vector<const Offer*>& targets, const CallOptions& options) {
  auto type = find_event(*targets.front(), options.event)->argument;
  for (const auto* target : targets) {
    if (!(find_event(*target, options.event)->argument == type)) type = {};
  }
  const auto wanted =
      "'" + printable(options.event) + "' takes an argument of type " + type_text(type);
  if (!options.has_argument) {
    if (type.kind == model::kv::Kind::kAny) return Value{};
    return Error{Code::kInvalidArgument, wanted};
  }
  auto value = model::kv::parse_text(options.argument, type);
  if (value) return value;
  return Error{Code::kInvalidArgument, wanted + ": " + printable(value.error().message)};
}

Color color_of(State state) {
  switch (state) {
    case State::kDone: return Color::kGreen;
    case State::kPending:
    case State::kInProgress:
    case State::kTimedOut:
    case State::kCancelled: return Color::kYellow;
    case State::kRejected:
    case State::kFailed:
    case State::kLost: break;
  }
  return Color::kRed;
}

/// What went wrong for certain comes before what nobody knows.
Exit exit_of(const CallResult& result) {
  bool unknown = false;
  for (const auto& [name, target] : result.targets()) {
    switch (target.state) {
      case State::kDone: break;
      case State::kRejected:
      case State::kFailed:
      case State::kLost: return Exit::kFailed;
      case State::kPending:
      case State::kInProgress:
      case State::kTimedOut:
      case State::kCancelled: unknown = true;
    }
  }
  return unknown ? Exit::kUnknown : Exit::kFine;
}

void print_feedback(const Context& context, const Feedback& said) {
  if (context.json) {
    Json json = {{"target", said.target}, {"state", to_string(State::kInProgress)}};
    json["text"] = said.text;
    add_key_value(json, said.progress);
    context.print(json);
  } else {
    context.out << printable(said.target) << ": " << printable(said.text);
    const auto progress = printable(key_value_text(said.progress));
    if (!said.progress.is_none()) {
      context.out << (said.text.empty() ? progress : " (" + progress + ")");
    }
    context.out << "\n";
  }
  context.out.flush();
}

void print_result(const Context& context, const CallResult& result) {
  Table table({{"TARGET"}, {"STATE", false, false}, {"VALUE"}, {"REASON"}});
  for (const auto& [name, target] : result.targets()) {
    if (context.json) {
      Json json = {{"target", name}, {"state", to_string(target.state)}, {"text", target.text}};
      add_key_value(json, target.value);
      context.print(json);
      continue;
    }
    table.add({name,
               {to_string(target.state), color_of(target.state)},
               target.value.is_none() ? "" : key_value_text(target.value),
               target.text});
  }
  if (!table.empty()) table.print(context.out, context.columns, context.color());
}

/// What a call leaves behind for the thread that waits. Threads: callbacks write.
struct Running {
  explicit Running(const std::vector<std::string>& targets) : known(targets) {}
  Finish finish;
  std::mutex mutex;
  CallResult known;  // guarded by mutex; as far as it is known
};

Exit call(Context& context, Client& client, const CallOptions& options) {
  constexpr auto kJournalPatience = 2s;
  constexpr auto kLastWords = 2s;  // for those who are told that nobody waits any more
  if (options.to.empty() && options.label.empty() && !options.everybody) {
    return context.report(
        {Code::kInvalidArgument, "say whom to ask: --to NAME, --label LABEL or --everybody"});
  }
  const Interrupt interrupt;
  const auto until = steady_now() + context.budget(10s);
  if (options.to.empty()) {
    if (const auto settled = client.settle(context.budget(10s)); !settled) {
      return context.report(settled.error());
    }
  }
  const auto offers = offers_of(client.directory());
  const auto targets = targets_of(offers, options);
  if (!targets) return context.report(targets.error());
  const auto argument = argument_of(targets.value(), options);
  if (!argument) return context.report(argument.error());

  const auto joined = join(client, context.budget(5s));
  if (!joined) return context.report(joined.error());
  auto& site = *joined.value();
  std::vector<std::string> names;
  for (const auto* target : targets.value()) names.push_back(target->node.name);
  const auto whom = options.everybody    ? everybody()
                    : options.to.empty() ? to_label(options.label)
                                         : to_each(names);
  Running running(names);
  const auto running_call = site.call_later(
      options.event, argument.value(), whom, std::max(until - steady_now(), Duration{0}),
      [&](const CallResult& result) {
        {
          const std::lock_guard lock(running.mutex);
          running.known = result;
        }
        running.finish.enough();
      },
      [&](const Feedback& said) {
        {
          const std::lock_guard lock(running.mutex);
          running.known.feedback(said.target, said.text, said.progress);
        }
        print_feedback(context, said);
      });
  const bool interrupted = running.finish.wait() == Finish::Why::kInterrupted;
  if (interrupted) {
    running_call.cancel();
    context.err << "tidemark: interrupted: the call is cancelled" << std::endl;
    running.finish.wait_for_last_words(kLastWords);
  }
  // No callback from here on.
  if (!site.stop(kJournalPatience)) {
    context.err << "tidemark: the journal does not answer: it has no record of this call"
                << std::endl;
  }
  if (const auto& nobody = running.known.nobody()) return context.report(*nobody);
  print_result(context, running.known);
  return exit_of(running.known);
}

// ---- options ------------------------------------------------------------------------------------

void add_event_list(Command event, Context& context) {
  auto pattern = std::make_shared<std::string>();
  auto command = add_command(
      event, context, "list",
      {"List the events that subsystems handle",
       "An event is something that a subsystem can be asked to do, or to say whether it minds. "
       "Several may handle the same one.",
       "  tidemark event list\n  tidemark event list 'shutter*'"},
      [&context, pattern] {
        return with_client(context,
                           [&](Client& client) { return list_events(context, client, *pattern); });
      });
  command.add_option("PATTERN", *pattern, "Name of an event, with * and ?");
}

void add_call(Command event, Context& context) {
  auto options = std::make_shared<CallOptions>();
  auto command = add_command(
      event, context, "call",
      {"Ask subsystems to do something, and wait for all of them",
       "Shows how it goes, then what became of it for each. Exits with 0 only when all have done "
       "it, with 1 when one rejected it, failed or was lost, or nobody handles it, and with 4 when "
       "no answer came within --timeout (10s): then nobody knows. With --everybody and --label one "
       "that died without a goodbye is lost. A registry that has just started does not know "
       "everybody: the call waits for it, or ends with 3. Ctrl-C cancels the call.",
       "  tidemark event call degauss --to psu.1 --to psu.2 --timeout 2m\n"
       "  tidemark event call close --label shutters\n"
       "  tidemark event call may-expose 250ms --everybody"},
      [&context, options] {
        return with_client(context,
                           [&](Client& client) { return call(context, client, *options); });
      });
  command.add_option("EVENT", options->event, "What; `tidemark event list` lists them").required();
  command.add_read(
      "ARGUMENT",
      [options](const std::string& text) -> Result<Unit> {
        options->argument = text;
        options->has_argument = true;
        return Unit{};
      },
      "Read by the event's type");
  auto to = add_repeatable(command, "--to", options->to, "A subsystem").type_name("NAME");
  auto label = command.add_option("--label", options->label, "All with this label that handle it")
                   .type_name("LABEL");
  auto everybody = command.add_flag("--everybody", options->everybody, "All who handle it");
  to.excludes(label).excludes(everybody);
  label.excludes(everybody);
}

}  // namespace

void add_event_commands(Command app, Context& context) {
  auto event = add_group(app, "event",
                         {"List and call events of subsystems",
                          "An event is something that a subsystem can be asked to do, or to say "
                          "whether it minds.",
                          "  tidemark event list\n"
                          "  tidemark event call degauss --to psu.1"});
  add_event_list(event, context);
  add_call(event, context);
}

}  // namespace tidemark::tools
