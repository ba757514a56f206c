// test/fuzz/fuzz_search_answers.cpp
//
// Any bytes: decode_search_answers() must return, with no more answers than headers fit, each with
// the address of a server.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "epics/search_socket.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  constexpr std::size_t kHeaderBytes = 16;
  constexpr std::uint32_t kSender = 0x0100007f;  // 127.0.0.1 in network order
  const BytesView datagram(reinterpret_cast<const char*>(data), size);
  const auto answers = epics::decode_search_answers(datagram, kSender);
  TIDEMARK_CHECK(answers.size() <= size / kHeaderBytes);
  for (const auto& answer : answers) {
    const auto colon = answer.server.find(':');
    TIDEMARK_CHECK(colon != std::string_view::npos && colon >= 7 && colon <= 15);
    TIDEMARK_CHECK(answer.server.size() > colon + 1);
  }
  return 0;
}
