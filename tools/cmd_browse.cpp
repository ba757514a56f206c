// tools/cmd_browse.cpp
//
// browse: the journal on the whole screen. Here keys, answers, signals and time are waited for and
// carried to step(); what it wants is done, and what it shows is drawn.

#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>

#include "tools/browse/asker.h"
#include "tools/browse/keys.h"
#include "tools/browse/render.h"
#include "tools/browse/screen.h"
#include "tools/browse/step.h"
#include "tools/commands.h"
#include "tools/moment.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
using namespace browse;

constexpr Duration kBrowseBudget = 10s;
constexpr Duration kDrawEvery = 30ms;  // a terminal far away gets no more screens than eyes can use

struct BrowseOptions {
  LogFilter filter;
  std::string from;
  bool follow = false;
};

// ---- signals ------------------------------------------------------------------------------------

// A handler may only touch these; they are set before it is installed.
std::atomic<bool> g_end{false};
const Wake* g_wake = nullptr;

void on_end(int) {
  g_end = true;
  g_wake->signal();
}

/// While one lives, what would end the process only asks for it, so that the terminal is restored.
class EndSignals {
 public:
  explicit EndSignals(const Wake& wake) {
    g_end = false;
    g_wake = &wake;
    struct sigaction action = {};
    action.sa_handler = &on_end;
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before_[i]);
  }
  ~EndSignals() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;

 private:
  static constexpr std::array<int, 4> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  std::array<struct sigaction, kSignals.size()> before_{};
};

/// While one lives, nothing is logged into the screen: what matters comes as an answer.
class SilentLog {
 public:
  SilentLog() { spdlog::set_level(spdlog::level::off); }
  ~SilentLog() { spdlog::set_level(before_); }
  SilentLog(const SilentLog&) = delete;
  SilentLog& operator=(const SilentLog&) = delete;

 private:
  const spdlog::level::level_enum before_ = spdlog::get_level();
};

// ---- the loop -----------------------------------------------------------------------------------

class Browsing {
 public:
  Browsing(Screen& screen, Asker& asker, const Wake& wake, BrowseState& state)
      : screen_(screen), asker_(asker), wake_(wake), state_(state) {}

  void run(const Actions& begin) {
    perform(begin);
    while (!state_.quit && !g_end) {
      draw_when_due();
      if (!wait()) return;  // The terminal is gone.
      take_keys();
      for (auto& answer : asker_.take()) feed(std::move(answer));
      feed(Tick{});
    }
  }

 private:
  static Now now() { return {utc_now(), steady_now()}; }

  void feed(Event event) {
    const bool tick = std::holds_alternative<Tick>(event);
    const auto actions = step(state_, event, now());
    perform(actions);
    changed_ |= !tick;
  }

  void perform(const Actions& actions) {
    for (const auto& action : actions) {
      if (const auto* question = std::get_if<Ask>(&action)) asker_.ask(*question);
      if (const auto* forgotten = std::get_if<Forget>(&action)) asker_.forget(forgotten->purpose);
      if (std::holds_alternative<Repaint>(action)) screen_.repaint();
    }
  }

  void draw_when_due() {
    const auto time = steady_now();
    if (!changed_ || time < draw_at_) return;
    screen_.draw(render(state_));
    changed_ = false;
    draw_at_ = time + kDrawEvery;
  }

  /// False when there is no terminal any more.
  bool wait() {
    const auto left = changed_ ? std::max<Duration>(draw_at_ - steady_now(), 0ms) : kTick;
    pollfd ready[] = {{STDIN_FILENO, POLLIN, 0}, {wake_.fd(), POLLIN, 0}};
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    ::poll(ready, std::size(ready), static_cast<int>(milliseconds));
    wake_.clear();
    return (ready[0].revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
  }

  void take_keys() {
    // A pasted novel must not keep answers from being shown.
    constexpr int kKeysMax = 256;
    for (int i = 0; i < kKeysMax && !state_.quit; ++i) {
      const auto pressed = screen_.next();
      if (!pressed) return;
      const auto* key = std::get_if<Key>(&*pressed);
      if (key != nullptr && *key == Key{KeyName::kCharacter, ctrl('Z')}) {
        screen_.suspend();
        changed_ = true;
      } else {
        std::visit([this](const auto& event) { feed(event); }, *pressed);
      }
    }
  }

  Screen& screen_;
  Asker& asker_;
  const Wake& wake_;
  BrowseState& state_;
  bool changed_ = true;
  SteadyTime draw_at_{};
};

Exit browse_site(Context& context, Client& client, const BrowseOptions& options) {
  const auto site = load_site(context);
  auto wake = Wake::make();
  if (!wake) return context.report(wake.error());
  if (context.journal.empty()) client.follow_directory();
  Asker asker(client, wake.value(), context.budget(kBrowseBudget));

  BrowseState state;
  if (site) state.site = site.value().name;
  if (!context.journal.empty()) state.site = context.journal;
  state.frozen = !context.journal.empty();
  const auto actions =
      begin(state, {options.filter, options.from, options.follow}, {utc_now(), steady_now()});
  if (!actions) return context.report(actions.error());
  auto screen = Screen::open(context.color());
  if (!screen) return context.report(screen.error());
  const EndSignals signals(*wake.value());
  const SilentLog silent;
  state.size = screen.value()->size();
  Browsing(*screen.value(), asker, *wake.value(), state).run(actions.value());
  return Exit::kFine;
}

Exit run_browse(Context& context, const BrowseOptions& options) {
  if (options.follow && !context.journal.empty()) {
    return context.report(
        {Code::kInvalidArgument,
         "--follow is for a running journal: a directory is read as it is when it "
         "is opened"});
  }
  if (context.json || !context.in_terminal || !context.out_terminal) {
    return context.report({Code::kInvalidArgument,
                           "browse needs a terminal and a person; a program uses `tidemark --json "
                           "log query` or `log follow`"});
  }
  return with_client(context,
                     [&](Client& client) { return browse_site(context, client, options); });
}

std::string keys_text() {
  std::string out;
  for (const auto& [keys, what] : key_help()) {
    constexpr std::size_t kKeys = 22;  // columns
    if (what.empty()) continue;
    out +=
        "  " + std::string(keys) + std::string(kKeys - keys.size(), ' ') + std::string(what) + "\n";
  }
  return out;
}

}  // namespace

void add_browse_command(Command app, Context& context) {
  auto options = std::make_shared<BrowseOptions>();
  auto command = add_command(
      app, context, "browse",
      {"Browse the journal on the whole screen",
       "Begins at the newest line, or at --from. The keys are those of less and vim; marks are "
       "ranges at the left. With --journal a directory is browsed as it is now. " +
           std::string(kMomentHelp) + "\n\nKEYS\n" + keys_text(),
       "  tidemark browse\n"
       "  tidemark browse --from 'yesterday 14:05' --subject 'QUAD:*'\n"
       "  tidemark browse --level warning --follow\n"
       "  tidemark browse --in 'shot 4711'\n"
       "  tidemark browse --journal /backup/journal/2026-11-27T17-30-00.000Z"},
      [&context, options] { return run_browse(context, *options); });
  add_filter_options(command, options->filter);
  command.add_option("--from", options->from, "Begin there (default: the newest line)")
      .type_name("MOMENT");
  command.add_flag("--follow", options->follow, "Show lines as they come, as F does");
  add_journal(command, context);
}

}  // namespace tidemark::tools
