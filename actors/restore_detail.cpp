#include "actors/restore_detail.h"

namespace tidemark::actors {
namespace {

constexpr std::string_view kSnapshotWord = "snapshot ";

}  // namespace

std::string restore_detail(const Uuid& snapshot, const model::RestorePlan& plan,
                           const std::string& comment) {
  const auto text = std::string(kSnapshotWord) + snapshot.text() + ": " +
                    std::to_string(plan.writes) + " to write, " + std::to_string(plan.skips) +
                    " there already, " + std::to_string(plan.refusals) + " refused, plan " +
                    plan.hash;
  return comment.empty() ? text : comment + " (" + text + ")";
}

Uuid snapshot_in(std::string_view detail) {
  constexpr std::size_t kDigits = 36;  // of a UUID in text
  // The last one: a comment may say anything.
  const auto at = detail.rfind(kSnapshotWord);
  if (at == std::string_view::npos) return {};
  const auto id = detail.substr(at + kSnapshotWord.size());
  if (id.size() <= kDigits || id[kDigits] != ':') return {};
  return Uuid::parse(id.substr(0, kDigits)).value_or(Uuid{});
}

}  // namespace tidemark::actors
