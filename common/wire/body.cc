#include "common/wire/body.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "common/wire/field_reader.h"
#include "common/wire/field_writer.h"
#include "common/wire/text.h"
#include "common/wire/token_tape.h"
#include "schemas/limits.h"

namespace farm {

namespace {

/// [name, code, bits, lanes, shape, inline bytes or nil]
constexpr std::uint32_t tensor_entry_count = 6;

constexpr int tensors_key = 0;
constexpr int worker_key = 1;
constexpr int model_key = 2;
constexpr int version_key = 3;
constexpr int hash_key = 4;

template <class A>
void provenance_fields(A& a, Provenance& made_by) {
    a.text(worker_key, "worker", made_by.worker, TextKind::name);
    a.text(model_key, "model", made_by.model, TextKind::name);
    a.number(version_key, "version", made_by.version);
    a.bytes(hash_key, "hash", made_by.hash.bytes);
}

std::string named(const TensorDesc& desc) { return "tensor " + in_quotes(desc.name) + " "; }

bool belongs_inline(std::uint64_t size_bytes) { return size_bytes <= limits::inline_tensor_bytes; }

// ---- reading ----------------------------------------------------------------------------------

/// "tensors[2]"
const char* element_name(int number) {
    static const auto names = [] {
        std::array<std::string, limits::tensor_count> list;
        for (std::size_t i = 0; i < list.size(); ++i)
            list[i] = "tensors[" + std::to_string(i) + "]";
        return list;
    }();
    return names.at(static_cast<std::size_t>(number)).c_str();
}

void set_inline_data(BodyTensor& tensor, bool is_inlined, Buffer data) {
    tensor.inlined = is_inlined;
    tensor.inline_data = std::move(data);
}

void set_inline_data(Tensor& tensor, bool, Buffer data) { tensor.data = std::move(data); }

/// Reads one body; its tensors (BodyTensor, or Tensor without the bytes of frames) become slices of
/// it.
class BodyReader {
  public:
    BodyReader(const Buffer& body, FieldReader& fields) : body_(body), fields_(fields) {}

    template <class T>
    void read(std::vector<T>& tensors) {
        fields_.for_each(tensors_key, "tensors", limits::tensor_count, tensors,
                         [this](std::uint32_t index, int number, T& tensor) {
                             name_ = element_name(number);
                             read_tensor(index, tensor);
                         });
        if (!fields_.failed()) check_all(tensors);
    }

  private:
    template <class T>
    void read_tensor(std::uint32_t index, T& tensor) {
        const TokenTape& tape = fields_.tape();
        const Token& entry = tape[index];
        if (entry.kind != Token::Kind::array || entry.count != tensor_entry_count) {
            refuse("is " + std::string(to_string(entry.kind)) + " of " +
                   std::to_string(entry.count) + " (it must be an array of 6)");
            return;
        }
        // name, code, bits and lanes are single tokens; refused below if they are not.
        const std::uint32_t name = index + 1;
        const std::uint32_t code = tape.next(name);
        const std::uint32_t bits = tape.next(code);
        const std::uint32_t lanes = tape.next(bits);
        const std::uint32_t shape = tape.next(lanes);
        fields_.read_text(tape[name], name_, tensor.desc.name, TextKind::identifier,
                          Presence::required);
        tensor.desc.type.code = static_cast<std::uint8_t>(number(code, 255));
        tensor.desc.type.bits = static_cast<std::uint8_t>(number(bits, 255));
        tensor.desc.type.lanes = static_cast<std::uint16_t>(number(lanes, 65535));
        fields_.read_shape(shape, name_, tensor.desc.shape);
        if (fields_.failed()) return;
        const Token& data = tape[tape.next(shape)];
        const auto size = checked_size_bytes(tensor.desc);
        if (!size) {
            refuse("is refused: " + size.error().message, size.error().code);
        } else if (check_data(data, *size)) {
            set_inline_data(tensor, belongs_inline(*size), inline_data(data, *size));
            total_bytes_ += *size;
        }
    }

    std::uint64_t number(std::uint32_t index, std::uint64_t high) {
        return fields_.bounded(fields_.tape()[index], name_, {.high = high});
    }

    bool check_data(const Token& token, std::uint64_t size) {
        const bool is_inlined = token.kind == Token::Kind::binary;
        if (!is_inlined && token.kind != Token::Kind::nil) {
            return refuse("has bytes that are " + std::string(to_string(token.kind)) +
                          " (they must be a binary or nil)");
        }
        if (is_inlined != belongs_inline(size)) {
            return refuse("of " + std::to_string(size) + " bytes is " +
                          (is_inlined ? "inlined" : "not inlined") + " (the limit is " +
                          std::to_string(limits::inline_tensor_bytes) + ")");
        }
        if (is_inlined && token.count != size) {
            return refuse("has " + std::to_string(token.count) + " inline bytes (type and shape " +
                          "say " + std::to_string(size) + ")");
        }
        return true;
    }

    /// Nothing for a tensor that lies elsewhere, or has no bytes.
    Buffer inline_data(const Token& token, std::uint64_t size) const {
        if (token.kind != Token::Kind::binary || size == 0) return {};
        const auto* data = reinterpret_cast<const std::byte*>(token.data);
        return body_.slice(static_cast<std::size_t>(data - body_.data()), size);
    }

    template <class T>
    void check_all(const std::vector<T>& tensors) {
        if (total_bytes_ > limits::call_bytes) {
            fields_.refuse("tensors",
                           "have " + std::to_string(total_bytes_) +
                               " bytes together (the limit is " +
                               std::to_string(limits::call_bytes) + ")",
                           ErrorCode::too_large);
        }
        for (std::size_t i = 1; i < tensors.size(); ++i) {
            const auto end = tensors.begin() + static_cast<std::ptrdiff_t>(i);
            const bool is_repeated = std::any_of(tensors.begin(), end, [&](const T& tensor) {
                return tensor.desc.name == end->desc.name;
            });
            if (is_repeated) {
                fields_.refuse("tensors", "have the name " + in_quotes(end->desc.name) + " twice");
            }
        }
    }

    [[gnu::cold]] bool refuse(const std::string& problem, ErrorCode code = ErrorCode::protocol) {
        fields_.refuse(name_, problem, code);
        return false;
    }

    const Buffer& body_;
    FieldReader& fields_;
    const char* name_{nullptr};  ///< of the tensor that is read
    std::uint64_t total_bytes_{0};
};

template <class F>
Result<void> with_body(const Buffer& body, F read) {
    thread_local TokenTape tape;
    if (body.size() > limits::body_bytes) {
        return fail(ErrorCode::protocol,
                    "body has " + std::to_string(body.size()) + " bytes (the limit is " +
                        std::to_string(limits::body_bytes) + "): send larger tensors as frames");
    }
    if (auto parsed = tape.parse(body.bytes(), "body"); !parsed) return parsed;
    ReadContext context{tape, "body", {}};
    FieldReader fields(context, 0);
    read(fields);
    fields.finish();
    if (context.error) return tl::unexpected(std::move(*context.error));
    return {};
}

// ---- writing ----------------------------------------------------------------------------------

/// `data`: of a tensor that is inlined, else null.
void put_tensor(std::string& out, const TensorDesc& desc, const Buffer* data) {
    pack::array(out, tensor_entry_count);
    pack::text(out, desc.name);
    pack::number(out, desc.type.code);
    pack::number(out, desc.type.bits);
    pack::number(out, desc.type.lanes);
    pack::array(out, desc.shape.size());
    for (const std::int64_t length : desc.shape) pack::integer(out, length);
    data != nullptr ? pack::binary(out, data->data(), data->size()) : pack::nil(out);
}

void put(std::string& out, const BodyTensor& tensor) {
    put_tensor(out, tensor.desc, tensor.inlined ? &tensor.inline_data : nullptr);
}

void put(std::string& out, const Tensor& tensor) {
    put_tensor(out, tensor.desc, belongs_inline(tensor.data.size()) ? &tensor.data : nullptr);
}

/// A map with the tensors, and with the fields that `put_rest` adds.
template <class T, class F>
Buffer write_body(std::span<const T> tensors, F put_rest) {
    thread_local std::string out;
    out.clear();
    FieldWriter writer(out);
    if (!tensors.empty()) {
        writer.values(tensors_key, tensors, [](std::string& to, const T& t) { put(to, t); });
    }
    put_rest(writer);
    writer.finish();
    return Buffer::copy_of(std::as_bytes(std::span(out)));
}

void put_nothing(FieldWriter&) {}

auto put_provenance(const EncodedProvenance& made_by) {
    return [&made_by](FieldWriter& writer) {
        writer.encoded_fields(made_by.bytes(), made_by.field_count());
    };
}

Result<void> check_tensors(std::span<const Tensor> tensors) {
    if (tensors.size() > limits::tensor_count) {
        return fail(ErrorCode::too_large,
                    "a call has " + std::to_string(tensors.size()) + " tensors (the limit is " +
                        std::to_string(limits::tensor_count) + "): join some of them");
    }
    for (const Tensor& tensor : tensors) {
        const std::string& name = tensor.desc.name;
        if (name.empty() || name.size() > limits::name_bytes || !is_name(name)) {
            return fail(ErrorCode::invalid, named(tensor.desc) + "has a bad name (1 to " +
                                                std::to_string(limits::name_bytes) +
                                                " bytes of UTF-8 without control characters): "
                                                "rename it");
        }
        const auto size = checked_size_bytes(tensor.desc);
        if (!size) return tl::unexpected(size.error());
        if (*size != tensor.data.size()) {
            return fail(ErrorCode::invalid, named(tensor.desc) + "has " +
                                                std::to_string(tensor.data.size()) + " bytes (" +
                                                to_string(tensor.desc.type) + " " +
                                                to_string(tensor.desc.shape) + " has " +
                                                std::to_string(*size) + "): correct shape or data");
        }
    }
    if (tensor_bytes(tensors) > limits::call_bytes) {
        return fail(ErrorCode::too_large, "tensors have " + std::to_string(tensor_bytes(tensors)) +
                                              " bytes together (the limit is " +
                                              std::to_string(limits::call_bytes) +
                                              "): split the call");
    }
    return {};
}

/// The tensors that do not lie in the body.
std::vector<Buffer> frames_of(std::span<const Tensor> tensors) {
    std::vector<Buffer> frames;
    for (const Tensor& tensor : tensors) {
        if (!belongs_inline(tensor.data.size())) frames.push_back(tensor.data);
    }
    return frames;
}

/// Gives the tensors that do not lie in the body theirs.
Result<void> attach_frames(std::vector<Tensor>& tensors, std::span<const Buffer> frames) {
    std::size_t needed = 0;
    for (Tensor& tensor : tensors) {
        const std::uint64_t size = *checked_size_bytes(tensor.desc);  // it was checked when read
        if (belongs_inline(size)) continue;
        if (needed < frames.size()) tensor.data = frames[needed];
        ++needed;
        if (tensor.data.size() == size || needed > frames.size()) continue;
        return fail(ErrorCode::protocol,
                    named(tensor.desc) + "came with " + std::to_string(tensor.data.size()) +
                        " bytes (type and shape say " + std::to_string(size) + "): send all of it");
    }
    if (frames.size() == needed) return {};
    return fail(ErrorCode::protocol, "payload has " + std::to_string(frames.size()) +
                                         " frames (its descriptors need " + std::to_string(needed) +
                                         "): send one for each large tensor");
}

}  // namespace

Result<CallBody> decode_call_body(const Buffer& body) {
    CallBody call;
    auto read =
        with_body(body, [&](FieldReader& fields) { BodyReader(body, fields).read(call.tensors); });
    if (!read) return tl::unexpected(std::move(read).error());
    return call;
}

Result<AnswerBody> decode_answer_body(const Buffer& body) {
    AnswerBody answer;
    auto read = with_body(body, [&](FieldReader& fields) {
        BodyReader(body, fields).read(answer.tensors);
        provenance_fields(fields, answer.made_by);
    });
    if (!read) return tl::unexpected(std::move(read).error());
    return answer;
}

Buffer encode_body(const CallBody& body) {
    return write_body(std::span(body.tensors), put_nothing);
}

Buffer encode_body(const AnswerBody& body) {
    return write_body(std::span(body.tensors), put_provenance(body.made_by));
}

Result<Payload> pack_call(std::span<const Tensor> tensors) {
    if (auto checked = check_tensors(tensors); !checked) return tl::unexpected(checked.error());
    Payload payload;
    payload.body = write_body(tensors, put_nothing);
    payload.frames = frames_of(tensors);
    return payload;
}

EncodedProvenance::EncodedProvenance(const Provenance& made_by) {
    FieldWriter writer(bytes_);
    // provenance_fields() serves both directions; with a writer it only looks.
    provenance_fields(writer, const_cast<Provenance&>(made_by));
    field_count_ = writer.count();
    bytes_.erase(0, 1);  // the head of a map that nobody sees
}

Result<Payload> pack_answer(std::span<const Tensor> tensors, const EncodedProvenance& made_by) {
    if (auto checked = check_tensors(tensors); !checked) return tl::unexpected(checked.error());
    Payload payload;
    payload.body = write_body(tensors, put_provenance(made_by));
    payload.frames = frames_of(tensors);
    return payload;
}

Result<std::vector<Tensor>> unpack_call(const Payload& payload) {
    std::vector<Tensor> tensors;
    auto read = with_body(
        payload.body, [&](FieldReader& fields) { BodyReader(payload.body, fields).read(tensors); });
    if (read) read = attach_frames(tensors, payload.frames);
    if (!read) return tl::unexpected(std::move(read).error());
    return tensors;
}

Result<UnpackedAnswer> unpack_answer(const Payload& payload) {
    UnpackedAnswer answer;
    auto read = with_body(payload.body, [&](FieldReader& fields) {
        BodyReader(payload.body, fields).read(answer.tensors);
        provenance_fields(fields, answer.made_by);
    });
    if (read) read = attach_frames(answer.tensors, payload.frames);
    if (!read) return tl::unexpected(std::move(read).error());
    return answer;
}

std::vector<LargeTensor> large_tensors(const std::vector<BodyTensor>& body) {
    std::vector<LargeTensor> large;
    for (std::size_t i = 0; i < body.size(); ++i) {
        if (body[i].inlined) continue;
        large.push_back(
            {static_cast<std::uint16_t>(i), checked_size_bytes(body[i].desc).value_or(0)});
    }
    return large;
}

std::uint64_t tensor_bytes(const std::vector<BodyTensor>& body) {
    std::uint64_t total = 0;
    for (const BodyTensor& tensor : body) total += checked_size_bytes(tensor.desc).value_or(0);
    return total;
}

std::uint64_t tensor_bytes(std::span<const Tensor> tensors) {
    std::uint64_t total = 0;
    for (const Tensor& tensor : tensors) total += tensor.data.size();
    return total;
}

}  // namespace farm
