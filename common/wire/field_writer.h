#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/ids.h"
#include "common/wire/field_rules.h"
#include "schemas/tensor.h"

namespace farm {

/// msgpack values at the end of a string, in their shortest form.
namespace pack {
void long_number(std::string& out, std::uint64_t value);
inline void number(std::string& out, std::uint64_t value) {
    if (value > 0x7f) return long_number(out, value);
    out += static_cast<char>(value);  // a positive fixint
}
void integer(std::string& out, std::int64_t value);
void flag(std::string& out, bool value);
void nil(std::string& out);
void text(std::string& out, std::string_view value);
void binary(std::string& out, const void* data, std::size_t size);
void array(std::string& out, std::size_t count);
void map(std::string& out, std::size_t count);
}  // namespace pack

/// Writes one map of message_fields.h. Fields that have their default are left out.
class FieldWriter {
  public:
    static constexpr bool reads = false;

    explicit FieldWriter(std::string& out);
    /// Puts the number of fields into the map's head. To be called once, last.
    void finish();

    template <class T>
    void number(int key, const char*, const T& value, NumberRule rule = {}) {
        if (value != rule.fallback) put_number(key, value);
    }
    template <class T>
    void required_number(int key, const char*, const T& value, NumberRule) {
        put_number(key, value);
    }
    template <class Tag, class Number>
    void number_id(int key, const char*, const OpaqueId<Tag, Number>& id) {
        put_number(key, id.value);
    }
    template <class E>
    void choice(int key, const char*, const E& value, E fallback, E) {
        if (value != fallback) put_number(key, static_cast<std::uint64_t>(value));
    }
    template <class E>
    void required_choice(int key, const char*, const E& value, E) {
        put_number(key, static_cast<std::uint64_t>(value));
    }
    template <class Tag>
    void id(int key, const char*, const RandomId<Tag>& id) {
        put_binary(key, id.bytes.data(), id.bytes.size());
    }
    template <std::size_t N>
    void bytes(int key, const char*, const std::array<std::uint8_t, N>& value) {
        if (value != std::array<std::uint8_t, N>{}) put_binary(key, value.data(), N);
    }
    void flag(int key, const char*, bool value, bool fallback);
    void text(int key, const char*, const std::string& value, TextKind kind,
              Presence presence = Presence::optional);
    void fixed_binary(int key, const char*, const std::string& value, std::size_t size);
    void call_key(int key, const char*, const CallKey& value);
    void call_keys(int key, const char*, const std::vector<CallKey>& values, std::size_t limit);
    void indices(int key, const char*, const std::vector<ServiceIndex>& values, std::size_t limit);
    void dimensions(int key, const char*, const Shape& shape);

    template <class T>
    void record(int key, const char*, T& value) {
        const std::size_t before = out_.size();
        put_key(key);
        FieldWriter inner(out_);
        fields(inner, value);
        inner.finish();
        if (inner.count_ != 0) return;
        out_.resize(before);  // all of it has its defaults
        --count_;
    }
    template <class T>
    void list(int key, const char*, std::vector<T>& values, std::size_t) {
        if (values.empty()) return;
        put_key(key);
        pack::array(out_, values.size());
        for (T& value : values) {
            FieldWriter inner(out_);
            fields(inner, value);
            inner.finish();
        }
    }

    /// A list whose entries `put(out, value)` writes.
    template <class T, class F>
    void values(int key, std::span<const T> values, F put) {
        put_key(key);
        pack::array(out_, values.size());
        for (const T& value : values) put(out_, value);
    }

    /// Fields that another writer has encoded.
    void encoded_fields(std::string_view bytes, std::size_t count) {
        out_ += bytes;
        count_ += count;
    }
    std::size_t count() const { return count_; }

    void check(bool, const char*, const char*) {}
    void check_type(const DType&) {}

  private:
    void put_key(int key) {
        key >= 0 ? pack::number(out_, static_cast<std::uint64_t>(key)) : pack::integer(out_, key);
        ++count_;
    }
    void put_number(int key, std::uint64_t value) {
        put_key(key);
        pack::number(out_, value);
    }
    void put_binary(int key, const void* data, std::size_t size);

    std::string& out_;
    std::size_t start_;
    std::size_t count_{0};
};

}  // namespace farm
