#include "journal/backup_manifest.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

namespace tidemark::journal {
namespace {

constexpr std::string_view kTitle = "tidemark backup 1\n";

Error bad(const std::string& what) {
  return Error{Code::kCorruption, "the list of the backup's files: " + what};
}

std::string hex(std::uint32_t crc) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", crc);
  return text;
}

std::string hex(const Digest& digest) {
  std::string out;
  for (const auto byte : digest) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", byte);
    out += text;
  }
  return out;
}

/// Words of one line, from the front.
class Words {
 public:
  explicit Words(std::string_view line) : left_(line) {}

  std::string_view take() {
    const auto end = std::min(left_.find(' '), left_.size());
    const auto word = left_.substr(0, end);
    left_.remove_prefix(std::min(end + 1, left_.size()));
    return word;
  }
  std::string_view rest() const { return left_; }
  template <class T>
  T take_number(int base = 10) {
    const auto word = take();
    T value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
    if (error != std::errc{} || end != word.data() + word.size()) ok_ = false;
    return value;
  }
  std::optional<Digest> take_digest() {
    const auto word = take();
    Digest digest{};
    if (word.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
      const auto* at = word.data() + 2 * i;
      const auto [end, error] = std::from_chars(at, at + 2, digest[i], 16);
      if (error != std::errc{} || end != at + 2) return std::nullopt;
    }
    return digest;
  }
  bool ok() const { return ok_; }

 private:
  std::string_view left_;
  bool ok_ = true;
};

/// It must not lead out of the backup.
bool is_inside(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.back() == '/' || path.find('\0') != path.npos) {
    return false;
  }
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const auto part = path.substr(0, end);
    if (part.empty() || part == "." || part == "..") return false;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

}  // namespace

std::uint64_t BackupManifest::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& file : files) sum += file.bytes;
  return sum;
}

Bytes encode(const BackupManifest& manifest) {
  Bytes out(kTitle);
  out += "made " + to_iso(manifest.made_at, 9) + "\n";
  out += "last " + std::to_string(raw(manifest.last)) + " " + hex(manifest.head) + "\n";
  for (const auto& file : manifest.files) {
    out += "file " + hex(file.crc) + " " + std::to_string(file.bytes) + " " +
           std::to_string(file.modified) + " " + file.path + "\n";
  }
  out += "end " + hex(crc32(out)) + "\n";
  return out;
}

Result<BackupManifest> decode_backup_manifest(BytesView text) {
  if (!text.starts_with(kTitle)) return bad("it begins otherwise");
  BackupManifest manifest;
  bool made = false;
  bool ended = false;
  bool has_last = false;
  for (std::size_t at = kTitle.size(); at < text.size();) {
    if (ended) return bad("it goes on behind its end");
    const auto end = text.find('\n', at);
    if (end == text.npos) return bad("its last line is cut off");
    Words words(text.substr(at, end - at));
    const auto what = words.take();
    if (what == "made") {
      const auto time = parse_iso(words.take());
      if (!time) return bad("when it was made");
      manifest.made_at = *time;
      made = true;
    } else if (what == "last") {
      manifest.last = Line{words.take_number<std::uint64_t>()};
      const auto head = words.take_digest();
      if (!head) return bad("the digest");
      manifest.head = *head;
      has_last = true;
    } else if (what == "file") {
      BackupFile file;
      file.crc = words.take_number<std::uint32_t>(16);
      file.bytes = words.take_number<std::uint64_t>();
      file.modified = words.take_number<std::int64_t>();
      file.path = words.rest();
      if (!is_inside(file.path)) return bad("a path");
      manifest.files.push_back(std::move(file));
    } else if (what == "end") {
      if (words.take_number<std::uint32_t>(16) != crc32(text.substr(0, at))) {
        return bad("its checksum is wrong");
      }
      ended = true;
    } else {
      return bad("a line of another kind");
    }
    if (!words.ok()) return bad("a number");
    at = end + 1;
  }
  if (!made || !has_last || !ended) return bad("it is cut off");
  return manifest;
}

}  // namespace tidemark::journal
