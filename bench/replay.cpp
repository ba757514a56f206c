// bench/replay.cpp
//
// Replays a stretch of a running site's journal into a live table, as fast as it goes, and says how
// fast that was. The reader is this process, the journal another, ZeroMQ is between them.
//
//   replay SITE FROM TO      lines
//
// Prints one line of JSON.

#include "model/api/replay.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "config/site.h"
#include "model/live_table.h"
#include "subsystem/replay_reader.h"
#include "tools/client.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(result).value();
}

void replay(const std::string& site, std::uint64_t from, std::uint64_t to) {
  const auto client = must(tools::Client::connect(must(config::load(site)), 10s));
  api::ReplayRequest request;
  request.from.line = from;
  request.to.line = to;
  request.speed = api::ReplayRequest::kAsFastAsItGoes;
  request.records = false;
  request.owner = Uuid::random();
  request.user = "bench";
  const auto started =
      must(client->ask<api::ReplayStarted>("journal", "journal.replay_start", request, 10s));
  const auto journal = client->node("journal");
  if (!journal) throw std::runtime_error("there is no journal");
  subsystem::ReplayReader reader(client->shared_link(), bus::node_number(journal->uuid),
                                 started.replay, request.owner);
  model::LiveTable table;
  std::uint64_t updates = 0;
  auto begin = steady_now();
  auto end = begin;
  for (auto status = started.replay;
       status.phase != api::ReplayPhase::kFinished || reader.applied() < status.items;) {
    for (const auto& event : reader.next(100ms)) {
      if (const auto* news = std::get_if<api::ReplayNews>(&event)) {
        status = news->status;
        continue;
      }
      const auto& given = std::get<subsystem::ReplayReader::Updates>(event);
      const auto now = utc_now();
      if (given.whole) {
        table.reset();
        begin = steady_now();  // the state is there, and the first acknowledgement is to come
      } else {
        updates += given.updates.size();
      }
      for (const auto& update : given.updates) table.apply(update, now);
      end = steady_now();
    }
    if (reader.ended()) throw std::runtime_error(reader.ended()->message);
  }
  const auto& counters = reader.counters();
  if (updates != to - from || counters.items_lost > 0 || reader.bad_batches() > 0) {
    throw std::runtime_error(std::to_string(updates) + " updates came, and " +
                             std::to_string(counters.items_lost) + " items were lost");
  }
  const auto seconds = std::chrono::duration<double>(end - begin).count();
  std::printf(
      "{\"updates\":%llu,\"seconds\":%.3f,\"updates_per_s\":%.1f,\"channels\":%zu,"
      "\"repaired\":%llu}\n",
      static_cast<unsigned long long>(updates), seconds, static_cast<double>(updates) / seconds,
      table.with_value(), static_cast<unsigned long long>(counters.repaired));
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  std::string site;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  CLI::App app("Replays lines of a journal into a live table.");
  app.add_option("SITE", site, "site file of a running site")->required();
  app.add_option("FROM", from, "line")->required();
  app.add_option("TO", to, "line")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    tidemark::replay(site, from, to);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "replay: %s\n", failure.what());
    return 1;
  }
  return 0;
}
