// test/journal/append_forever.cpp
//
// Appends to a journal until it is killed, and writes each acknowledged line to stdout as eight
// bytes. Line n is a message with the text n; with `segments`, of which the log gives up all but the
// newest, some are updates with the value n. When it cannot open the journal it says why on stderr
// and exits with the code of the error.
//
//   append_forever <directory> batch|interval|segments

#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string_view>

#include "journal/rocks_store.h"
#include "journal_samples.h"
#include "small_segments.h"

int main(int argc, char** argv) {
  using namespace tidemark;
  using namespace tidemark::journal;
  if (argc != 3) return 100;
  const std::string_view mode = argv[2];
  auto opened = open_rocks_journal(
      {.directory = argv[1],
       .sync = mode == "interval" ? SyncMode::kInterval : SyncMode::kBatch});
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return static_cast<int>(opened.error().code);
  }
  auto& store = *opened.value().store;
  std::optional<SmallSegments> segments;
  if (mode == "segments") segments.emplace(opened.value());
  while (true) {
    const std::uint64_t next = raw(store.last()) + 1;
    std::vector<model::Record> records;
    std::vector<model::PvUpdate> updates;
    for (std::uint64_t line = next; line < next + next % 97 + 1; ++line) {
      records.push_back(message(std::to_string(line)));
      updates.push_back(value_of(static_cast<std::uint32_t>(1 + line % 7),
                                 static_cast<double>(line)));
    }
    const bool is_updates = segments && next % 3 == 0;
    const auto appended = append_one(
        store, is_updates ? section_of(updates, next) : section_of(records, next));
    if (!appended) return 101;
    const std::uint64_t last = raw(appended.value().last);
    if (::write(STDOUT_FILENO, &last, sizeof last) != sizeof last) return 102;
    if (segments && !segments->advance()) return 104;
  }
}
