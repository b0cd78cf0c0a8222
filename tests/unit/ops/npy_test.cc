#include "common/ops/npy.h"

#include <unistd.h>

#include <cstring>
#include <fstream>

#include <gtest/gtest.h>

namespace farm {
namespace {

class NpyTest : public ::testing::Test {
  protected:
    void SetUp() override {
        folder_ =
            std::filesystem::temp_directory_path() / ("farm-npy-" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path write(std::string_view name, std::string_view bytes) {
        const auto file = folder_ / name;
        std::ofstream(file, std::ios::binary) << bytes;
        return file;
    }
    /// A version 1.0 file with this dictionary, and `elements` after it.
    std::filesystem::path write_dict(std::string_view dict, std::string_view elements) {
        std::string bytes("\x93NUMPY\x01\x00", 8);
        bytes += static_cast<char>(dict.size() & 0xff);
        bytes += static_cast<char>(dict.size() >> 8);
        return write("dict.npy", bytes.append(dict).append(elements));
    }
    std::string error_of(const std::filesystem::path& file) {
        const auto tensor = read_npy(file, "x");
        return tensor ? "" : tensor.error().message;
    }

    std::filesystem::path folder_;
};

Tensor counting(DType type, Shape shape) {
    TensorDesc desc{"x", type, std::move(shape)};
    const auto size = checked_size_bytes(desc).value();
    MutableBuffer buffer(size);
    for (std::size_t i = 0; i < size; ++i) buffer.data()[i] = static_cast<std::byte>(i & 1);
    return {std::move(desc), std::move(buffer).freeze()};
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST_F(NpyTest, EveryTypeAndRankComesBack) {
    for (const DType type :
         {dtype::f16, dtype::f32, dtype::f64, dtype::i8, dtype::i16, dtype::i32, dtype::i64,
          dtype::u8, dtype::u16, dtype::u32, dtype::u64, dtype::boolean}) {
        for (const Shape& shape : {Shape{}, Shape{5}, Shape{0, 3}, Shape{2, 3, 4}}) {
            const Tensor written = counting(type, shape);
            ASSERT_TRUE(write_npy(folder_ / "a.npy", written));
            const auto read = read_npy(folder_ / "a.npy", "x");
            ASSERT_TRUE(read) << read.error().message;
            EXPECT_EQ(read->desc, written.desc);
            ASSERT_EQ(read->data.size(), written.data.size());
            EXPECT_TRUE(std::equal(read->data.bytes().begin(), read->data.bytes().end(),
                                   written.data.bytes().begin()));
        }
    }
}

TEST_F(NpyTest, HeaderIsByteForByteNumPys) {
    // numpy.save of numpy.zeros((2, 3), 'float32'), NumPy 2.4.
    std::string expected("\x93NUMPY\x01\x00\x76\x00", 10);
    expected += "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    expected.append(128 - expected.size() - 1, ' ') += '\n';
    EXPECT_EQ(format_npy_header(dtype::f32, {2, 3}), expected);
    EXPECT_TRUE(contains(format_npy_header(dtype::boolean, {7}), "'|b1'"));
    EXPECT_TRUE(contains(format_npy_header(dtype::boolean, {7}), "(7,)"));
}

TEST_F(NpyTest, VersionsTwoAndThreeHaveLongHeaders) {
    const std::string dict = "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }\n";
    for (const char version : {'\x02', '\x03'}) {
        std::string bytes("\x93NUMPY", 6);
        bytes += version;
        bytes += '\0';
        bytes += static_cast<char>(dict.size());
        bytes.append(3, '\0').append(dict).append(8, '\x01');
        const auto read = read_npy(write("v.npy", bytes), "x");
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->desc.type, dtype::i64);
        EXPECT_EQ(read->desc.shape, Shape{1});
    }
}

TEST_F(NpyTest, Bfloat16IsWrittenAsFloat32) {
    const std::uint16_t one_and_half = 0x3fc0;
    const Tensor tensor{{"x", dtype::bf16, {1}},
                        Buffer::copy_of(std::as_bytes(std::span(&one_and_half, 1)))};
    ASSERT_TRUE(write_npy(folder_ / "b.npy", tensor));
    const auto read = read_npy(folder_ / "b.npy", "x");
    ASSERT_TRUE(read);
    ASSERT_EQ(read->desc.type, dtype::f32);
    float value = 0;
    std::memcpy(&value, read->data.data(), sizeof value);
    EXPECT_EQ(value, 1.5F);
}

TEST_F(NpyTest, TruncatedFileTellsBothSizes) {
    ASSERT_TRUE(write_npy(folder_ / "t.npy", counting(dtype::f32, {100, 3})));
    std::filesystem::resize_file(folder_ / "t.npy", 128 + 1199);
    const auto error = error_of(folder_ / "t.npy");
    EXPECT_TRUE(contains(error, "t.npy")) << error;
    EXPECT_TRUE(contains(error, "1199")) << error;
    EXPECT_TRUE(contains(error, "1200")) << error;
    EXPECT_TRUE(contains(error, "truncated")) << error;
}

TEST_F(NpyTest, EveryTruncationIsAnErrorAndNoCrash) {
    ASSERT_TRUE(write_npy(folder_ / "t.npy", counting(dtype::i16, {4})));
    for (int size = 128 + 8 - 1; size >= 0; --size) {
        std::filesystem::resize_file(folder_ / "t.npy", static_cast<std::uintmax_t>(size));
        EXPECT_NE(error_of(folder_ / "t.npy"), "") << size;
    }
}

TEST_F(NpyTest, BadFilesNameTheField) {
    EXPECT_TRUE(contains(error_of(write("m.npy", "PK\x03\x04 some zip file")), "magic"));
    EXPECT_TRUE(contains(error_of(write("m.npy", std::string("\x93NUMPY\x09\x00\x10\x00", 10))),
                         "'version' is 9"));
    const auto with = [&](std::string_view dict) { return error_of(write_dict(dict, "")); };
    EXPECT_TRUE(contains(with("{'descr': '<f4', 'fortran_order': True, 'shape': (0,), }"),
                         "'fortran_order' is True"));
    EXPECT_TRUE(
        contains(with("{'descr': '>f4', 'fortran_order': False, 'shape': (0,), }"), "big-endian"));
    EXPECT_TRUE(
        contains(with("{'descr': '<c8', 'fortran_order': False, 'shape': (0,), }"), "'<c8'"));
    EXPECT_TRUE(contains(with("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}"),
                         "structured"));
    EXPECT_TRUE(contains(with("{'descr': '<f4', 'shape': (0,), }"), "no field 'fortran_order'"));
    EXPECT_TRUE(
        contains(with("{'descr': '<f4', 'fortran_order': False, 'shape': (1.5,)}"), "malformed"));
    EXPECT_TRUE(
        contains(with("{'descr': '<f4', 'fortran_order': False, 'shape': (-4,)}"), "negative"));
    EXPECT_TRUE(contains(with("{'zip': 1}"), "'zip'"));
}

TEST_F(NpyTest, HugeShapesAllocateNothing) {
    const auto with = [&](std::string_view shape) {
        const auto result = read_npy(
            write_dict(
                "{'descr': '<f8', 'fortran_order': False, 'shape': " + std::string(shape) + ", }",
                "12345678"),
            "x");
        return result ? ErrorCode::internal : result.error().code;
    };
    EXPECT_EQ(with("(99999999999999999999999,)"), ErrorCode::too_large);
    EXPECT_EQ(with("(4294967296, 4294967296)"), ErrorCode::too_large);
    EXPECT_EQ(with("(4611686018427387904, 4, 0)"), ErrorCode::too_large);
    EXPECT_EQ(with("(400000000,)"), ErrorCode::invalid);  // 3.2 GB would be allowed: truncated
    EXPECT_EQ(with("(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)"), ErrorCode::invalid);
}

TEST_F(NpyTest, MissingFileIsNotFound) {
    const auto tensor = read_npy(folder_ / "none.npy", "x");
    ASSERT_FALSE(tensor);
    EXPECT_EQ(tensor.error().code, ErrorCode::not_found);
    EXPECT_TRUE(contains(tensor.error().message, "none.npy"));
    EXPECT_FALSE(read_npy(folder_, "x"));
}

TEST_F(NpyTest, WrongSizeIsNotWritten) {
    Tensor tensor = counting(dtype::f32, {4});
    tensor.desc.shape = {5};
    EXPECT_FALSE(write_npy(folder_ / "w.npy", tensor));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "w.npy"));
}

}  // namespace
}  // namespace farm
