// test/journal/journal_files.h
//
// The files of a journal: found, damaged, compared. And lines with content that can be predicted.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "base/digest.h"
#include "journal/rocks_store.h"
#include "journal_samples.h"

namespace tidemark::journal {

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Every file below, by its path, with its content.
inline std::map<std::string, std::string> files_of(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) files[entry.path().string()] = content_of(entry.path());
  }
  return files;
}

/// The largest one with that extension; empty when there is none.
inline std::filesystem::path largest_file(const std::string& directory,
                                          const std::string& extension) {
  std::filesystem::path found;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == extension &&
        (found.empty() || entry.file_size() > std::filesystem::file_size(found))) {
      found = entry.path();
    }
  }
  return found;
}

inline void flip_bit(const std::filesystem::path& path, std::uintmax_t at, int bit = 4) {
  std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const int byte = stream.get();
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(static_cast<char>(byte ^ (1 << bit)));
}

/// The record of a line: its number, and text that does not pack well, so that files get a size.
inline model::Record record_of_line(std::uint64_t line, std::size_t bytes = 100) {
  std::mt19937_64 random(line);
  std::string text = std::to_string(line) + " ";
  while (text.size() < bytes) text += static_cast<char>(' ' + random() % 64);
  return message(text);
}

/// One block: the next `count` lines of the journal.
inline Result<Appended> append_lines(Store& store, std::uint64_t count, std::size_t bytes = 100) {
  const auto first = raw(store.last()) + 1;
  std::vector<model::Record> records;
  for (auto line = first; line < first + count; ++line) {
    records.push_back(record_of_line(line, bytes));
  }
  return append_one(store, section_of(records, first));
}

/// What a scan of all lines gives: the records by line, and what it says in the end.
struct ReadBack {
  std::map<std::uint64_t, model::Record> records;
  Result<Unit> end = Unit{};
};
inline ReadBack read_back(const Store& store, Line from = Line{1}) {
  ReadBack read;
  read.end = store.scan(from, {}, [&](Block& block) {
    auto line = raw(block.first);
    for (const auto& section : block.sections) {
      const auto records = model::decode_records(section.payload);
      EXPECT_TRUE(records) << "line " << line;
      if (!records) return false;
      for (const auto& record : records.value()) read.records[line++] = record;
    }
    return true;
  });
  return read;
}

}  // namespace tidemark::journal
