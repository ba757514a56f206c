#include "journal/section.h"

#include <gtest/gtest.h>

#include "journal/block_codec.h"
#include "journal_samples.h"

namespace tidemark::journal {
namespace {

TEST(InspectSection, FindsKindsLevelAndDefinitions) {
  const model::PvDefined defined{model::ChannelId{3}, "MAG:Q1"};
  const auto records = inspected(section_of({defined, message("x", model::Level::kError)}));
  EXPECT_EQ(records.kinds(),
            kind_bit(model::RecordKind::kPvDefined) | kind_bit(model::RecordKind::kLogMessage));
  EXPECT_EQ(records.level(), model::Level::kError);
  EXPECT_EQ(records.defined(), std::vector{defined});

  const auto values = inspected(section_of({value_of(1, 2)}));
  EXPECT_EQ(values.kinds(), kind_bit(model::RecordKind::kPvUpdate));
  EXPECT_EQ(values.level(), model::Level::kInfo);
  EXPECT_EQ(inspected(section_of({value_of(1, 2), disconnected(1)})).level(),
            model::Level::kWarning);
}

TEST(InspectSection, ALevelThatThereIsNotIsAnErrorAndDoesNotDamageItsBlock) {
  const auto odd = inspected(section_of({message("x", static_cast<model::Level>(9))}));
  EXPECT_EQ(odd.level(), model::Level::kError);
  model::StatusChanged changed{"psu.1/interlock", static_cast<model::Level>(255), 0, "", true, ""};
  EXPECT_EQ(inspected(section_of({model::Record{changed}})).level(), model::Level::kError);
  const Bytes bytes = encode_block(Line{1}, at_second(1), {}, {&odd, 1});
  const auto header = decode_block_header(bytes);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header.value().level, model::Level::kError);
  EXPECT_TRUE(decode_block(bytes));
}

TEST(InspectSection, RefusesACountThatIsNotThatOfThePayload) {
  for (const std::uint32_t count : {0u, 1u, 3u}) {
    Section records = section_of({message("1"), message("2")});
    records.count = count;
    EXPECT_EQ(inspect(records).error().code, Code::kCorruption) << count;
    Section updates = section_of({value_of(1, 1), value_of(2, 2)});
    updates.count = count;
    EXPECT_EQ(inspect(updates).error().code, Code::kCorruption) << count;
  }
}

TEST(InspectSection, RefusesPayloadsOfAnotherFormat) {
  Section section = section_of({message("1")});
  section.format = SectionFormat::kUpdates;
  EXPECT_EQ(inspect(section).error().code, Code::kCorruption);
  section.format = static_cast<SectionFormat>(9);
  EXPECT_EQ(inspect(section).error().code, Code::kCorruption);
  section.format = SectionFormat::kRecords;
  section.payload.pop_back();
  EXPECT_EQ(inspect(section).error().code, Code::kCorruption);
}

TEST(InspectSection, RefusesASequenceThatOverflows) {
  Section section = section_of({message("1")});
  section.sequence = ~std::uint64_t{0};
  EXPECT_EQ(inspect(section).error().code, Code::kCorruption);
}

TEST(KindBit, IsZeroForKindsThatDoNotFit) {
  EXPECT_EQ(kind_bit(static_cast<model::RecordKind>(200)), 1u);
  EXPECT_EQ(kind_bit(model::RecordKind::kPvDefined), 2u);
}

}  // namespace
}  // namespace tidemark::journal
