#include "journal/witness.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/failpoint.h"

namespace tidemark::journal {
namespace {

constexpr BytesView kMagic = "TMWT";
constexpr std::uint32_t kWitnessFormat = 1;

// In a slot: magic 4, format u32, writes u64, last u64, head 16, CRC-32 of these 40 bytes; told
// u64, boot 16, CRC-32 of all before it. Earlier versions know the first part only, and write zeros
// behind.
constexpr std::size_t kAtFormat = 4;
constexpr std::size_t kAtWrites = 8;
constexpr std::size_t kAtLast = 16;
constexpr std::size_t kAtHead = 24;
constexpr std::size_t kAtCrc = 40;
constexpr std::size_t kAtTold = 44;
constexpr std::size_t kAtBoot = 52;
constexpr std::size_t kAtToldCrc = 68;

Error system_error(const std::string& what, const std::string& path) {
  return Error{Code::kUnavailable, what + " " + path + ": " + std::strerror(errno)};
}

Bytes encode(const Witnessed& witnessed) {
  Bytes slot(kMagic);
  append_le(slot, kWitnessFormat);
  append_le(slot, witnessed.writes);
  append_le(slot, raw(witnessed.last));
  slot.append(reinterpret_cast<const char*>(witnessed.head.data()), witnessed.head.size());
  append_le(slot, crc32(slot));
  append_le(slot, raw(witnessed.told));
  slot.append(reinterpret_cast<const char*>(witnessed.boot.bytes.data()),
              witnessed.boot.bytes.size());
  append_le(slot, crc32(slot));
  slot.resize(kWitnessSlotBytes, '\0');
  return slot;
}

std::optional<Witnessed> decode(BytesView slot) {
  if (slot.substr(0, kMagic.size()) != kMagic) return std::nullopt;
  if (read_le<std::uint32_t>(slot, kAtCrc) != crc32(slot.substr(0, kAtCrc))) return std::nullopt;
  if (read_le<std::uint32_t>(slot, kAtFormat) != kWitnessFormat) return std::nullopt;
  Witnessed witnessed;
  witnessed.writes = read_le<std::uint64_t>(slot, kAtWrites);
  witnessed.last = Line{read_le<std::uint64_t>(slot, kAtLast)};
  std::memcpy(witnessed.head.data(), slot.data() + kAtHead, witnessed.head.size());
  if (read_le<std::uint32_t>(slot, kAtToldCrc) == crc32(slot.substr(0, kAtToldCrc))) {
    witnessed.told = Line{read_le<std::uint64_t>(slot, kAtTold)};
    std::memcpy(witnessed.boot.bytes.data(), slot.data() + kAtBoot, witnessed.boot.bytes.size());
  }
  return witnessed;
}

Result<std::optional<Witnessed>> read_slots(int fd, const std::string& path) {
  std::optional<Witnessed> newest;
  for (std::size_t slot = 0; slot < 2; ++slot) {
    Bytes bytes(kWitnessSlotBytes, '\0');
    const auto got =
        ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(slot * kWitnessSlotBytes));
    if (got < 0) return system_error("cannot read the witness", path);
    if (const auto found = decode(bytes); found && (!newest || found->writes > newest->writes)) {
      newest = found;
    }
  }
  return newest;
}

}  // namespace

Uuid this_boot() {
  std::ifstream from("/proc/sys/kernel/random/boot_id");
  std::string text;
  std::getline(from, text);
  return Uuid::parse(text).value_or(Uuid{});
}

Result<std::optional<Witnessed>> read_witness(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return std::optional<Witnessed>{};
    return system_error("cannot open the witness", path);
  }
  auto newest = read_slots(fd, path);
  ::close(fd);
  return newest;
}

Result<std::unique_ptr<WitnessFile>> WitnessFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_DSYNC | O_CLOEXEC, 0644);
  if (fd < 0) return system_error("cannot open the witness", path);
  std::unique_ptr<WitnessFile> file(new WitnessFile(path, fd));
  const auto size = ::lseek(fd, 0, SEEK_END);
  if (size >= 0 && static_cast<std::size_t>(size) < 2 * kWitnessSlotBytes) {
    const Bytes zeros(2 * kWitnessSlotBytes - static_cast<std::size_t>(size), '\0');
    if (::pwrite(fd, zeros.data(), zeros.size(), size) != static_cast<ssize_t>(zeros.size())) {
      return system_error("cannot write the witness", path);
    }
    // The name of a new file is durable only with its directory.
    const auto folder = std::filesystem::path(path).parent_path().string();
    const int folder_fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = folder_fd >= 0 && ::fsync(folder_fd) == 0;
    const auto error = system_error("cannot sync", folder);
    if (folder_fd >= 0) ::close(folder_fd);
    if (!synced) return error;
  }
  const auto newest = read_slots(fd, path);
  if (!newest) return newest.error();
  file->newest_ = newest.value().value_or(Witnessed{});
  return file;
}

WitnessFile::~WitnessFile() { ::close(fd_); }

Result<Unit> WitnessFile::write(Line last, const Digest& head, Line told, const Uuid& boot) {
  const Witnessed next{last, head, newest_.writes + 1, told, boot};
  const Bytes slot = encode(next);
  const auto at = static_cast<off_t>(next.writes % 2 * kWitnessSlotBytes);
  failpoint("journal.witness.before");
  if (::pwrite(fd_, slot.data(), slot.size(), at) != static_cast<ssize_t>(slot.size())) {
    return system_error("cannot write the witness", path_);
  }
  failpoint("journal.witness.written");
  newest_ = next;
  return Unit{};
}

}  // namespace tidemark::journal
