// test/journal/damage.h
//
// What disks, and people who copy files about, do to a journal: one damage to one file, from a
// seed.

#pragma once

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "journal_files.h"

namespace tidemark::journal {

class Damager {
 public:
  /// `older`: the same journal as it was before.
  Damager(std::string journal, std::string older, std::uint64_t seed)
      : journal_(std::move(journal)), older_(std::move(older)), random_(seed) {}

  /// What was done, for people.
  std::string damage() {
    namespace fs = std::filesystem;
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(journal_)) {
      if (entry.is_regular_file() && entry.path().filename() != "LOG") {
        files.push_back(entry.path());
      }
    }
    std::sort(files.begin(), files.end());
    const auto path = pick(files);
    const auto name = fs::relative(path, journal_).string();
    const auto bytes = fs::file_size(path);
    switch (below(7)) {
      case 0: {
        if (bytes == 0) break;
        const auto at = below(bytes);
        flip_bit(path, at, static_cast<int>(below(8)));
        return "a bit flipped in " + name + " at " + std::to_string(at);
      }
      case 1: {
        const auto left = bytes == 0 ? 0 : below(bytes);
        fs::resize_file(path, left);
        return name + " cut off at " + std::to_string(left);
      }
      case 2: {
        if (bytes == 0) break;
        const auto at = below(bytes);
        const auto count = std::min<std::uintmax_t>(1 + below(4096), bytes - at);
        std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(static_cast<std::streamoff>(at));
        stream << std::string(count, '\0');
        return std::to_string(count) + " zeros in " + name + " at " + std::to_string(at);
      }
      case 3: {
        std::vector<fs::path> alike;
        for (const auto& each : files) {
          if (each != path && each.extension() == path.extension()) alike.push_back(each);
        }
        if (alike.empty()) break;
        const auto other = pick(alike);
        fs::rename(path, journal_ + "/swap");
        fs::rename(other, path);
        fs::rename(journal_ + "/swap", other);
        return name + " and " + other.filename().string() + " swapped";
      }
      case 4: {
        auto old = fs::path(older_) / name;
        if (!fs::exists(old) && path.filename().string().starts_with("MANIFEST")) {
          for (const auto& entry : fs::directory_iterator(older_ + "/db")) {
            if (entry.path().filename().string().starts_with("MANIFEST")) old = entry.path();
          }
        }
        if (!fs::exists(old)) break;
        fs::copy_file(old, path, fs::copy_options::overwrite_existing);
        return name + " replaced by an older one";
      }
      case 5: {
        std::ofstream(path, std::ios::app | std::ios::binary)
            << std::string(1 + below(100), static_cast<char>(below(256)));
        return "something appended to " + name;
      }
      default: fs::remove(path); return name + " removed";
    }
    return damage();  // That one did not apply.
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

  const std::string journal_;
  const std::string older_;
  std::mt19937_64 random_;
};

}  // namespace tidemark::journal
