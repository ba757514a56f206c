// test/journal/journal_samples.h
//
// Sections to append, and a folder that goes away: what every test of the journal needs.

#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/check.h"
#include "journal/section.h"
#include "journal/store.h"

namespace tidemark::journal {

inline UtcTime at_second(std::int64_t second) {
  return UtcTime{std::chrono::seconds{1'700'000'000 + second}};
}

/// Not random: golden bytes need it.
inline Uuid origin_a() { return Uuid::derive("origin a"); }
inline Uuid origin_b() { return Uuid::derive("origin b"); }

inline InspectedSection inspected(Section section) {
  auto result = inspect(std::move(section));
  TIDEMARK_CHECK(result.ok());
  return std::move(result).value();
}

inline Section section_of(const std::vector<model::Record>& records, std::uint64_t sequence = 1,
                          Uuid origin = origin_a(), std::uint32_t incarnation = 1) {
  return {origin,
          incarnation,
          sequence,
          static_cast<std::uint32_t>(records.size()),
          SectionFormat::kRecords,
          at_second(0),
          model::encode_records(records)};
}

inline Section section_of(const std::vector<model::PvUpdate>& updates, std::uint64_t sequence = 1,
                          Uuid origin = origin_a(), std::uint32_t incarnation = 1) {
  return {origin,
          incarnation,
          sequence,
          static_cast<std::uint32_t>(updates.size()),
          SectionFormat::kUpdates,
          at_second(0),
          model::encode_updates(updates)};
}

inline model::Record message(std::string text, model::Level level = model::Level::kInfo) {
  return model::LogMessage{level, "test", std::move(text)};
}

inline model::PvUpdate value_of(std::uint32_t channel, double value) {
  model::PvUpdate update;
  update.channel = model::ChannelId{channel};
  update.taken_at = at_second(channel);
  update.value = value;
  return update;
}

inline model::PvUpdate disconnected(std::uint32_t channel) {
  model::PvUpdate update;
  update.channel = model::ChannelId{channel};
  update.event = model::PvUpdate::Event::kDisconnected;
  update.taken_at = at_second(channel);
  return update;
}

inline Result<Appended> append_one(Store& store, Section section) {
  const auto one = inspected(std::move(section));
  return store.append({&one, 1});
}

class TempDir {
 public:
  TempDir() {
    std::string path = (std::filesystem::temp_directory_path() / "tidemark-XXXXXX").string();
    TIDEMARK_CHECK(::mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace tidemark::journal
