// test/journal/append_forever.cpp
//
// Appends to a journal until it is killed, and writes each acknowledged line to stdout as eight
// bytes. Line n is a message with the text n. When it cannot open the journal it says why on
// stderr and exits with the code of the error.
//
//   append_forever <directory> batch|interval

#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "journal/rocks_store.h"
#include "journal_samples.h"

int main(int argc, char** argv) {
  using namespace tidemark;
  using namespace tidemark::journal;
  if (argc != 3) return 100;
  const bool batch = std::string_view(argv[2]) == "batch";
  auto opened = open_rocks_store(
      {.directory = argv[1], .sync = batch ? SyncMode::kBatch : SyncMode::kInterval});
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return static_cast<int>(opened.error().code);
  }
  auto& store = *opened.value();
  while (true) {
    const std::uint64_t next = raw(store.last()) + 1;
    std::vector<model::Record> records;
    for (std::uint64_t line = next; line < next + next % 97 + 1; ++line) {
      records.push_back(message(std::to_string(line)));
    }
    const auto appended = append_one(store, section_of(records, next));
    if (!appended) return 101;
    const std::uint64_t last = raw(appended.value().last);
    if (::write(STDOUT_FILENO, &last, sizeof last) != sizeof last) return 102;
  }
}
