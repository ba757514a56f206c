// model/record_codec.cpp
//
// A batch of records: a msgpack array of rows, each [kind, fields…] as record.h lists them.

#include "model/packing_impl.h"
#include "model/record.h"

namespace tidemark::model {
namespace {

void put_record(packing::Packer& packer, const Record& record) {
  std::visit(
      [&](const auto& each) {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, UnknownRecord>) {
          packing::put_raw(packer, each.packed);  // The row as it came.
        } else {
          const auto fields = T::fields(each);
          packer.pack_array(static_cast<std::uint32_t>(1 + std::tuple_size_v<decltype(fields)>));
          packer.pack(static_cast<std::uint8_t>(kind_of(record)));
          std::apply([&](const auto&... field) { (packing::put(packer, field), ...); }, fields);
        }
      },
      record);
}

template <class T>
Record get_fields(const msgpack::object_array& row) {
  T record;
  auto fields = T::fields(record);
  std::uint32_t at = 1;
  const auto next = [&](auto& field) {
    if (at < row.size) packing::get(row.ptr[at], field);
    ++at;
  };
  std::apply([&](auto&... field) { (next(field), ...); }, fields);
  return record;
}

Record get_unknown(std::uint8_t kind, const msgpack::object& row) {
  UnknownRecord record{kind, {}};
  packing::Sink sink{record.packed};
  packing::Packer packer(sink);
  packer.pack(row);
  return record;
}

Record get_record(const msgpack::object& from) {
  const auto& row = packing::array_of(from);
  if (row.size == 0) throw packing::Mismatch{"a row's kind"};
  const auto kind = row.ptr[0].as<std::uint8_t>();
  switch (static_cast<RecordKind>(kind)) {
    case RecordKind::kPvDefined: return get_fields<PvDefined>(row);
    case RecordKind::kJobAccepted: return get_fields<JobAccepted>(row);
    case RecordKind::kJobProgress: return get_fields<JobProgress>(row);
    case RecordKind::kPutIntended: return get_fields<PutIntended>(row);
    case RecordKind::kPutConfirmed: return get_fields<PutConfirmed>(row);
    case RecordKind::kPutRefused: return get_fields<PutRefused>(row);
    case RecordKind::kPutUnknown: return get_fields<PutUnknown>(row);
    case RecordKind::kJobFinished: return get_fields<JobFinished>(row);
    case RecordKind::kLogMessage: return get_fields<LogMessage>(row);
    case RecordKind::kSnapshotTaken: return get_fields<SnapshotTaken>(row);
    case RecordKind::kTagChanged: return get_fields<TagChanged>(row);
    case RecordKind::kCatalogChanged: return get_fields<CatalogChanged>(row);
    case RecordKind::kNodeUp: return get_fields<NodeUp>(row);
    case RecordKind::kNodeDown: return get_fields<NodeDown>(row);
    case RecordKind::kNodeRestarted: return get_fields<NodeRestarted>(row);
    case RecordKind::kGap: return get_fields<Gap>(row);
    case RecordKind::kKvUpdate: return get_fields<KvUpdate>(row);
    case RecordKind::kEventCalled: return get_fields<EventCalled>(row);
    case RecordKind::kEventFeedback: return get_fields<EventFeedback>(row);
    case RecordKind::kEventAnswered: return get_fields<EventAnswered>(row);
    case RecordKind::kMarkBegin: return get_fields<MarkBegin>(row);
    case RecordKind::kMarkEnd: return get_fields<MarkEnd>(row);
    case RecordKind::kStatusChanged: return get_fields<StatusChanged>(row);
    case RecordKind::kStreamGap: return get_fields<StreamGap>(row);
    case RecordKind::kExpired: return get_fields<Expired>(row);
    case RecordKind::kPolicyChanged: return get_fields<PolicyChanged>(row);
    default: return get_unknown(kind, from);
  }
}

}  // namespace

Bytes encode_records(const std::vector<Record>& records) {
  TIDEMARK_CHECK(records.size() <= kRecordsPerBatchMax);
  Bytes out;
  packing::Sink sink{out};
  packing::Packer packer(sink);
  packer.pack_array(static_cast<std::uint32_t>(records.size()));
  for (const auto& record : records) put_record(packer, record);
  return out;
}

Result<std::vector<Record>> decode_records(BytesView bytes) {
  std::vector<Record> records;
  std::size_t row = 0;
  const auto read = packing::visit_packed(bytes, [&](const msgpack::object& root) {
    const auto& rows = packing::array_of(root);
    if (rows.size > kRecordsPerBatchMax) throw packing::Mismatch{"at most 65536 rows"};
    records.reserve(rows.size);
    for (; row < rows.size; ++row) records.push_back(get_record(rows.ptr[row]));
  });
  if (!read) {
    return Error{Code::kCorruption,
                 "record batch, row " + std::to_string(row) + ": " + read.error().message};
  }
  return records;
}

}  // namespace tidemark::model
