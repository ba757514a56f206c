#include "journal/outbox_lives.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/incarnation.h"

namespace tidemark::journal {
namespace {

namespace files = std::filesystem;

constexpr const char* kSuffix = ".spool";
constexpr std::size_t kLivesMax = 256;             // in a folder: a node that dies at every start
constexpr std::size_t kSpoolBytesMin = 64u << 10;  // of this life, however much others left

std::string path_of(const SpoolPlace& place, std::uint32_t incarnation) {
  return place.directory + "/" + std::to_string(incarnation) + kSuffix;
}

void remove(const std::string& path) {
  std::error_code ignored;
  files::remove(path, ignored);
}

struct Found {
  std::string path;
  Spooled spooled;
};

/// Earlier lives of `owner` in the directory, oldest first.
std::vector<Found> earlier_lives(const SpoolPlace& place, const SpoolOwner& owner) {
  std::vector<Found> found;
  std::error_code error;
  for (const auto& entry : files::directory_iterator(place.directory, error)) {
    const auto path = entry.path().string();
    if (entry.path().extension() == ".new") remove(path);
    if (entry.path().extension() != kSuffix) continue;
    auto spooled = read_spool(path);
    if (!spooled) {
      spdlog::error("{}; put aside as {}.bad", spooled.error().message, path);
      files::rename(path, path + ".bad", error);
      continue;
    }
    const auto& whose = spooled.value().owner;
    if (whose.origin != owner.origin || whose.incarnation == owner.incarnation) continue;
    found.push_back({path, std::move(spooled).value()});
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
    return a.spooled.owner.incarnation < b.spooled.owner.incarnation;
  });
  return found;
}

/// Whether a life later than `incarnation` has its spool beside this one. A process with a
/// successor is refused everything, which says nothing of the life that it speaks for.
bool has_successor(const std::string& spool, std::uint32_t incarnation) {
  std::error_code error;
  for (const auto& entry : files::directory_iterator(files::path(spool).parent_path(), error)) {
    if (entry.path().extension() != kSuffix) continue;
    if (std::strtoull(entry.path().stem().c_str(), nullptr, 10) > incarnation) return true;
  }
  return false;
}

/// The number behind a hole at the end, so that the journal sees the hole; and why it is there.
void say_what_is_missing(Spooled& spooled) {
  const auto& [first, last] = spooled.unspooled;
  if (last == 0 || last != spooled.last()) return;
  const auto why = "records " + std::to_string(first) + " to " + std::to_string(last) +
                   " of incarnation " + std::to_string(spooled.owner.incarnation) +
                   " are lost: its spool was full when it ended";
  const model::Record said =
      model::LogMessage{model::Level::kWarning, spooled.owner.node, why, {}, "", utc_now()};
  spooled.sections.push_back({last + 1, 1, static_cast<std::uint8_t>(SectionFormat::kRecords),
                              utc_now(), model::Blob{model::encode_records({said})}});
}

/// When the newest were dropped, and nothing follows them: the journal sees the hole with this.
std::optional<model::Record> what_was_dropped(const OutboxQueue& queue, const std::string& node) {
  const auto count = queue.next_sequence() - 1 - queue.acknowledged_through();
  if (!queue.idle() || count == 0) return std::nullopt;
  const auto why =
      std::to_string(count) + " updates were dropped: too much was held back for the journal";
  return model::LogMessage{model::Level::kWarning, node, why, {}, "", utc_now()};
}

}  // namespace

OutboxLives::OutboxLives(OutboxLimits limits, SpoolOwner owner, const SpoolPlace& place)
    : limits_(limits), owner_(std::move(owner)), whole_(place.whole), queue_(limits) {
  if (place.directory.empty()) return;
  if (const auto made = make_directories(place.directory); !made) {
    spdlog::warn("going on without a spool: {}", made.error().message);
    return;
  }
  const auto used = find_past(place);
  const auto room = std::max(kSpoolBytesMin, place.bytes_max - std::min(used, place.bytes_max));
  auto spool = Spool::open(path_of(place, owner_.incarnation), owner_, room);
  if (!spool) {
    spdlog::warn("going on without a spool: {}", spool.error().message);
    return;
  }
  spool_ = std::move(spool).value();
}

std::size_t OutboxLives::find_past(const SpoolPlace& place) {
  std::size_t bytes = 0;
  auto found = earlier_lives(place, owner_);
  for (std::size_t i = 0; i + kLivesMax < found.size(); ++i) {
    spdlog::error("more than {} lives wait in {}: what {} holds is lost", kLivesMax,
                  place.directory, found[i].path);
    found[i].spooled = {};
  }
  for (auto& [path, spooled] : found) {
    say_what_is_missing(spooled);
    if (spooled.sections.empty()) {
      remove(path);
      continue;
    }
    spdlog::info("incarnation {} has left records for the journal: {} to {}",
                 spooled.owner.incarnation, spooled.sections.front().sequence, spooled.last());
    OutboxQueue queue(limits_, spooled.acknowledged, std::move(spooled.sections));
    bytes += queue.bytes();
    past_.push_back({spooled.owner, std::move(queue), path});
  }
  return bytes;
}

std::uint64_t OutboxLives::push(SectionFormat format, Worth worth, std::uint32_t count,
                                UtcTime sent_at, Bytes payload) {
  if (spool_ && format == SectionFormat::kRecords) {
    model::api::AppendSection section{queue_.next_sequence(), count,
                                      static_cast<std::uint8_t>(format), sent_at,
                                      model::Blob{std::move(payload)}};
    spool_->push(section);
    payload = std::move(section.payload.bytes);
  }
  return queue_.push(format, worth, count, sent_at, std::move(payload));
}

model::api::AppendRequest OutboxLives::next() {
  auto& queue = front();
  const auto& owner = past_.empty() ? owner_ : past_.front().owner;
  const auto after = queue.after();
  return {owner.origin,
          owner.node,
          owner.incarnation,
          after,
          queue.next(),
          queue.acknowledged_through(),
          false,
          whole_ && spool_ != nullptr};
}

bool OutboxLives::acknowledged(std::uint64_t through) {
  front().acknowledged(through);
  if (past_.empty()) {
    if (spool_) spool_->acknowledged(through);
    if (const auto said = what_was_dropped(queue_, owner_.node)) {
      push(SectionFormat::kRecords, Worth::kRecords, 1, utc_now(), model::encode_records({*said}));
    }
    return false;
  }
  if (!past_.front().queue.idle()) return false;
  drop_past();
  return true;
}

bool OutboxLives::give_up() {
  if (past_.empty() || has_successor(past_.front().path, owner_.incarnation)) return false;
  drop_past();
  return true;
}

void OutboxLives::drop_past() {
  remove(past_.front().path);
  past_.pop_front();
}

bool add_last_words(const SpoolPlace& place, const SpoolOwner& owner, const model::Record& record) {
  const auto found = earlier_lives(place, owner);
  if (found.empty()) return false;
  const auto& [path, spooled] = found.back();
  auto spool = Spool::open(path, spooled.owner, place.bytes_max + kSpoolBytesMin);
  if (!spool) return false;
  return spool.value()->push({spooled.last() + 1, 1,
                              static_cast<std::uint8_t>(SectionFormat::kRecords), utc_now(),
                              model::Blob{model::encode_records({record})}});
}

}  // namespace tidemark::journal
