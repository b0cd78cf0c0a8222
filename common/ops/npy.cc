#include "common/ops/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <new>
#include <optional>
#include <system_error>
#include <vector>

#include "schemas/limits.h"

namespace farm {

namespace {

constexpr std::string_view magic{"\x93NUMPY", 6};
constexpr std::size_t longest_prefix_bytes = 12;  // magic, version, 4-byte header length
constexpr std::size_t alignment_bytes = 64;

struct Descr {
    std::string_view text;
    DType type;
};
constexpr std::array<Descr, 12> descrs{{{"<f4", dtype::f32},
                                        {"<i8", dtype::i64},
                                        {"<f8", dtype::f64},
                                        {"<f2", dtype::f16},
                                        {"<i4", dtype::i32},
                                        {"<i2", dtype::i16},
                                        {"|i1", dtype::i8},
                                        {"<u8", dtype::u64},
                                        {"<u4", dtype::u32},
                                        {"<u2", dtype::u16},
                                        {"|u1", dtype::u8},
                                        {"|b1", dtype::boolean}}};

std::string in_file(std::string_view file) { return "file '" + std::string(file) + "': "; }

tl::unexpected<Error> bad(std::string_view file, std::string text) {
    return fail(ErrorCode::invalid, in_file(file) + std::move(text));
}

/// Reads the Python dictionary of a header, which has three keys and four kinds of value.
class DictReader {
  public:
    DictReader(std::string_view text, std::string_view file) : rest_(text), file_(file) {}

    Result<NpyHeader> read() {
        if (!take('{')) return broken("'{'");
        while (!take('}')) {
            auto key = quoted();
            if (!key || !take(':')) return broken("a key in quotes and ':'");
            if (auto value = read_value(*key); !value) return tl::unexpected(value.error());
            if (!take(',') && peek() != '}') return broken("',' or '}'");
        }
        if (!has_descr_) return missing("descr");
        if (!has_order_) return missing("fortran_order");
        if (!has_shape_) return missing("shape");
        return header_;
    }

  private:
    Result<void> read_value(std::string_view key) {
        if (key == "descr") return read_descr();
        if (key == "fortran_order") return read_order();
        if (key == "shape") return read_shape();
        return bad(file_, "header has the field '" + std::string(key.substr(0, 40)) +
                              "' (known are descr, fortran_order, shape): save it with numpy.save");
    }

    Result<void> read_descr() {
        const auto text = quoted();
        if (!text) {
            return bad(file_,
                       "field 'descr' is not a string (a structured array): save each of "
                       "its fields as a file of its own");
        }
        has_descr_ = true;
        // One byte has no order, and NumPy itself accepts any mark there.
        const bool is_byte = text->size() == 3 && text->back() == '1';
        for (const Descr& known : descrs) {
            if (*text == known.text || (is_byte && text->substr(1) == known.text.substr(1))) {
                header_.type = known.type;
                return {};
            }
        }
        const bool is_swapped = !text->empty() && text->front() == '>';
        return bad(file_, "field 'descr' is '" + std::string(text->substr(0, 40)) +
                              (is_swapped ? "' (big-endian; only little-endian is read)"
                                          : "' (not one of <f2 <f4 <f8 i1 <i2 <i4 <i8 u1 <u2 <u4 "
                                            "<u8 b1)") +
                              ": convert it with astype before saving");
    }

    Result<void> read_order() {
        has_order_ = true;
        if (take_word("False")) return {};
        if (!take_word("True")) return broken("True or False");
        return bad(file_,
                   "field 'fortran_order' is True (only row-major arrays are read): save "
                   "numpy.ascontiguousarray(array)");
    }

    Result<void> read_shape() {
        has_shape_ = true;
        if (!take('(')) return broken("'('");
        header_.shape.clear();
        while (!take(')')) {
            skip_space();
            std::int64_t length = 0;
            const auto [end, error] =
                std::from_chars(rest_.data(), rest_.data() + rest_.size(), length);
            if (error == std::errc::result_out_of_range) {
                return fail(ErrorCode::too_large,
                            in_file(file_) +
                                "field 'shape' has a length above 2^63 - 1 (the limit "
                                "of one tensor is " +
                                std::to_string(limits::call_bytes) + " bytes): split it");
            }
            if (error != std::errc{}) return broken("a whole number");
            rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
            if (header_.shape.size() == limits::tensor_rank) {
                return bad(file_, "field 'shape' has more than " +
                                      std::to_string(limits::tensor_rank) +
                                      " dimensions (the limit): reshape it");
            }
            header_.shape.push_back(length);
            if (!take(',') && peek() != ')') return broken("',' or ')'");
        }
        return {};
    }

    tl::unexpected<Error> broken(std::string_view expected) const {
        const std::string_view near = rest_.substr(0, 20);
        return bad(file_, "header is malformed before '" + printable(near) + "' (" +
                              std::string(expected) + " should stand there): save it again");
    }
    tl::unexpected<Error> missing(std::string_view field) const {
        return bad(file_, "header has no field '" + std::string(field) +
                              "' (it needs descr, fortran_order, shape): save it with numpy.save");
    }

    static std::string printable(std::string_view text) {
        std::string out(text);
        std::replace_if(
            out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
        return out;
    }

    void skip_space() {
        const auto begin = rest_.find_first_not_of(" \t\r\n");
        rest_.remove_prefix(std::min(begin, rest_.size()));
    }
    char peek() {
        skip_space();
        return rest_.empty() ? '\0' : rest_.front();
    }
    bool take(char c) {
        if (peek() != c || c == '\0') return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool take_word(std::string_view word) {
        skip_space();
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    std::optional<std::string_view> quoted() {
        const char quote = peek();
        if (quote != '\'' && quote != '"') return std::nullopt;
        const auto end = rest_.find(quote, 1);
        if (end == std::string_view::npos) return std::nullopt;
        const auto text = rest_.substr(1, end - 1);
        rest_.remove_prefix(end + 1);
        return text;
    }

    std::string_view rest_;
    std::string_view file_;
    NpyHeader header_;
    bool has_descr_{false}, has_order_{false}, has_shape_{false};
};

std::size_t little_endian(Bytes bytes) {
    std::size_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
        value = value << 8 | std::to_integer<std::size_t>(bytes[i]);
    }
    return value;
}

/// bfloat16 is the upper half of a float32.
std::vector<std::byte> widen_bfloat16(Bytes bytes) {
    std::vector<std::byte> wide(bytes.size() * 2);
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
        wide[2 * i + 2] = bytes[i];
        wide[2 * i + 3] = bytes[i + 1];
    }
    return wide;
}

tl::unexpected<Error> io_failure(const std::filesystem::path& file, std::string_view what) {
    const std::error_code error(errno, std::generic_category());
    return fail(ErrorCode::io, in_file(file.string()) + std::string(what) + " (" + error.message() +
                                   "): check the path and its permissions");
}

/// The file's bytes from `offset` on, exactly `size` of them.
Result<Buffer> read_elements(std::ifstream& stream, const std::filesystem::path& file,
                             std::size_t offset, std::uint64_t size) {
    try {
        MutableBuffer buffer(size);
        stream.clear();
        stream.seekg(static_cast<std::streamoff>(offset));
        stream.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(size));
        if (stream.gcount() != static_cast<std::streamsize>(size)) {
            return io_failure(file, "could not be read to its end");
        }
        return std::move(buffer).freeze();
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::too_large, in_file(file.string()) + "needs " + std::to_string(size) +
                                              " bytes of memory (more than there is): split it");
    }
}

/// Compares what the header promises with what the file has.
Result<std::uint64_t> expected_elements(const NpyHeader& header, std::string_view name,
                                        std::string_view file, std::uintmax_t file_size) {
    const auto size = checked_size_bytes({std::string(name), header.type, header.shape});
    const std::uintmax_t present = file_size - header.data_offset;
    if (!size) {
        return fail(size.error().code, in_file(file) + "with " + std::to_string(present) +
                                           " bytes of elements: " + size.error().message);
    }
    if (present == *size) return *size;
    return bad(file, "has " + std::to_string(present) + " bytes of elements (shape " +
                         to_string(header.shape) + " of " + to_string(header.type) + " needs " +
                         std::to_string(*size) +
                         (present < *size ? "): it is truncated, copy or save it again"
                                          : "): it holds more than one array, save one a file"));
}

}  // namespace

Result<NpyHeader> parse_npy_header(Bytes start, std::string_view file) {
    const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
    if (!text.starts_with(magic)) {
        return bad(file,
                   "does not begin with the magic bytes 93 'NUMPY' (not a .npy file): save "
                   "it with numpy.save");
    }
    if (text.size() < 10) return bad(file, "ends inside its header: copy or save it again");
    const auto major = static_cast<unsigned char>(text[6]);
    if (major < 1 || major > 3) {
        return bad(file, "field 'version' is " + std::to_string(major) +
                             " (1, 2 and 3 are read): save it with numpy.save");
    }
    const std::size_t length_bytes = major == 1 ? 2 : 4;
    const std::size_t begin = 8 + length_bytes;
    if (text.size() < begin) return bad(file, "ends inside its header: copy or save it again");
    const std::size_t length = little_endian(start.subspan(8, length_bytes));
    if (length > npy_header_limit_bytes) {
        return fail(ErrorCode::too_large, in_file(file) + "field 'header length' is " +
                                              std::to_string(length) + " bytes (the limit is " +
                                              std::to_string(npy_header_limit_bytes) +
                                              "): save it with numpy.save");
    }
    if (text.size() < begin + length) {
        return bad(file, "ends inside its header (of " + std::to_string(length) +
                             " bytes): copy or save it again");
    }
    auto header = DictReader(text.substr(begin, length), file).read();
    if (header) header->data_offset = begin + length;
    return header;
}

std::string format_npy_header(DType type, const Shape& shape) {
    const auto* known = std::find_if(descrs.begin(), descrs.end(),
                                     [&](const Descr& descr) { return descr.type == type; });
    std::string dict = "{'descr': '";
    dict += known == descrs.end() ? std::string_view("<f4") : known->text;
    dict += "', 'fortran_order': False, 'shape': (";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        dict += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    }
    dict += shape.size() == 1 ? ",), }" : "), }";
    constexpr std::size_t prefix = 10;  // 16 dimensions of 20 digits fit into version 1.0
    const std::size_t total =
        (prefix + dict.size() + 1 + alignment_bytes - 1) / alignment_bytes * alignment_bytes;
    dict.append(total - prefix - dict.size() - 1, ' ');
    dict += '\n';
    std::string header(magic);
    header += {'\x01', '\x00', static_cast<char>(dict.size() & 0xff),
               static_cast<char>(dict.size() >> 8)};
    return header + dict;
}

Result<Tensor> read_npy(const std::filesystem::path& file, std::string tensor_name) {
    std::error_code error;
    const std::uintmax_t file_size = std::filesystem::file_size(file, error);
    if (error) {
        const bool is_absent = error == std::errc::no_such_file_or_directory;
        return fail(is_absent ? ErrorCode::not_found : ErrorCode::io,
                    in_file(file.string()) + "cannot be read (" + error.message() +
                        "): give the path of a .npy file");
    }
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return io_failure(file, "cannot be opened");
    std::vector<char> start(
        std::min<std::uintmax_t>(file_size, npy_header_limit_bytes + longest_prefix_bytes));
    stream.read(start.data(), static_cast<std::streamsize>(start.size()));
    if (static_cast<std::size_t>(stream.gcount()) != start.size()) {
        return io_failure(file, "could not be read");
    }
    auto header = parse_npy_header(std::as_bytes(std::span(start)), file.string());
    if (!header) return tl::unexpected(header.error());
    const auto size = expected_elements(*header, tensor_name, file.string(), file_size);
    if (!size) return tl::unexpected(size.error());
    auto data = read_elements(stream, file, header->data_offset, *size);
    if (!data) return tl::unexpected(data.error());
    return Tensor{{std::move(tensor_name), header->type, header->shape}, std::move(*data)};
}

Result<void> write_npy(const std::filesystem::path& file, const Tensor& tensor) {
    const auto size = checked_size_bytes(tensor.desc);
    if (!size) return tl::unexpected(size.error());
    if (*size != tensor.data.size()) {
        return fail(ErrorCode::invalid, "tensor '" + tensor.desc.name + "' has " +
                                            std::to_string(tensor.data.size()) + " bytes (shape " +
                                            to_string(tensor.desc.shape) + " needs " +
                                            std::to_string(*size) + "): it cannot be written");
    }
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    if (!stream) return io_failure(file, "cannot be written");
    const std::string header = format_npy_header(tensor.desc.type, tensor.desc.shape);
    stream.write(header.data(), static_cast<std::streamsize>(header.size()));
    const auto put = [&](Bytes bytes) {
        stream.write(reinterpret_cast<const char*>(bytes.data()),
                     static_cast<std::streamsize>(bytes.size()));
    };
    if (tensor.desc.type == dtype::bf16) {
        put(widen_bfloat16(tensor.data.bytes()));
    } else {
        put(tensor.data.bytes());
    }
    stream.close();
    if (!stream) return io_failure(file, "could not be written to its end");
    return {};
}

}  // namespace farm
