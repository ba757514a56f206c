#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "base/files.h"
#include "journal/block_codec.h"
#include "journal/damage.h"
#include "journal/frozen_projection_table.h"
#include "journal/rocks_store_class.h"

namespace tidemark::journal {
namespace {

Result<std::unique_ptr<RocksStore>> open_store(RocksStoreOptions options) {
  const auto& limits = options.limits;
  if (limits.block_sections_max > kBlockSectionsMax ||
      std::uint64_t{limits.block_bytes_max} +
              std::uint64_t{limits.block_sections_max} * kSectionHeaderBytes >
          kBlockRawBytesMax) {
    return Error{Code::kInvalidArgument, "journal: limits above what a block can hold"};
  }
  const auto made = make_durable_directories(database_path(options));
  if (!made) return Error{made.error().code, "journal: " + made.error().message};
  auto lock = OwnerLock::take(options.directory);
  if (!lock) return lock.error();

  // RocksDB changes files as it opens them to write: it drops the tail of a log that it could
  // not read. So what is there is looked at first, without a trace.
  const auto witness_path = options.directory + "/witness";
  const auto witnessed = read_witness(witness_path);
  if (!witnessed) return witnessed.error();
  {
    const auto before = open_to_read(options);
    if (!before) return before.error();
    const Database none;
    const auto& database = before.value() ? *before.value() : none;
    const auto checked = check_tail(database, witnessed.value());
    if (!checked) return unusable(options.directory, checked.error());
    const auto proven = check_marks(options, database, checked.value().last);
    if (!proven) return unusable(options.directory, proven.error());
    if (!witnessed.value() && checked.value().last != Line{0}) {
      spdlog::warn(
          "journal: {}: no witness; that all acknowledged lines up to {} are here is not "
          "proven",
          options.directory, raw(checked.value().last));
    }
  }
  auto database = open_to_write(options);
  if (!database) return database.error();
  const auto tail = check_tail(database.value(), witnessed.value());
  if (!tail) return unusable(options.directory, tail.error());
  auto witness = WitnessFile::open(witness_path);
  if (!witness) return witness.error();

  const auto directory = options.directory;
  auto store =
      std::make_unique<RocksStore>(std::move(options), std::move(lock).value(),
                                   std::move(database).value(), std::move(witness).value());
  auto loaded = store->load(tail.value());
  if (loaded) loaded = store->begin(tail.value(), witnessed.value());
  if (!loaded) return unusable(directory, loaded.error());
  return store;
}

Result<std::unique_ptr<RocksStore>> open_store_to_read(RocksStoreOptions options) {
  // The witness first: what it knows was in the database before.
  const auto witnessed = read_witness(options.directory + "/witness");
  if (!witnessed) return witnessed.error();
  auto database = open_to_read(options, Reading::kBeside);
  if (!database) return database.error();
  if (!database.value() || database.value()->family("log") == nullptr ||
      database.value()->family("meta") == nullptr) {
    if (witnessed.value() && witnessed.value()->last != Line{0}) {
      return lost(options.directory, "the database is gone.");
    }
    return Error{Code::kNotFound, "journal: there is none in " + options.directory};
  }
  const auto tail = check_tail(*database.value(), witnessed.value());
  if (!tail) return unusable(options.directory, tail.error());
  const auto directory = options.directory;
  auto store = std::make_unique<RocksStore>(std::move(options), std::nullopt,
                                            std::move(*database.value()), nullptr);
  const auto loaded = store->load(tail.value());
  if (!loaded) return unusable(directory, loaded.error());
  return store;
}

/// As much as can be read, up to the last line that the log or the witness knows of.
Result<std::unique_ptr<RocksStore>> open_store_to_salvage(RocksStoreOptions options,
                                                          std::vector<Error>& findings) {
  std::optional<Witnessed> witnessed;
  auto known = read_witness(options.directory + "/witness");
  if (known) witnessed = known.value();
  if (!known) findings.push_back(known.error());
  const auto open = [&]() -> Result<std::optional<Database>> {
    auto strict = open_to_read(options, Reading::kBeside);
    if (strict) return strict;
    findings.push_back(strict.error());
    return open_to_read(options, Reading::kSalvage);
  };
  auto database = open();
  if (!database) return database.error();
  if (!database.value() || database.value()->family("log") == nullptr) {
    if (witnessed && witnessed->last != Line{0}) {
      return Error{Code::kCorruption, "the database is gone."};
    }
    return Error{Code::kNotFound, "journal: there is none in " + options.directory};
  }
  if (database.value()->family("meta") == nullptr) {
    return Error{Code::kCorruption, "the marks are gone."};
  }
  auto checked = check_tail(*database.value(), witnessed);
  if (!checked) findings.push_back(checked.error());
  Tail tail;
  if (checked) {
    tail = checked.value();
  } else {
    const RocksLog log(database.value()->db.get(), database.value()->family("log"));
    tail.last = std::max(log.end(), witnessed ? witnessed->last : Line{0});
  }
  auto store = std::make_unique<RocksStore>(std::move(options), std::nullopt,
                                            std::move(*database.value()), nullptr);
  const auto loaded = store->load(tail);
  if (!loaded) findings.push_back(loaded.error());
  return store;
}

}  // namespace

Result<std::unique_ptr<Store>> open_rocks_store(RocksStoreOptions options) {
  auto store = open_store(std::move(options));
  if (!store) return store.error();
  return std::unique_ptr<Store>(std::move(store).value());
}

Result<RocksJournal> open_rocks_journal(RocksStoreOptions options) {
  auto opened = open_store(std::move(options));
  if (!opened) return opened.error();
  const std::shared_ptr<RocksStore> store = std::move(opened).value();
  return RocksJournal{store, store->projections(), store, [store] { return store->inspect(); },
                      [store](const std::string& path) { return store->checkpoint(path); }};
}

Result<RocksJournal> open_rocks_journal_to_read(RocksStoreOptions options) {
  auto opened = open_store_to_read(std::move(options));
  if (!opened) return opened.error();
  const std::shared_ptr<RocksStore> store = std::move(opened).value();
  return RocksJournal{store,
                      std::make_shared<FrozenProjectionTable>(store->projections()),
                      nullptr,
                      [store] { return store->inspect(); },
                      {}};
}

Result<SalvagedJournal> open_rocks_journal_to_salvage(RocksStoreOptions options) {
  SalvagedJournal salvaged;
  auto opened = open_store_to_salvage(std::move(options), salvaged.findings);
  if (!opened) return opened.error();
  const std::shared_ptr<RocksStore> store = std::move(opened).value();
  salvaged.journal = RocksJournal{store,
                                  std::make_shared<FrozenProjectionTable>(store->projections()),
                                  nullptr,
                                  [store] { return store->inspect(); },
                                  {}};
  return salvaged;
}

}  // namespace tidemark::journal
