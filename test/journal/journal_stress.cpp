// test/journal/journal_stress.cpp
//
// A journal in full use, to be killed: it is written as fast as it goes, followed, read at random
// places, and its projections are kept up. Each acknowledged line goes to stdout as eight bytes,
// all of them ones when the disk is full. Who reads something wrong says what on stderr, and the
// process exits with 110.
//
//   journal_stress <directory> batch|interval|expire
//
// "expire": all on one thread, and what is old expires (stress::retention()), so the journal's own
// lines that say so stand between those of the formula.
//
// TIDEMARK_FAILPOINT (base/failpoint.h): also disk.sync.before and disk.sync.done.
// TIDEMARK_SYNC_FAILS=n: the n-th flush of a file fails.
// TIDEMARK_POWER_CUT=n: in its n-th step the disk (power_disk.h) leaves in <directory>.after what
// it would have after a power cut, by TIDEMARK_SEED, and the process is gone, with 0; with
// TIDEMARK_POWER_CUT_AT_LOG then, where one write-ahead log follows another. TIDEMARK_BOOT: which
// start of the machine it is.
// When the journal cannot be opened the
// process says why and exits with the code of the error.

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>
#include <thread>

#include "base/failpoint.h"
#include "faulty_disk.h"
#include "journal/projection_thread.h"
#include "journal/rocks_store.h"
#include "power_disk.h"
#include "stress_model.h"

namespace {

using namespace tidemark;
using namespace tidemark::journal;

constexpr std::uint64_t kFull = ~std::uint64_t{0};
std::atomic<std::uint64_t> newest = 0;  // that was acknowledged

[[noreturn]] void wrong(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::fflush(stderr);
  ::_exit(110);
}

void tell(std::uint64_t line) {
  if (::write(STDOUT_FILENO, &line, sizeof line) != sizeof line) ::_exit(102);
}

/// Every line once, in order, as soon as it is there.
void follow(const Store& store) {
  std::uint64_t next = 1;
  while (true) {
    const auto seen = newest.load();
    const auto scanned = store.scan(Line{next}, {}, [&](Block& block) {
      if (raw(block.first) > next) wrong("the follower misses line " + std::to_string(next));
      const auto fault = stress::fault_in(block);
      if (!fault.empty()) wrong("the follower: " + fault);
      next = raw(block.first) + block.count;
      return true;
    });
    if (!scanned) wrong("the follower: " + scanned.error().message);
    newest.wait(seen);
  }
}

/// The past, at random lines, both ways.
void look_back(const Store& store, const Archive& archive) {
  std::mt19937_64 random(std::random_device{}());
  while (true) {
    const auto last = raw(store.last());
    if (last == 0) continue;
    const auto line = 1 + random() % last;
    auto fault = stress::fault_in_state(archive, line);
    if (fault.empty()) {
      const auto from = line > 3000 ? line - 3000 : 1;
      fault = stress::fault_in_samples(
          archive, 1 + static_cast<std::uint32_t>(random() % stress::kChannels), from, line);
    }
    if (!fault.empty()) wrong("the past: " + fault);
    std::uint64_t next = line;
    const auto scanned = store.scan_back(Line{line}, {}, [&](Block& block) {
      const auto wrong_here = stress::fault_in(block);
      if (!wrong_here.empty()) wrong("backwards: " + wrong_here);
      if (raw(block.first) > next) wrong("backwards: line " + std::to_string(next) + " is missing");
      next = raw(block.first) - 1;
      return line - next < 500 && next > 0;
    });
    if (!scanned) wrong("backwards: " + scanned.error().message);
  }
}

void write_for_ever(Store& store, ProjectionThread& thread) {
  while (true) {
    const auto first = raw(store.last()) + 1;
    const auto appended = store.append(stress::sections(first, first + first % 97));
    if (appended) {
      newest = raw(appended.value().last);
      newest.notify_all();
      tell(newest);
      thread.wake();
    } else if (appended.error().code == Code::kUnavailable) {
      tell(kFull);  // and asks again: nobody is told by the disk that there is room
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    } else {
      std::fprintf(stderr, "%s\n", appended.error().message.c_str());
      ::_exit(101);
    }
  }
}

/// One step of each after the other, as they come on a thread of a node.
void write_and_expire(const RocksJournal& journal,
                      const std::shared_ptr<Projections>& projections) {
  Thinner thinner(journal.segments, projections, stress::thinner_limits());
  Retainer retainer(journal.segments, projections, stress::retention());
  while (true) {
    const auto first = raw(journal.store->last()) + 1;
    const auto appended = journal.store->append(stress::sections(first, first + first % 97));
    if (!appended) wrong("an append: " + appended.error().message);
    tell(raw(appended.value().last));
    const auto derived = projections->advance(1000);
    const auto closed = derived ? thinner.step() : derived;
    const auto expired = closed ? retainer.step() : closed;
    if (!expired) wrong("what expires: " + expired.error().message);
  }
}

std::shared_ptr<rocksdb::FileSystem> disk_of(const std::string& directory) {
  if (const char* steps = std::getenv("TIDEMARK_POWER_CUT")) {
    return std::make_shared<PowerDisk>(
        PowerDisk::Plan{directory, directory + ".after", std::strtoull(steps, nullptr, 10),
                        std::getenv("TIDEMARK_POWER_CUT_AT_LOG") != nullptr,
                        std::strtoull(std::getenv("TIDEMARK_SEED"), nullptr, 10)},
        [] { return newest.load(); });
  }
  auto disk = std::make_shared<FaultyDisk>();
  if (const char* fails = std::getenv("TIDEMARK_SYNC_FAILS")) {
    disk->syncs_before_failure = std::atol(fails);
  }
  return disk;
}

}  // namespace

#ifdef __SANITIZE_THREAD__
// Who leads a group of RocksDB's writers takes over what the others write: between locks that are
// not seen, with templates that are compiled here.
extern "C" const char* __tsan_default_suppressions() {
  return "race:tidemark::journal::RocksProjectionTable::write_synced\n"
         "race:tidemark::journal::RocksStore::append\n";
}
#endif

int main(int argc, char** argv) {
  if (argc != 3) return 100;
  spdlog::set_default_logger(spdlog::stderr_logger_mt("stress"));  // stdout is for lines
  const auto env = rocksdb::NewCompositeEnv(disk_of(argv[1]));
  RocksStoreOptions options;
  options.directory = argv[1];
  const std::string_view mode(argv[2]);
  options.sync = mode == "interval" ? SyncMode::kInterval : SyncMode::kBatch;
  options.env = env.get();
  if (const char* boot = std::getenv("TIDEMARK_BOOT")) options.boot = Uuid::derive(boot);
  auto opened = open_rocks_journal(options);
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return static_cast<int>(opened.error().code);
  }
  if (mode != "expire") {
    const auto fault = stress::find_lost(*opened.value().store);
    if (!fault.empty()) wrong(fault);
  }
  const auto projections = std::make_shared<Projections>(
      opened.value().store, opened.value().projections, stress::limits());
  const auto loaded = projections->load();
  if (!loaded) wrong(loaded.error().message);
  if (mode == "expire") write_and_expire(opened.value(), projections);
  const Archive archive(projections);
  ProjectionThread thread(
      projections,
      std::make_shared<Thinner>(opened.value().segments, projections, stress::thinner_limits()));
  std::thread follower([&] { follow(*opened.value().store); });
  std::thread reader([&] { look_back(*opened.value().store, archive); });
  write_for_ever(*opened.value().store, thread);
}
