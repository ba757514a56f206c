#include "journal/store_index.h"

#include <algorithm>
#include <mutex>
#include <tuple>

#include "model/api/journal.h"

namespace tidemark::journal {

bool is_forgotten(std::uint32_t incarnation, UtcTime recorded_at, UtcTime now) {
  return incarnation == model::api::kShortLived && now - recorded_at > kShortLivedKept;
}

Result<AppendPlan> StoreIndex::plan(std::span<const InspectedSection> sections,
                                    const StoreLimits& limits, UtcTime now) const {
  if (sections.empty()) return Error{Code::kInvalidArgument, "append: no sections"};
  if (sections.size() > limits.block_sections_max) {
    return Error{Code::kInvalidArgument, "append: " + std::to_string(sections.size()) +
                                             " sections, at most " +
                                             std::to_string(limits.block_sections_max)};
  }
  std::size_t bytes = 0;
  for (const auto& each : sections) bytes += each.section().payload.size();
  if (bytes > limits.block_bytes_max) {
    return Error{Code::kInvalidArgument, "append: " + std::to_string(bytes) + " bytes, at most " +
                                             std::to_string(limits.block_bytes_max)};
  }

  AppendPlan plan;
  plan.appended.first = Line{raw(last_) + 1};
  plan.appended.recorded_at = std::max(recorded_at_, now);
  std::uint64_t line = raw(last_);
  for (const auto& each : sections) {
    const auto& section = each.section();
    line += section.count;
    const OriginMark mark{section.incarnation, section.sequence + section.count - 1,
                          plan.appended.recorded_at, Line{line}};
    // An origin that repeats old records must not move its mark back: what came since would be
    // taken as new once more.
    const auto [at, is_new] = plan.marks.try_emplace(section.origin, OriginMark{});
    if (is_new) at->second = mark_of(section.origin).value_or(OriginMark{});
    if (std::tie(mark.incarnation, mark.sequence) >=
        std::tie(at->second.incarnation, at->second.sequence)) {
      at->second = mark;
    }
    for (const auto& defined : each.defined()) {
      const auto known = addresses_.find(raw(defined.channel));
      const bool stored = known != addresses_.end();
      const auto& address =
          stored ? known->second
                 : plan.defined.try_emplace(raw(defined.channel), defined.address).first->second;
      if (address != defined.address) {
        return Error{Code::kConflict, "channel " + std::to_string(raw(defined.channel)) + " is " +
                                          address + " and cannot become " + defined.address};
      }
    }
  }
  plan.appended.last = Line{line};
  return plan;
}

void StoreIndex::apply(AppendPlan plan) {
  const std::unique_lock lock(mutex_);
  last_ = plan.appended.last;
  recorded_at_ = plan.appended.recorded_at;
  for (const auto& [origin, mark] : plan.marks) {
    const bool is_new = marks_.insert_or_assign(origin, mark).second;
    if (is_new && mark.incarnation == model::api::kShortLived) ++short_lived_;
  }
  if (short_lived_ >= kShortLivedSwept) {
    short_lived_ = 0;
    std::erase_if(marks_, [&](const auto& each) {
      return is_forgotten(each.second.incarnation, each.second.recorded_at, recorded_at_);
    });
  }
  addresses_.merge(plan.defined);
}

void StoreIndex::restore(Line last, UtcTime recorded_at) {
  last_ = last;
  recorded_at_ = recorded_at;
}

Line StoreIndex::last() const {
  const std::shared_lock lock(mutex_);
  return last_;
}

std::optional<OriginMark> StoreIndex::mark_of(const Uuid& origin) const {
  const std::shared_lock lock(mutex_);
  const auto found = marks_.find(origin);
  if (found == marks_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::pair<Uuid, OriginMark>> StoreIndex::marks() const {
  std::vector<std::pair<Uuid, OriginMark>> all;
  {
    const std::shared_lock lock(mutex_);
    all.assign(marks_.begin(), marks_.end());
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.second.line > b.second.line; });
  return all;
}

std::size_t StoreIndex::channel_count() const {
  const std::shared_lock lock(mutex_);
  return addresses_.size();
}

std::vector<std::pair<model::ChannelId, std::string>> StoreIndex::channels() const {
  std::vector<std::pair<model::ChannelId, std::string>> all;
  {
    const std::shared_lock lock(mutex_);
    all.reserve(addresses_.size());
    for (const auto& [channel, address] : addresses_) {
      all.emplace_back(model::ChannelId{channel}, address);
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::optional<std::string> StoreIndex::address_of(model::ChannelId channel) const {
  const std::shared_lock lock(mutex_);
  const auto found = addresses_.find(raw(channel));
  if (found == addresses_.end()) return std::nullopt;
  return found->second;
}

}  // namespace tidemark::journal
