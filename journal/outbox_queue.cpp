#include "journal/outbox_queue.h"

#include <algorithm>

namespace tidemark::journal {
namespace {

constexpr std::size_t kSectionOverhead = 128;  // bookkeeping, so that tiny sections count too

std::size_t weight(const model::api::AppendSection& section) {
  return section.payload.bytes.size() + kSectionOverhead;
}

}  // namespace

std::uint64_t OutboxQueue::push(SectionFormat format, std::uint32_t count, UtcTime sent_at,
                                Bytes payload) {
  sections_.push_back({next_sequence_, count, static_cast<std::uint8_t>(format), sent_at,
                       model::Blob{std::move(payload)}});
  next_sequence_ += count;
  bytes_ += weight(sections_.back());
  if (bytes_ > limits_.bytes_max) make_room();
  return next_sequence_ - 1;
}

void OutboxQueue::make_room() {
  for (std::size_t i = 0; i < sections_.size() && bytes_ > limits_.bytes_max;) {
    if (sections_[i].format != static_cast<std::uint8_t>(SectionFormat::kUpdates)) {
      ++i;
      continue;
    }
    bytes_ -= weight(sections_[i]);
    dropped_ += sections_[i].count;
    sections_.erase(sections_.begin() + static_cast<std::ptrdiff_t>(i));
    if (i < sent_) --sent_;
  }
}

std::vector<model::api::AppendSection> OutboxQueue::next() {
  std::vector<model::api::AppendSection> taken;
  if (requests_ >= limits_.requests_max) return taken;
  std::size_t bytes = 0;
  while (sent_ < sections_.size()) {
    const auto& section = sections_[sent_];
    if (!taken.empty() && bytes + weight(section) > limits_.request_bytes_max) break;
    bytes += weight(section);
    taken.push_back(section);
    ++sent_;
  }
  if (!taken.empty()) ++requests_;
  return taken;
}

void OutboxQueue::acknowledged(std::uint64_t through) {
  if (requests_ > 0) --requests_;
  acknowledged_ = std::max(acknowledged_, through);
  while (!sections_.empty() &&
         sections_.front().sequence + sections_.front().count - 1 <= acknowledged_) {
    bytes_ -= weight(sections_.front());
    sections_.pop_front();
    if (sent_ > 0) --sent_;
  }
}

void OutboxQueue::rewind() {
  sent_ = 0;
  requests_ = 0;
}

std::uint64_t OutboxQueue::after() const {
  if (sent_ == 0) return acknowledged_;
  const auto& before = sections_[sent_ - 1];
  return before.sequence + before.count - 1;
}

}  // namespace tidemark::journal
