#include "epics/search_socket.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>

#include <random>

namespace tidemark::epics {
namespace {

using testing::IsEmpty;

constexpr std::size_t kHeader = 16;

Bytes header(std::uint16_t command, std::uint16_t payload, std::uint16_t type, std::uint32_t p1,
             std::uint32_t p2) {
  Bytes out;
  append_be(out, command);
  append_be(out, payload);
  append_be(out, type);
  append_be(out, std::uint16_t{13});
  append_be(out, p1);
  append_be(out, p2);
  return out;
}

TEST(SearchDatagram, IsAVersionMessageAndThenOneMessagePerName) {
  SearchDatagram datagram;
  EXPECT_TRUE(datagram.empty());
  EXPECT_TRUE(datagram.add(SearchId{7}, "MAG:Q1"));

  const auto& bytes = datagram.bytes();
  EXPECT_EQ(bytes.size(), kHeader + kHeader + 8);
  EXPECT_EQ(bytes.substr(kHeader, kHeader), header(6, 8, 5, 7, 7));
  EXPECT_EQ(bytes.substr(2 * kHeader), Bytes("MAG:Q1\0\0", 8));
}

TEST(SearchDatagram, EndsEveryNameWithANul) {
  SearchDatagram datagram;
  datagram.add(SearchId{1}, "12345678");

  EXPECT_EQ(datagram.bytes().size(), 2 * kHeader + 16);
}

TEST(SearchDatagram, IsFullBeforeItIsTooLongForAFrame) {
  SearchDatagram datagram;
  std::uint32_t names = 0;
  while (datagram.add(SearchId{names}, "SOME:NAME:123")) ++names;

  EXPECT_EQ(names, 31u);
  EXPECT_LE(datagram.bytes().size(), 1024u);
}

TEST(SearchAnswers, NameTheServerThatSentThem) {
  const auto sender = ::inet_addr("10.1.2.3");
  auto datagram = header(0, 0, 0, 0, 0);
  datagram += header(6, 8, 5064, 0xffffffff, 41) + Bytes(8, '\0');
  datagram += header(6, 8, 5070, 0x0a000001, 42) + Bytes(8, '\0');

  const auto answers = decode_search_answers(datagram, sender);

  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].id, SearchId{41});
  EXPECT_EQ(answers[0].server, "10.1.2.3:5064");
  EXPECT_EQ(answers[1].server, "10.0.0.1:5070");
}

TEST(SearchAnswers, ComeFromNoOtherBytes) {
  EXPECT_THAT(decode_search_answers("", 0), IsEmpty());
  EXPECT_THAT(decode_search_answers(header(14, 0, 5064, 1, 2), 0), IsEmpty());
  EXPECT_THAT(decode_search_answers(header(6, 8, 5064, 1, 2).substr(0, 15), 0), IsEmpty());
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 1000; ++i) {
    Bytes noise(random() % 200, '\0');
    for (auto& each : noise) each = static_cast<char>(random());
    EXPECT_LE(decode_search_answers(noise, 1).size(), noise.size() / kHeader);
  }
}

}  // namespace
}  // namespace tidemark::epics
