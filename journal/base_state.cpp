#include "journal/base_state.h"

#include <algorithm>

#include "base/varint.h"
#include "journal/damage.h"
#include "journal/packed_value.h"
#include "journal/projection_keys.h"

namespace tidemark::journal {
namespace {

constexpr std::uint8_t kBaseFormat = 1;
constexpr std::size_t kMetasMax = 64u << 20;  // of a shard: 16 KiB a channel

Error corrupt_base(const char* what) {
  return Error{Code::kCorruption, std::string("the state behind lines that expired: ") + what};
}

Bytes encode_metas(const MachineState& state, std::uint32_t begin, std::uint32_t end) {
  std::vector<model::PvUpdate> metas;
  for (auto number = begin; number < end; ++number) {
    const auto* row = state.find(model::ChannelId{number});
    if (row == nullptr || !row->meta) continue;
    auto& update = metas.emplace_back();
    update.channel = model::ChannelId{number};
    update.event = model::PvUpdate::Event::kConnected;
    update.meta = row->meta;
  }
  return metas.empty() ? Bytes{} : model::encode_updates(metas);
}

bool holds_one(const std::vector<model::ChannelId>* only, std::uint32_t begin) {
  if (only == nullptr) return true;
  const auto first = std::lower_bound(only->begin(), only->end(), model::ChannelId{begin});
  return first != only->end() && raw(*first) < begin + kShardChannels;
}

}  // namespace

std::vector<KeyValue> encode_base(const BaseState& base) {
  std::vector<KeyValue> rows;
  std::uint32_t begin = 0;
  do {  // One at least: it says that there is a base.
    const auto end = std::min(begin + kShardChannels, base.state.size());
    const auto shard = encode_shard(base.state, begin, end);
    Bytes value;
    value.push_back(static_cast<char>(kBaseFormat));
    append_varint(value, raw(base.keyframe));
    append_varint(value, shard.size());
    value += shard;
    value += pack_value(encode_metas(base.state, begin, end));
    append_crc(value);
    rows.emplace_back(base_key(base.line, begin), std::move(value));
    begin += kShardChannels;
  } while (begin < base.state.size());
  return rows;
}

Result<Unit> decode_base(BytesView value, BaseState& base) {
  const auto sound = checked(value);
  if (!sound) return corrupt_base("checksum");
  VarintReader from(sound.value());
  const auto format = from.take_byte();
  base.keyframe = Line{from.take()};
  const auto size = from.take();
  if (!from.ok() || format != kBaseFormat || size > from.left()) return corrupt_base("format");
  const auto shard = decode_shard(from.take_bytes(size), base.state);
  if (!shard) return shard;
  const auto metas = unpack_value(from.rest(), kMetasMax);
  if (!metas) return metas.error();
  if (metas.value().empty()) return Unit{};
  auto updates = model::decode_updates(metas.value());
  if (!updates) return updates.error();
  for (auto& update : updates.value()) {
    const auto* row = base.state.find(update.channel);
    if (row == nullptr || update.event != model::PvUpdate::Event::kConnected) {
      return corrupt_base("what an IOC said");
    }
    auto with_meta = *row;
    with_meta.meta = std::move(update.meta);
    base.state.set(update.channel, std::move(with_meta));
  }
  return Unit{};
}

Result<std::vector<Bytes>> base_keys(const ProjectionTable& table, Line line) {
  std::vector<Bytes> keys;
  const auto scanned =
      table.scan(base_key(line), base_key(Line{raw(line) + 1}), [&](BytesView key, BytesView) {
        keys.emplace_back(key);
        return true;
      });
  if (!scanned) return scanned.error();
  return keys;
}

Result<BaseState> read_base(const ProjectionTable& table, Line line,
                            const std::vector<model::ChannelId>* only) {
  BaseState base;
  const auto found = table.last("y", base_key(Line{raw(line) + 1}));
  if (!found) return found.error();
  if (!found.value()) return base;
  if (found.value()->first.size() != base_key({}).size()) return corrupt_base("its key");
  base.line = Line{read_be<std::uint64_t>(found.value()->first, 1)};
  Result<Unit> result = Unit{};
  const auto scanned = table.scan(base_key(base.line), base_key(Line{raw(base.line) + 1}),
                                  [&](BytesView key, BytesView value) {
                                    if (key.size() != base_key({}).size()) {
                                      result = corrupt_base("its key");
                                    } else if (holds_one(only, read_be<std::uint32_t>(key, 9))) {
                                      result = decode_base(value, base);
                                    }
                                    return result.ok();
                                  });
  if (!scanned) return scanned.error();
  if (!result) return result.error();
  return base;
}

Result<BaseState> read_base_of(const ProjectionTable& table, const ExpiredRun& run,
                               const std::vector<model::ChannelId>* only) {
  auto base = read_base(table, run.last, only);
  if (!base || base.value().line == run.last) return base;
  return Error{Code::kCorruption,
               "there is no state behind " + to_text({run.first, run.last}) + ", which expired"};
}

}  // namespace tidemark::journal
