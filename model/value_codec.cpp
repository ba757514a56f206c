// model/value_codec.cpp
//
// One PV value in msgpack, type kept: [type] for none, [type, value] for the others. Arrays of
// numbers are msgpack bin, little-endian. The type numbers are those of value_types.h.

#include "model/packing_impl.h"
#include "model/value_types.h"

namespace tidemark::model::packing {
namespace {

template <class T>
void put_array(Packer& packer, const std::vector<T>& elements) {
  if constexpr (std::is_same_v<T, std::string>) {
    packer.pack(elements);
  } else {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto bytes = elements.size() * sizeof(T);
    if (bytes > kArrayBytesMax) {  // The decoder would refuse it: say so instead of sending it.
      packer.pack_bin(0);
      return;
    }
    packer.pack_bin(static_cast<std::uint32_t>(bytes));
    packer.pack_bin_body(reinterpret_cast<const char*>(elements.data()),
                         static_cast<std::uint32_t>(bytes));
  }
}

template <class T>
PvValue get_array(const msgpack::object& from) {
  if constexpr (std::is_same_v<T, std::string>) {
    return SharedArray(PvArray(from.as<std::vector<std::string>>()));
  } else {
    if (from.type != msgpack::type::BIN || from.via.bin.size % sizeof(T) != 0) {
      throw Mismatch{"whole array elements"};
    }
    std::vector<T> elements(from.via.bin.size / sizeof(T));
    if (!elements.empty()) std::memcpy(elements.data(), from.via.bin.ptr, from.via.bin.size);
    return SharedArray(PvArray(std::move(elements)));
  }
}

}  // namespace

void put_value(Packer& packer, const PvValue& value) {
  const auto type = type_code(value);
  if (type == TypeCode::kNone) {
    packer.pack_array(1);
    packer.pack(static_cast<std::uint8_t>(type));
    return;
  }
  packer.pack_array(2);
  packer.pack(static_cast<std::uint8_t>(type));
  std::visit(
      [&](const auto& each) {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, SharedArray>) {
          std::visit([&](const auto& elements) { put_array(packer, elements); }, *each);
        } else if constexpr (std::is_same_v<T, EnumIndex>) {
          packer.pack(each.index);
        } else if constexpr (std::is_same_v<T, double>) {
          put_double(packer, each);
        } else if constexpr (std::is_same_v<T, float>) {
          put_float(packer, each);
        } else if constexpr (!std::is_same_v<T, std::monostate>) {
          packer.pack(each);
        }
      },
      value);
}

PvValue get_value(const msgpack::object& from) {
  const auto& array = array_of(from);
  if (array.size == 0) throw Mismatch{"a value's type"};
  const auto type = static_cast<TypeCode>(array.ptr[0].as<std::uint8_t>());
  if (type == TypeCode::kNone) return {};
  if (array.size < 2) throw Mismatch{"a value"};
  const auto& content = array.ptr[1];
  switch (type) {
    case TypeCode::kNone: return {};
    case TypeCode::kDouble: return content.as<double>();
    case TypeCode::kFloat: return content.as<float>();
    case TypeCode::kLong: return content.as<std::int32_t>();
    case TypeCode::kShort: return content.as<std::int16_t>();
    case TypeCode::kChar: return content.as<std::uint8_t>();
    case TypeCode::kEnum: return EnumIndex{content.as<std::uint16_t>()};
    case TypeCode::kString: return content.as<std::string>();
    case TypeCode::kDoubleArray: return get_array<double>(content);
    case TypeCode::kFloatArray: return get_array<float>(content);
    case TypeCode::kLongArray: return get_array<std::int32_t>(content);
    case TypeCode::kShortArray: return get_array<std::int16_t>(content);
    case TypeCode::kCharArray: return get_array<std::uint8_t>(content);
    case TypeCode::kEnumArray: return get_array<EnumIndex>(content);
    case TypeCode::kStringArray: return get_array<std::string>(content);
    case TypeCode::kConnected:
    case TypeCode::kDisconnected: break;
  }
  throw Mismatch{"a known value type"};
}

}  // namespace tidemark::model::packing
