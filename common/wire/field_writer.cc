#include "common/wire/field_writer.h"

#include <array>
#include <cstring>

#include <msgpack.hpp>

#include "common/wire/text.h"

namespace farm {

namespace {

struct StringSink {
    std::string& out;
    void write(const char* data, std::size_t size) { out.append(data, size); }
};

/// A packer is a pointer to its sink: making one costs nothing.
template <class F>
void with_packer(std::string& out, F put) {
    StringSink sink{out};
    msgpack::packer<StringSink> packer(sink);
    put(packer);
}

void put_call_key(std::string& out, const CallKey& key) {
    std::array<std::uint8_t, 17> bytes;
    std::memcpy(bytes.data(), key.id.bytes.data(), key.id.bytes.size());
    bytes.back() = key.attempt;
    pack::binary(out, bytes.data(), bytes.size());
}

bool is_clean(std::string_view value, TextKind kind) {
    if (value.size() > limit_bytes(kind)) return false;
    return kind == TextKind::text ? is_utf8(value) : is_name(value);
}

}  // namespace

namespace pack {

void long_number(std::string& out, std::uint64_t value) {
    with_packer(out, [&](auto& packer) { packer.pack_uint64(value); });
}

void integer(std::string& out, std::int64_t value) {
    with_packer(out, [&](auto& packer) { packer.pack_int64(value); });
}

void flag(std::string& out, bool value) {
    with_packer(out, [&](auto& packer) { value ? packer.pack_true() : packer.pack_false(); });
}

void nil(std::string& out) {
    with_packer(out, [](auto& packer) { packer.pack_nil(); });
}

void text(std::string& out, std::string_view value) {
    with_packer(out, [&](auto& packer) {
        packer.pack_str(static_cast<std::uint32_t>(value.size()));
        packer.pack_str_body(value.data(), static_cast<std::uint32_t>(value.size()));
    });
}

void binary(std::string& out, const void* data, std::size_t size) {
    with_packer(out, [&](auto& packer) {
        packer.pack_bin(static_cast<std::uint32_t>(size));
        packer.pack_bin_body(static_cast<const char*>(data), static_cast<std::uint32_t>(size));
    });
}

void array(std::string& out, std::size_t count) {
    with_packer(out, [&](auto& packer) { packer.pack_array(static_cast<std::uint32_t>(count)); });
}

void map(std::string& out, std::size_t count) {
    with_packer(out, [&](auto& packer) { packer.pack_map(static_cast<std::uint32_t>(count)); });
}

}  // namespace pack

FieldWriter::FieldWriter(std::string& out) : out_(out), start_(out.size()) {
    out_ += '\x80';  // an empty fixmap, to be corrected by finish()
}

void FieldWriter::finish() {
    if (count_ <= 15) {
        out_[start_] = static_cast<char>(0x80 | count_);
        return;
    }
    const char map16[] = {'\xde', '\0', static_cast<char>(count_)};  // keys end at 31
    out_.replace(start_, 1, map16, sizeof(map16));
}

void FieldWriter::put_binary(int key, const void* data, std::size_t size) {
    put_key(key);
    pack::binary(out_, data, size);
}

void FieldWriter::flag(int key, const char*, bool value, bool fallback) {
    if (value == fallback) return;
    put_key(key);
    pack::flag(out_, value);
}

void FieldWriter::text(int key, const char*, const std::string& value, TextKind kind,
                       Presence presence) {
    if (value.empty() && presence == Presence::optional) return;
    put_key(key);
    const bool is_for_people = kind == TextKind::name || kind == TextKind::text;
    if (!is_for_people || is_clean(value, kind)) return pack::text(out_, value);
    pack::text(out_, kind == TextKind::text ? clean_text(value, limit_bytes(kind))
                                            : clean_name(value, limit_bytes(kind)));
}

void FieldWriter::fixed_binary(int key, const char*, const std::string& value, std::size_t) {
    put_binary(key, value.data(), value.size());
}

void FieldWriter::call_key(int key, const char*, const CallKey& value) {
    put_key(key);
    put_call_key(out_, value);
}

void FieldWriter::call_keys(int key, const char*, const std::vector<CallKey>& values, std::size_t) {
    if (values.empty()) return;
    put_key(key);
    pack::array(out_, values.size());
    for (const CallKey& value : values) put_call_key(out_, value);
}

void FieldWriter::indices(int key, const char*, const std::vector<ServiceIndex>& values,
                          std::size_t) {
    if (values.empty()) return;
    put_key(key);
    pack::array(out_, values.size());
    for (const ServiceIndex value : values) pack::number(out_, value.value);
}

void FieldWriter::dimensions(int key, const char*, const Shape& shape) {
    if (shape.empty()) return;
    put_key(key);
    pack::array(out_, shape.size());
    for (const std::int64_t length : shape) pack::integer(out_, length);
}

}  // namespace farm
