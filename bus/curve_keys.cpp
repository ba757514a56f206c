// bus/curve_keys.cpp

#include "bus/curve_keys.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

namespace tidemark::bus {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kZ85Bytes = 40;
constexpr std::string_view kPublic = ".public";
constexpr std::string_view kSecret = ".secret";

using Z85Text = char[kZ85Bytes + 1];  // as ZeroMQ wants it, with a terminating zero

std::string file_of(const std::string& directory, const std::string& name,
                    std::string_view suffix) {
  return directory + "/" + name + std::string(suffix);
}

Error failed(const std::string& what, const std::string& file, int error) {
  return Error{Code::kUnavailable, what + " " + file + ": " + std::strerror(error)};
}

std::optional<Bytes> from_z85(const std::string& text) {
  Bytes key(kCurveKeyBytes, '\0');
  auto* raw = reinterpret_cast<std::uint8_t*>(key.data());
  if (text.size() != kZ85Bytes || zmq_z85_decode(raw, text.c_str()) == nullptr) return {};
  return key;
}

/// The key in `file`. A secret that others may read is none.
Result<Bytes> read_key(const std::string& file, bool secret) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed("cannot read key", file, errno);
  struct stat status {};
  char text[kZ85Bytes + 2];  // the key, its line's end, and one that would be too many
  const bool known = ::fstat(fd, &status) == 0;
  const auto got = known ? ::read(fd, text, sizeof text) : -1;
  const int error = errno;
  ::close(fd);
  if (got < 0) return failed("cannot read key", file, error);
  if (secret && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error{Code::kRefused, "others than its owner may read " + file + ": chmod 600 " + file};
  }
  std::string line(text, static_cast<std::size_t>(got));
  if (line.size() == kZ85Bytes + 1 && line.back() == '\n') line.pop_back();
  auto key = from_z85(line);
  if (!key) {
    return Error{Code::kInvalidArgument, file + " holds no key: expected 40 characters of z85"};
  }
  return std::move(*key);
}

/// The same error; one about a file that cannot be read also says what to do.
Error with_advice(Error error, const char* advice) {
  if (error.code == Code::kUnavailable) error.message += advice;
  return error;
}

/// `file` has all of `text` or is as it was. Without `replace` an existing one is a conflict.
Result<Unit> write_file(const std::string& file, const std::string& text, mode_t mode,
                        bool replace) {
  std::string aside = file + ".XXXXXX";
  const int fd = ::mkostemp(aside.data(), O_CLOEXEC);
  if (fd < 0) return failed("cannot write", file, errno);
  bool done = ::fchmod(fd, mode) == 0 &&
              ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
              ::fsync(fd) == 0;
  // link() and not rename(), because it leaves alone what is there.
  done = done && (replace ? ::rename(aside.c_str(), file.c_str())
                          : ::link(aside.c_str(), file.c_str())) == 0;
  const int error = errno;
  ::close(fd);
  ::unlink(aside.c_str());  // gone already when it was renamed
  if (done) return Unit{};
  if (error == EEXIST) return Error{Code::kConflict, file + " exists"};
  return failed("cannot write", file, error);
}

}  // namespace

CurveKeys make_curve_keys() {
  Z85Text public_text;
  Z85Text secret_text;
  TIDEMARK_CHECK(zmq_curve_keypair(public_text, secret_text) == 0);
  return {*from_z85(public_text), *from_z85(secret_text)};
}

std::string to_z85(BytesView key) {
  TIDEMARK_CHECK(key.size() == kCurveKeyBytes);
  Z85Text text;
  zmq_z85_encode(text, reinterpret_cast<const std::uint8_t*>(key.data()), key.size());
  return text;
}

Result<CurveKeys> load_curve_keys(const std::string& directory, const std::string& name) {
  auto secret = read_key(file_of(directory, name, kSecret), true);
  if (!secret) return with_advice(secret.error(), " (`tidemark keygen` makes keys)");
  Z85Text public_text;
  TIDEMARK_CHECK(zmq_curve_public(public_text, to_z85(secret.value()).c_str()) == 0);
  return CurveKeys{*from_z85(public_text), std::move(secret).value()};
}

Result<Bytes> load_public_key(const std::string& directory, const std::string& name) {
  auto key = read_key(file_of(directory, name, kPublic), false);
  if (!key) return with_advice(key.error(), " (copy it from the host that runs the node)");
  return key;
}

Result<std::map<Bytes, std::string>> load_allowed_keys(const std::string& directory) {
  const auto allowed = directory + "/allowed";
  std::map<Bytes, std::string> names;
  std::size_t files = 0;
  std::error_code error;
  for (fs::directory_iterator at(allowed, error), end; !error && at != end; at.increment(error)) {
    if (++files > kAllowedKeysMax) {
      return Error{Code::kUnavailable,
                   allowed + " holds more than " + std::to_string(kAllowedKeysMax) + " files"};
    }
    const auto& path = at->path();
    if (path.extension() != kPublic) continue;
    auto key = read_key(path.string(), false);
    if (key) {
      names.emplace(std::move(key).value(), path.stem().string());
    } else {
      spdlog::warn("bus: {}", key.error().message);
    }
  }
  if (error) {
    return Error{Code::kUnavailable,
                 "cannot read the allowed keys in " + allowed + ": " + error.message()};
  }
  return names;
}

Result<Unit> save_curve_keys(const std::string& directory, const std::string& name,
                             const CurveKeys& keys, bool replace) {
  const auto secret_file = file_of(directory, name, kSecret);
  const auto public_file = file_of(directory, name, kPublic);
  for (const auto& file : {secret_file, public_file}) {
    if (!replace && fs::exists(fs::symlink_status(file))) {
      return Error{Code::kConflict, file + " exists"};
    }
  }
  const auto secret = write_file(secret_file, to_z85(keys.secret_key) + "\n", 0600, replace);
  if (!secret) return secret.error();
  return write_file(public_file, to_z85(keys.public_key) + "\n", 0644, replace);
}

Result<Unit> allow_key(const std::string& directory, const std::string& name) {
  const auto allowed = directory + "/allowed";
  const auto file = file_of(allowed, name, kPublic);
  std::error_code error;
  fs::create_directories(allowed, error);
  if (!error && !fs::exists(fs::symlink_status(file))) {
    fs::create_symlink("../" + name + std::string(kPublic), file, error);
  }
  if (error) return Error{Code::kUnavailable, "cannot write " + file + ": " + error.message()};
  return Unit{};
}

}  // namespace tidemark::bus
