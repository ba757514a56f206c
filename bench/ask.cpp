// bench/ask.cpp
//
// Asks a running site over the bus, and says how long the answers took. A client of its own,
// so that starting a program and printing 40 000 rows is no part of a figure.
//
//   ask SITE plan SNAPSHOT              keeper.restore_plan, --runs times
//   ask SITE compare LEFT RIGHT         keeper.snapshot_compare; RIGHT may be "live"
//   ask SITE live COUNT                 until the keeper's live table has that many values: when
//                                       the last of them came
//   ask SITE recover NODE COUNT         kill -9 of the node, until all is well again
//
// Prints one line of JSON.

#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "model/api/journal.h"
#include "model/api/keeper.h"
#include "model/api/node.h"
#include "tools/client.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;
using tools::Client;

constexpr auto kBudget = 30s;  // of answers that carry 50 000 PVs
constexpr auto kPoll = 5ms;
constexpr const char* kNodes[] = {"registry", "journal", "keeper", "monitor", "gateway"};

struct Arguments {
  std::string site;
  std::string left;
  std::string right;
  std::string node;
  std::size_t count = 0;
  int runs = 5;
  int seconds = 120;
};

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(result).value();
}

double ms_since(SteadyTime start) {
  return std::chrono::duration<double, std::milli>(steady_now() - start).count();
}

std::string list(const std::vector<double>& numbers) {
  std::string text;
  for (const auto number : numbers) {
    char one[64];
    std::snprintf(one, sizeof one, "%s%.3f", text.empty() ? "" : ",", number);
    text += one;
  }
  return text;
}

void plan(Client& client, const Arguments& arguments) {
  api::RestoreRequest request;
  request.snapshot = arguments.left;
  std::vector<double> ms;
  model::RestorePlan plan;
  for (int run = 0; run < arguments.runs; ++run) {
    const auto start = steady_now();
    plan = must(client.ask<model::RestorePlan>("keeper", "keeper.restore_plan", request, kBudget));
    ms.push_back(ms_since(start));
  }
  std::printf("{\"ms\":[%s],\"writes\":%u,\"skips\":%u,\"refusals\":%u}\n", list(ms).c_str(),
              plan.writes, plan.skips, plan.refusals);
}

void compare(Client& client, const Arguments& arguments) {
  api::CompareRequest request;
  request.left = arguments.left;
  request.right = arguments.right;
  std::vector<double> ms;
  api::CompareReply reply;
  for (int run = 0; run < arguments.runs; ++run) {
    const auto start = steady_now();
    reply =
        must(client.ask<api::CompareReply>("keeper", "keeper.snapshot_compare", request, kBudget));
    ms.push_back(ms_since(start));
  }
  std::printf("{\"ms\":[%s],\"different\":%u,\"pvs\":%u}\n", list(ms).c_str(), reply.different,
              reply.left.pvs);
}

double figure(const api::NodeStatus& status, std::string_view name) {
  for (const auto& each : status.figures) {
    if (each.name == name) return each.value;
  }
  return -1;
}

/// The live values of the keeper when it has `count` of them, and knows the monitor to be there.
std::optional<api::LiveReply> all_values(Client& client, std::size_t count) {
  auto status = client.ask<api::NodeStatus>("keeper", "node.status", api::Empty{}, 1s);
  if (!status) return std::nullopt;
  if (figure(status.value(), "tidemark_live_with_value") < static_cast<double>(count)) {
    return std::nullopt;
  }
  auto values = client.ask<api::LiveReply>("keeper", "keeper.pv_live", api::LiveQuery{}, kBudget);
  if (!values || !values.value().live) return std::nullopt;
  const auto connected = std::count_if(
      values.value().values.begin(), values.value().values.end(), [](const api::LiveValue& value) {
        return value.state == model::LiveState::kConnected && value.value.index() != 0;
      });
  if (static_cast<std::size_t>(connected) < count) return std::nullopt;
  return std::move(values).value();
}

UtcTime newest(const api::LiveReply& values) {
  UtcTime time{};
  for (const auto& value : values.values) time = std::max(time, value.received_at);
  return time;
}

void live(const config::Site& site, const Arguments& arguments) {
  const auto give_up = steady_now() + std::chrono::seconds(arguments.seconds);
  while (steady_now() < give_up) {
    // Until the registry and the keeper are there; then the same client asks on.
    auto client = Client::connect(site, 1s);
    while (client && client.value()->node("keeper") && steady_now() < give_up) {
      // The status is a tenth of a second old at most. The values have their own times.
      if (const auto values = all_values(*client.value(), arguments.count)) {
        std::printf("{\"values\":%zu,\"ready_at_ns\":%lld}\n", arguments.count,
                    static_cast<long long>(newest(*values).time_since_epoch().count()));
        return;
      }
      std::this_thread::sleep_for(kPoll);
    }
    std::this_thread::sleep_for(kPoll);
  }
  throw std::runtime_error("not in time: " + std::to_string(arguments.count) +
                           " values in the keeper's live table");
}

/// All nodes alive, none of them process `dead`, all answering; the journal readable, and the
/// live tables whole, with what was heard after `since` only if a new monitor had to hear it.
bool well(const config::Site& site, const Arguments& arguments, std::uint32_t dead, UtcTime since) {
  auto connected = Client::connect(site, 500ms);
  if (!connected) return false;
  auto& client = *connected.value();
  for (const auto* name : kNodes) {
    const auto node = client.node(name);
    if (!node || node->state != bus::NodeState::kAlive || node->pid == dead) return false;
  }
  for (const auto* name : kNodes) {
    const auto status = client.ask<api::NodeStatus>(name, "node.status", api::Empty{}, 500ms);
    if (!status) return false;
    if (name == std::string_view("gateway") &&
        figure(status.value(), "tidemark_live_with_value") < static_cast<double>(arguments.count)) {
      return false;
    }
  }
  api::ReadRequest last;
  last.newest_first = true;
  last.limit = 1;
  if (!client.ask<api::ReadReply>("journal", "journal.read", last, 500ms)) return false;
  const auto values = all_values(client, arguments.count);
  if (!values) return false;
  return arguments.node != "monitor" ||
         std::all_of(values->values.begin(), values->values.end(),
                     [&](const api::LiveValue& value) { return value.received_at > since; });
}

void recover(const config::Site& site, const Arguments& arguments) {
  const auto node = must(Client::connect(site, 2s))->node(arguments.node);
  if (!node || node->pid == 0) throw std::runtime_error("there is no node " + arguments.node);
  const auto since = utc_now();
  const auto start = steady_now();
  if (::kill(static_cast<pid_t>(node->pid), SIGKILL) != 0) {
    throw std::runtime_error("cannot kill process " + std::to_string(node->pid));
  }
  while (!well(site, arguments, node->pid, since)) {
    if (ms_since(start) > arguments.seconds * 1e3) {
      throw std::runtime_error("not well in time after the end of " + arguments.node);
    }
    std::this_thread::sleep_for(kPoll);
  }
  std::printf("{\"node\":\"%s\",\"ms\":%.1f}\n", arguments.node.c_str(), ms_since(start));
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  using namespace tidemark;
  Arguments arguments;
  CLI::App app("Asks a running site, and says how long it took.");
  app.add_option("site", arguments.site, "the site file")->required();
  app.add_option("--runs", arguments.runs, "how often plan and compare ask");
  app.add_option("--timeout", arguments.seconds, "seconds, for live and recover");
  app.require_subcommand(1);
  app.fallthrough();
  auto* on_plan = app.add_subcommand("plan", "time restore plans");
  on_plan->add_option("snapshot", arguments.left)->required();
  auto* on_compare = app.add_subcommand("compare", "time comparisons");
  on_compare->add_option("left", arguments.left)->required();
  on_compare->add_option("right", arguments.right)->required();
  auto* on_live = app.add_subcommand("live", "wait for values");
  on_live->add_option("count", arguments.count)->required();
  auto* on_recover = app.add_subcommand("recover", "kill a node, wait until all is well");
  on_recover->add_option("node", arguments.node)->required();
  on_recover->add_option("count", arguments.count)->required();
  CLI11_PARSE(app, argc, argv);
  try {
    const auto site = must(config::load(arguments.site));
    if (on_live->parsed()) {
      live(site, arguments);
    } else if (on_recover->parsed()) {
      recover(site, arguments);
    } else {
      const auto client = must(Client::connect(site, 2s));
      on_plan->parsed() ? plan(*client, arguments) : compare(*client, arguments);
    }
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "ask: %s\n", failure.what());
    return 1;
  }
}
