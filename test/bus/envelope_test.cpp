// test/bus/envelope_test.cpp

#include "bus/envelope.h"

#include <gtest/gtest.h>

#include "bus/failure.h"
#include "hex.h"

namespace tidemark::bus {
namespace {

// Also in docs/bus-protocol.md.
constexpr std::string_view kRequest =
    "51 01 05 0e 07 00 00 00 1a 2b 3c 4d 07 00 00 00 "
    "01 00 00 00 00 00 00 00 00 f2 05 2a 01 00 00 00 "
    "01 00 00 00 c2 27 58 26 6a 6f 75 72 6e 61 6c 2e "
    "61 70 70 65 6e 64 c0";
constexpr std::string_view kSentAgain =
    "51 01 06 0e 07 00 00 00 1a 2b 3c 4d 07 00 00 00 "
    "01 00 00 00 00 00 00 00 00 f2 05 2a 01 00 00 00 "
    "01 00 00 00 c2 27 58 26 03 00 00 00 00 00 00 00 "
    "6a 6f 75 72 6e 61 6c 2e 61 70 70 65 6e 64 c0";
constexpr std::string_view kFailed =
    "46 01 05 00 03 00 00 00 1a 2b 3c 4d 07 00 00 00 "
    "01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
    "0d 00 00 00 77 7f bf 97 92 02 aa 6e 6f 20 73 75 "
    "63 68 20 50 56";

Envelope example_request() {
  Envelope request;
  request.kind = EnvelopeKind::kRequest;
  request.call = make_call_id(NodeNumber{0x1a2b3c4d}, 7, 1);
  request.budget = std::chrono::seconds(5);
  request.incarnation = 7;
  request.method = "journal.append";
  request.payload = "\xc0";
  return request;
}

TEST(Envelope, RequestHasTheBytesOfTheProtocolPage) {
  EXPECT_EQ(to_hex(encode_envelope(example_request())), kRequest);
}

TEST(Envelope, FailureHasTheBytesOfTheProtocolPage) {
  Envelope failed;
  failed.kind = EnvelopeKind::kFailed;
  failed.call = example_request().call;
  failed.incarnation = 3;
  failed.payload = pack_failure(Error{Code::kNotFound, "no such PV"});
  EXPECT_EQ(to_hex(encode_envelope(failed)), kFailed);
}

TEST(Envelope, IsReadAsItWasWritten) {
  const auto bytes = from_hex(kRequest);
  const auto read = decode_envelope(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read.value(), example_request());
  EXPECT_EQ(caller_of(read.value().call), NodeNumber{0x1a2b3c4d});
}

TEST(Envelope, BudgetCanBeCutWhileARequestWaits) {
  auto bytes = encode_envelope(example_request());
  set_budget(bytes, std::chrono::milliseconds(20));
  EXPECT_EQ(decode_envelope(bytes).value().budget, std::chrono::milliseconds(20));
}

TEST(Envelope, RequestThatIsSentAgainNamesTheServerInALongerHeader) {
  auto bytes = encode_envelope(example_request());
  set_server(bytes, 3);
  EXPECT_EQ(to_hex(bytes), kSentAgain);
  auto expected = example_request();
  expected.server = 3;
  EXPECT_EQ(decode_envelope(bytes).value(), expected);
  EXPECT_EQ(encode_envelope(expected), bytes);
  set_budget(bytes, std::chrono::milliseconds(20));
  EXPECT_EQ(decode_envelope(bytes).value().budget, std::chrono::milliseconds(20));
}

TEST(Envelope, AnswerSaysHowManyPartsCameBeforeIt) {
  Envelope done;
  done.kind = EnvelopeKind::kDone;
  done.call = example_request().call;
  done.parts = 12;
  const auto bytes = encode_envelope(done);
  EXPECT_EQ(read_le<std::uint64_t>(bytes, 24), 12U);
  EXPECT_EQ(decode_envelope(bytes).value(), done);
}

TEST(Envelope, NoTruncationIsAccepted) {
  const auto bytes = encode_envelope(example_request());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_envelope(BytesView(bytes).substr(0, size))) << size;
  }
}

TEST(Envelope, DamageInMethodOrPayloadIsNoticed) {
  const auto good = encode_envelope(example_request());
  for (std::size_t at = kEnvelopeHeaderBytes; at < good.size(); ++at) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    EXPECT_FALSE(decode_envelope(bad)) << at;
  }
}

TEST(Envelope, AnswerThatNamesAMethodIsRefused) {
  auto bytes = encode_envelope(example_request());
  bytes[0] = 'D';
  EXPECT_FALSE(decode_envelope(bytes));
}

TEST(Failure, ComesBackAsItWas) {
  const Error error{Code::kRefused, "interlock open"};
  EXPECT_EQ(unpack_failure(pack_failure(error)), error);
}

TEST(Failure, OfALaterVersionKeepsItsMessage) {
  EXPECT_EQ(unpack_failure("\x92\x63\xa2no"), (Error{Code::kFailed, "no"}));
}

TEST(Failure, ThatIsNoneIsCorruption) {
  EXPECT_EQ(unpack_failure("nonsense").code, Code::kCorruption);
}

}  // namespace
}  // namespace tidemark::bus
