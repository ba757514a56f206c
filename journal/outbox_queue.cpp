#include "journal/outbox_queue.h"

#include <algorithm>

namespace tidemark::journal {
namespace {

constexpr std::size_t kSectionOverhead = 128;  // bookkeeping, so that tiny sections count too

std::size_t size_of(const model::api::AppendSection& section) {
  return section.payload.bytes.size() + kSectionOverhead;
}

}  // namespace

OutboxQueue::OutboxQueue(OutboxLimits limits, std::uint64_t acknowledged,
                         std::vector<model::api::AppendSection> sections)
    : limits_(limits), acknowledged_(acknowledged) {
  for (auto& section : sections) {
    bytes_ += size_of(section);
    next_sequence_ = section.sequence + section.count;
    sections_.push_back({std::move(section), Worth::kRecords, false});
  }
}

std::uint64_t OutboxQueue::push(SectionFormat format, Worth worth, std::uint32_t count,
                                UtcTime sent_at, Bytes payload) {
  sections_.push_back({{next_sequence_, count, static_cast<std::uint8_t>(format), sent_at,
                        model::Blob{std::move(payload)}},
                       worth,
                       false});
  next_sequence_ += count;
  bytes_ += size_of(sections_.back().section);
  if (bytes_ > limits_.bytes_max) make_room();
  return next_sequence_ - 1;
}

void OutboxQueue::skip(std::uint64_t count) {
  next_sequence_ += count;
  dropped_ += count;
}

void OutboxQueue::make_room() {
  for (std::size_t i = 0; i < sections_.size() && bytes_ > limits_.bytes_max;) {
    auto& [section, worth, gone] = sections_[i];
    if (worth != Worth::kUpdates || gone) {
      ++i;
      continue;
    }
    bytes_ -= size_of(section);
    if (i < sent_) {
      section.payload = {};
      gone = true;
      ++i;
      continue;
    }
    dropped_ += section.count;
    sections_.erase(sections_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

std::vector<model::api::AppendSection> OutboxQueue::next() {
  std::vector<model::api::AppendSection> taken;
  if (requests_ >= limits_.requests_max) return taken;
  std::size_t bytes = 0;
  while (sent_ < sections_.size()) {
    const auto& section = sections_[sent_].section;
    const bool is_full = taken.size() >= limits_.request_sections_max ||
                         bytes + size_of(section) > limits_.request_bytes_max;
    if (!taken.empty() && is_full) break;
    bytes += size_of(section);
    taken.push_back(section);
    ++sent_;
  }
  if (!taken.empty()) ++requests_;
  return taken;
}

void OutboxQueue::acknowledged(std::uint64_t through) {
  if (requests_ > 0) --requests_;
  acknowledged_ = std::max(acknowledged_, through);
  while (!sections_.empty()) {
    const auto& oldest = sections_.front().section;
    if (oldest.sequence + oldest.count - 1 > acknowledged_) break;
    if (!sections_.front().gone) bytes_ -= size_of(oldest);
    sections_.pop_front();
    if (sent_ > 0) --sent_;
  }
}

void OutboxQueue::rewind() {
  const auto sent_end = sections_.begin() + static_cast<std::ptrdiff_t>(sent_);
  const auto kept_end = std::remove_if(sections_.begin(), sent_end, [this](const Held& held) {
    dropped_ += held.gone ? held.section.count : 0;
    return held.gone;
  });
  sections_.erase(kept_end, sent_end);
  sent_ = 0;
  requests_ = 0;
}

std::uint64_t OutboxQueue::after() const {
  if (sent_ == 0) return acknowledged_;
  const auto& before = sections_[sent_ - 1].section;
  return before.sequence + before.count - 1;
}

}  // namespace tidemark::journal
