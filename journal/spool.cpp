// The file: magic 4, format u32, acknowledged u64, unspooled first u64 and last u64, origin 16,
// incarnation u32, bytes of the node's name u32, the name, CRC-32 of what follows unspooled. Then
// frames: bytes u32, CRC-32 of them, and these: sequence u64, count u32, format u8, sent at i64,
// payload. Progress is written in place: its eight bytes are one sector's, and an older number
// only means that some is sent twice.

#include "journal/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/digest.h"

namespace tidemark::journal {
namespace {

using model::api::AppendSection;

constexpr BytesView kSpoolMagic = "TMSP";
constexpr std::uint32_t kSpoolFormat = 1;
constexpr std::size_t kAtProgress = 8;
constexpr std::size_t kAtOwner = 32;
constexpr std::size_t kOwnerBytes = 16 + 4 + 4;  // without the name
constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kFrameHead = 8;
constexpr std::size_t kSectionHead = 8 + 4 + 1 + 8;
constexpr std::size_t kDeadBytesMax = 1u << 20;    // acknowledged, in front of what is not
constexpr std::size_t kFileBytesMax = 1ull << 36;  // as config/site.cpp allows

Error system_error(const std::string& what, const std::string& path) {
  return Error{Code::kUnavailable, what + " " + path + ": " + std::strerror(errno)};
}

Bytes encode_progress(std::uint64_t acknowledged, const Unspooled& unspooled) {
  Bytes out;
  append_le(out, acknowledged);
  append_le(out, unspooled.first);
  append_le(out, unspooled.last);
  return out;
}

Bytes encode_head(const SpoolOwner& owner) {
  Bytes name = owner.node.substr(0, kNameBytesMax);
  Bytes whose(reinterpret_cast<const char*>(owner.origin.bytes.data()), owner.origin.bytes.size());
  append_le(whose, owner.incarnation);
  append_le(whose, static_cast<std::uint32_t>(name.size()));
  whose += name;
  Bytes out(kSpoolMagic);
  append_le(out, kSpoolFormat);
  out += encode_progress(0, {});
  out += whose;
  append_le(out, crc32(whose));
  return out;
}

Bytes encode_frame(const AppendSection& section) {
  Bytes body;
  body.reserve(kSectionHead + section.payload.bytes.size());
  append_le(body, section.sequence);
  append_le(body, section.count);
  append_le(body, section.format);
  append_le(body, static_cast<std::int64_t>(section.sent_at.time_since_epoch().count()));
  body += section.payload.bytes;
  Bytes out;
  out.reserve(kFrameHead + body.size());
  append_le(out, static_cast<std::uint32_t>(body.size()));
  append_le(out, crc32(body));
  out += body;
  return out;
}

struct Decoded {
  Spooled spooled;
  std::size_t begin = 0;            // of the frames
  std::size_t end = 0;              // of the last whole one
  std::vector<std::size_t> begins;  // of each of spooled.sections
};

Result<Decoded> decode_all(BytesView bytes) {
  const Error no_spool{Code::kCorruption, "not the head of a spool"};
  if (bytes.size() < kAtOwner + kOwnerBytes || !bytes.starts_with(kSpoolMagic)) return no_spool;
  if (read_le<std::uint32_t>(bytes, kSpoolMagic.size()) != kSpoolFormat) {
    return Error{Code::kCorruption, "a spool of another version"};
  }
  Decoded out;
  auto& [owner, acknowledged, unspooled, sections] = out.spooled;
  acknowledged = read_le<std::uint64_t>(bytes, kAtProgress);
  unspooled.first = read_le<std::uint64_t>(bytes, kAtProgress + 8);
  unspooled.last = read_le<std::uint64_t>(bytes, kAtProgress + 16);
  std::memcpy(owner.origin.bytes.data(), bytes.data() + kAtOwner, owner.origin.bytes.size());
  owner.incarnation = read_le<std::uint32_t>(bytes, kAtOwner + 16);
  const auto name_bytes = read_le<std::uint32_t>(bytes, kAtOwner + 20);
  const auto at_name = kAtOwner + kOwnerBytes;
  if (name_bytes > kNameBytesMax || bytes.size() < at_name + name_bytes + 4) return no_spool;
  owner.node = Bytes(bytes.substr(at_name, name_bytes));
  const auto whose = bytes.substr(kAtOwner, kOwnerBytes + name_bytes);
  if (read_le<std::uint32_t>(bytes, at_name + name_bytes) != crc32(whose)) return no_spool;

  out.begin = out.end = at_name + name_bytes + 4;
  std::uint64_t before = 0;
  while (bytes.size() - out.end >= kFrameHead) {
    const auto size = read_le<std::uint32_t>(bytes, out.end);
    if (size < kSectionHead || bytes.size() - out.end - kFrameHead < size) break;
    const auto body = bytes.substr(out.end + kFrameHead, size);
    if (read_le<std::uint32_t>(bytes, out.end + 4) != crc32(body)) break;
    AppendSection section;
    section.sequence = read_le<std::uint64_t>(body, 0);
    section.count = read_le<std::uint32_t>(body, 8);
    section.format = read_le<std::uint8_t>(body, 12);
    section.sent_at = UtcTime{Duration{read_le<std::int64_t>(body, 13)}};
    const auto last = section.sequence + section.count - 1;
    if (section.count == 0 || section.sequence <= before || last < section.sequence) break;
    before = last;
    if (last > acknowledged) {
      section.payload.bytes = Bytes(body.substr(kSectionHead));
      out.begins.push_back(out.end);
      sections.push_back(std::move(section));
    }
    out.end += kFrameHead + size;
  }
  return out;
}

Result<Bytes> read_file(int fd, const std::string& path) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return system_error("cannot read", path);
  if (static_cast<std::size_t>(about.st_size) > kFileBytesMax) {
    return Error{Code::kUnavailable, path + " is too large for a spool"};
  }
  Bytes bytes(static_cast<std::size_t>(about.st_size), '\0');
  for (std::size_t at = 0; at < bytes.size();) {
    const auto got = ::pread(fd, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("cannot read", path);
    if (got == 0) {
      bytes.resize(at);
      break;
    }
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace

std::uint64_t Spooled::last() const {
  const auto pushed = sections.empty() ? 0 : sections.back().sequence + sections.back().count - 1;
  return std::max({acknowledged, unspooled.last, pushed});
}

Result<Spooled> decode_spool(BytesView bytes) {
  auto decoded = decode_all(bytes);
  if (!decoded) return decoded.error();
  return std::move(decoded.value().spooled);
}

Result<Spooled> read_spool(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error("cannot open", path);
  const auto bytes = read_file(fd, path);
  ::close(fd);
  if (!bytes) return bytes.error();
  auto spooled = decode_spool(bytes.value());
  if (!spooled) return Error{spooled.error().code, path + ": " + spooled.error().message};
  return spooled;
}

Spool::Spool(std::string path, int fd, std::size_t bytes_max)
    : path_(std::move(path)), fd_(fd), bytes_max_(bytes_max) {}

Result<std::unique_ptr<Spool>> Spool::open(const std::string& path, const SpoolOwner& owner,
                                           std::size_t bytes_max) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return system_error("cannot open", path);
  std::unique_ptr<Spool> self(new Spool(path, fd, bytes_max));
  const auto bytes = read_file(fd, path);
  if (!bytes) return bytes.error();
  if (bytes.value().empty()) {
    const auto head = encode_head(owner);
    if (!self->write_at(0, head)) return system_error("cannot write", path);
    self->begin_ = self->end_ = head.size();
    return self;
  }
  auto decoded = decode_all(bytes.value());
  const bool ours = decoded.ok() && decoded.value().spooled.owner == owner;
  if (!ours) {
    self->frames_.push_back({});  // Not ours to remove.
    return Error{Code::kCorruption, path + " is no spool of " + owner.node};
  }
  const auto& [spooled, begin, end, begins] = decoded.value();
  self->begin_ = begin;
  self->end_ = end;
  self->acknowledged_ = spooled.acknowledged;
  self->unspooled_ = spooled.unspooled;
  for (std::size_t i = 0; i < spooled.sections.size(); ++i) {
    const auto& section = spooled.sections[i];
    self->frames_.push_back({section.sequence + section.count - 1, begins[i]});
  }
  return self;
}

Spool::~Spool() {
  if (frames_.empty() && unspooled_.last == 0) ::unlink(path_.c_str());
  ::close(fd_);
}

bool Spool::write_at(std::size_t at, BytesView bytes) {
  while (!bytes.empty()) {
    const auto done = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    at += static_cast<std::size_t>(done);
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

void Spool::write_progress() { write_at(kAtProgress, encode_progress(acknowledged_, unspooled_)); }

bool Spool::push(const AppendSection& section) {
  const auto frame = encode_frame(section);
  if (end_ + frame.size() > bytes_max_ && !frames_.empty()) compact();
  const auto last = section.sequence + section.count - 1;
  // Behind a hole nothing is taken until the hole is past: one range says what is missing.
  const bool taken =
      unspooled_.last == 0 && end_ + frame.size() <= bytes_max_ && write_at(end_, frame);
  if (taken) {
    frames_.push_back({last, end_});
    end_ += frame.size();
    return true;
  }
  if (unspooled_.last == 0) unspooled_.first = section.sequence;
  unspooled_.last = last;
  write_progress();
  return false;
}

void Spool::acknowledged(std::uint64_t through) {
  if (through <= acknowledged_) return;
  acknowledged_ = through;
  const bool had = !frames_.empty() || unspooled_.last != 0;
  while (!frames_.empty() && frames_.front().last <= through) frames_.pop_front();
  if (unspooled_.last <= through) unspooled_ = {};
  if (!had) return;  // An older number in the head is as good: see above.
  write_progress();
  if (frames_.empty()) {
    if (::ftruncate(fd_, static_cast<off_t>(begin_)) == 0) end_ = begin_;
    return;
  }
  const auto dead = frames_.front().begin - begin_;
  if (dead > kDeadBytesMax && dead > end_ - frames_.front().begin) compact();
}

/// Into a new file that takes the place of this one: a process that dies meanwhile leaves either.
void Spool::compact() {
  const auto from = frames_.front().begin;
  if (from == begin_) return;
  Bytes bytes(begin_ + end_ - from, '\0');
  const auto read_all = [&](std::size_t into, std::size_t at, std::size_t size) {
    return ::pread(fd_, bytes.data() + into, size, static_cast<off_t>(at)) ==
           static_cast<ssize_t>(size);
  };
  if (!read_all(0, 0, begin_) || !read_all(begin_, from, end_ - from)) return;
  const auto aside = path_ + ".new";
  const int fd = ::open(aside.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return;
  const int before = std::exchange(fd_, fd);
  if (!write_at(0, bytes) || ::rename(aside.c_str(), path_.c_str()) != 0) {
    fd_ = before;
    ::close(fd);
    ::unlink(aside.c_str());
    return;
  }
  ::close(before);
  for (auto& frame : frames_) frame.begin -= from - begin_;
  end_ = bytes.size();
}

}  // namespace tidemark::journal
