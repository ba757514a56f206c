#include "journal/mixed_records.h"

namespace tidemark::journal {

SplitRecords split_records(const Section& section) {
  SplitRecords split;
  const auto records = model::decode_records(section.payload);
  if (!records) return {};
  std::array<std::vector<model::Record>, kFrameClasses> by_class;
  for (const auto& record : records.value()) {
    auto of = class_of(model::kind_of(record));
    if (of == RecordClass::kPvUpdates) of = RecordClass::kKept;  // nothing that we write
    if (split.runs.empty() || split.runs.back().of != of) split.runs.push_back({of, 0});
    ++split.runs.back().count;
    by_class[static_cast<std::size_t>(of)].push_back(record);
  }
  if (split.runs.size() < 2) return split;
  for (std::uint8_t of = 0; of < kFrameClasses; ++of) {
    if (!by_class[of].empty()) split.batches[of] = model::encode_records(by_class[of]);
  }
  const auto joined = join_records(split.runs, split.batches);
  if (!joined || joined.value() != section.payload) return {};  // another encoder wrote it
  return split;
}

Result<Bytes> join_records(const std::vector<ClassRun>& runs,
                           const std::array<Bytes, kFrameClasses>& batches) {
  std::array<std::vector<model::Record>, kFrameClasses> by_class;
  for (std::uint8_t of = 0; of < kFrameClasses; ++of) {
    if (batches[of].empty()) continue;
    auto records = model::decode_records(batches[of]);
    if (!records) return records.error();
    by_class[of] = std::move(records).value();
  }
  std::array<std::size_t, kFrameClasses> next{};
  std::vector<model::Record> all;
  for (const auto& run : runs) {
    const auto of = static_cast<std::size_t>(run.of);
    if (run.count > by_class[of].size() - next[of]) {
      return Error{Code::kCorruption, "records of a segment: some of a class are missing"};
    }
    for (std::uint32_t i = 0; i < run.count; ++i) {
      all.push_back(std::move(by_class[of][next[of]++]));
    }
  }
  return model::encode_records(all);
}

}  // namespace tidemark::journal
