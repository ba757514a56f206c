#include "actors/intake.h"

#include <utility>

namespace tidemark::actors {
namespace {

/// A block that the store refuses for its size would stop everybody.
Result<Unit> check_size(const model::api::AppendRequest& request) {
  std::size_t bytes = 0;
  for (const auto& each : request.sections) bytes += each.payload.bytes.size();
  if (request.sections.size() <= Intake::kRequestSectionsMax && bytes <= Intake::kRequestBytesMax) {
    return Unit{};
  }
  return Error{Code::kInvalidArgument,
               request.node + " sends " + std::to_string(request.sections.size()) +
                   " sections of " + std::to_string(bytes) + " bytes at once; at most " +
                   std::to_string(Intake::kRequestSectionsMax) + " of " +
                   std::to_string(Intake::kRequestBytesMax)};
}

bool holds_updates(const model::api::AppendSection& section) {
  return section.format == static_cast<std::uint8_t>(journal::SectionFormat::kUpdates);
}

}  // namespace

Intake::Mark Intake::mark_of(const Uuid& origin) {
  const auto known = marks_.find(origin);
  if (known != marks_.end()) return known->second;
  const auto stored = store_.mark_of(origin);
  if (!stored) return {};
  // After a restart of the journal we do not know what kind of records an origin sends: assume
  // PV updates, so that a gap is rather recorded than not.
  return {stored->incarnation, stored->sequence, stored->recorded_at, true};
}

void Intake::remember(const Uuid& origin, const Mark& mark) {
  const bool is_new = marks_.insert_or_assign(origin, mark).second;
  if (mark.incarnation != model::api::kShortLived || !is_new) return;
  if (++short_lived_ < journal::kShortLivedSwept) return;
  short_lived_ = 0;
  std::erase_if(marks_, [&](const auto& each) {
    return journal::is_forgotten(each.second.incarnation, each.second.recorded_at,
                                 mark.recorded_at);
  });
}

journal::InspectedSection Intake::gap_section(const model::Gap& gap, std::uint64_t sequence,
                                              UtcTime now) const {
  journal::Section section{me_,
                           my_incarnation_,
                           sequence,
                           1,
                           journal::SectionFormat::kRecords,
                           now,
                           model::encode_records({gap})};
  auto inspected = journal::inspect(std::move(section));
  TIDEMARK_CHECK(inspected.ok());
  return std::move(inspected).value();
}

Result<Intake::Taken> Intake::take(const model::api::AppendRequest& request, UtcTime now) {
  if (const auto fits = check_size(request); !fits) return fits.error();
  // What is acknowledged counts as stored: no record from there on back would be looked at.
  if (request.acknowledged > request.after) {
    return Error{Code::kInvalidArgument,
                 request.node + " says acknowledged " + std::to_string(request.acknowledged) +
                     ", which is more than after " + std::to_string(request.after)};
  }
  if (!request.sections.empty() && request.acknowledged >= request.sections.front().sequence) {
    return Error{Code::kInvalidArgument, request.node + " says acknowledged " +
                                             std::to_string(request.acknowledged) +
                                             ", and its first section has the sequence " +
                                             std::to_string(request.sections.front().sequence)};
  }
  Taken taken;
  auto mark = mark_of(request.origin);
  if (request.incarnation < mark.incarnation) {
    return Error{Code::kRefused, request.node + " incarnation " +
                                     std::to_string(request.incarnation) + " is superseded by " +
                                     std::to_string(mark.incarnation)};
  }
  std::vector<model::Gap> gaps;
  if (request.incarnation > mark.incarnation) {
    if (mark.incarnation != 0 && mark.updates && !request.complete) {
      gaps.push_back({request.origin, request.node, mark.incarnation, mark.sequence + 1, 0,
                      mark.recorded_at, now,
                      "node restarted; what changed meanwhile was not seen"});
    }
    mark = {request.incarnation, 0, now, false};
  }
  if (request.acknowledged > mark.sequence) {
    // Or it is short-lived, and we forgot it.
    if (request.incarnation != model::api::kShortLived) {
      gaps.push_back({request.origin, request.node, request.incarnation, mark.sequence + 1,
                      request.acknowledged, mark.recorded_at, now,
                      "acknowledged once, and not here: this journal is an older copy"});
    }
    mark.sequence = request.acknowledged;
  }
  std::uint64_t gaps_made = 0;
  bool first = true;
  for (const auto& each : request.sections) {
    const bool may_come = std::exchange(first, false) && request.after > mark.sequence;
    const auto last = each.sequence + each.count - 1;
    if (each.count == 0 || last < each.sequence) {
      return Error{Code::kCorruption, "section of no records from " + request.node};
    }
    if (last <= mark.sequence) {
      ++duplicates_;
      continue;
    }
    if (each.sequence > mark.sequence + 1) {
      if (may_come) {
        return Error{Code::kConflict, "expected record " + std::to_string(mark.sequence + 1) +
                                          " of " + request.node + " before " +
                                          std::to_string(each.sequence)};
      }
      if (!request.sparse) {
        gaps.push_back({request.origin, request.node, request.incarnation, mark.sequence + 1,
                        each.sequence - 1, mark.recorded_at, now,
                        "dropped at the source: too much was held back"});
      }
    } else if (each.sequence <= mark.sequence) {
      return Error{Code::kCorruption, "section of " + request.node + " begins at record " +
                                          std::to_string(each.sequence) +
                                          " inside one that is stored"};
    }
    if (each.format == static_cast<std::uint8_t>(journal::SectionFormat::kExpired)) {
      return Error{Code::kCorruption, "section of " + request.node + ": nothing expires there"};
    }
    auto inspected = journal::inspect({request.origin, request.incarnation, each.sequence,
                                       each.count, static_cast<journal::SectionFormat>(each.format),
                                       each.sent_at, each.payload.bytes});
    if (!inspected) {
      return Error{inspected.error().code,
                   "section of " + request.node + ": " + inspected.error().message};
    }
    for (const auto& gap : gaps) {
      taken.sections.push_back(gap_section(gap, my_sequence_ + ++gaps_made, now));
    }
    gaps.clear();
    taken.sections.push_back(std::move(inspected).value());
    mark.sequence = last;
    mark.recorded_at = now;
    mark.updates = mark.updates || holds_updates(each);
  }
  if (!taken.sections.empty()) remember(request.origin, mark);
  my_sequence_ += gaps_made;
  gaps_ += gaps_made;
  taken.through = mark.sequence;
  return taken;
}

}  // namespace tidemark::actors
