// bus/curve_keys.h
//
// CURVE keys, and the directory in which a site keeps them:
//
//   monitor.secret          only on the host that runs the node; mode 0600
//   monitor.public          wherever somebody must know the node before it is in the directory
//   allowed/monitor.public  who may connect to the nodes of this host; links or copies
//
// A key is 32 raw bytes in memory, as ZeroMQ and NodeInfo have it, and z85 (40 characters) in
// files and in messages for people.

#pragma once

#include <map>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::bus {

constexpr std::size_t kCurveKeyBytes = 32;

struct CurveKeys {
  Bytes public_key;
  Bytes secret_key;
};

/// A new random pair.
CurveKeys make_curve_keys();

std::string to_z85(BytesView key);

/// Reads `<directory>/<name>.secret`; the public key follows from it.
/// Errors: kUnavailable      it is not there or cannot be read; the message says how to make it.
///         kRefused          others than its owner may read it; the message says chmod.
///         kInvalidArgument  it holds no key.
Result<CurveKeys> load_curve_keys(const std::string& directory, const std::string& name);

/// Reads `<directory>/<name>.public`. Errors: as load_curve_keys().
Result<Bytes> load_public_key(const std::string& directory, const std::string& name);

/// Names by public key: every *.public of `<directory>/allowed`. A file that holds no key is
/// left out, and logged.
/// Errors: kUnavailable  it cannot be listed, or holds more files than kAllowedKeysMax.
Result<std::map<Bytes, std::string>> load_allowed_keys(const std::string& directory);
constexpr std::size_t kAllowedKeysMax = 4096;  // a bound on the work of one look

/// Writes both files of `name`, each aside, synced and moved into place.
/// Errors: kConflict     one of them exists and `replace` is false. Nothing written.
///         kUnavailable  the directory cannot be written. There may be a secret file without its
///                       public one: repeat with `replace`.
Result<Unit> save_curve_keys(const std::string& directory, const std::string& name,
                             const CurveKeys& keys, bool replace);

/// Links `<directory>/allowed/<name>.public` to `<name>.public`, so that it follows a new key.
/// What is there already stays. Errors: kUnavailable.
Result<Unit> allow_key(const std::string& directory, const std::string& name);

}  // namespace tidemark::bus
