// Seeded mutations of the corpus: what the fuzzer does, but the same on every machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/wire_checks.h"

namespace farm::test {
namespace {

std::vector<std::string> corpus(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> inputs;
    for (const auto& path : paths) {
        std::ifstream file(path, std::ios::binary);
        inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return inputs;
}

/// Makes small changes, of the kinds that break decoders: bits, bytes with a meaning in msgpack,
/// lengths, cuts, repeated and foreign pieces.
class Mutator {
  public:
    Mutator(std::vector<std::string> inputs, std::uint64_t seed)
        : inputs_(std::move(inputs)), random_(seed) {}

    std::string next() {
        std::string bytes = any_input();
        for (std::size_t i = 1 + below(3); i > 0; --i) mutate(bytes);
        return bytes;
    }

  private:
    std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }
    const std::string& any_input() { return inputs_[below(inputs_.size())]; }

    char telling_byte() {
        using namespace std::string_view_literals;
        static constexpr std::string_view bytes =
            "\x00\x01\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xc3\xc4\xc6\xc7\xca\xcb\xcc\xcd\xce"
            "\xcf\xd0\xd3\xd4\xd9\xdb\xdc\xdd\xde\xdf\xe0\xff"sv;
        return bytes[below(bytes.size())];
    }

    void mutate(std::string& bytes) {
        const std::size_t at = below(bytes.size());
        switch (below(7)) {
            case 0:
                if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
                return;
            case 1:
                if (!bytes.empty()) bytes[at] = telling_byte();
                return;
            case 2: bytes.insert(at, 1, telling_byte()); return;
            case 3: bytes.erase(at, 1 + below(4)); return;
            case 4: bytes.resize(at); return;
            case 5: bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(40))); return;
            default: {
                const std::string& other = any_input();
                bytes.insert(at, other.substr(below(other.size()), 1 + below(40)));
            }
        }
    }

    std::vector<std::string> inputs_;
    std::mt19937_64 random_;
};

template <class F>
std::size_t count_accepted(const char* folder, int rounds, F check) {
    Mutator mutator(corpus(folder), 20261121);
    std::size_t accepted = 0;
    for (int i = 0; i < rounds; ++i) {
        const std::string bytes = mutator.next();
        if (bytes.size() > 200'000) continue;
        if (check(std::as_bytes(std::span(bytes)))) ++accepted;
    }
    return accepted;
}

/// Some mutants must stay valid, or the loop would only ever test the first check.
TEST(WireMutationTest, AnyHeaderGivesItemsOrANamedError) {
    EXPECT_GT(count_accepted("tests/fuzz/corpus/header", 200'000, check_header), 100U);
}

TEST(WireMutationTest, AnyBodyGivesTensorsOrANamedError) {
    EXPECT_GT(count_accepted("tests/fuzz/corpus/body", 100'000, check_body), 100U);
}

}  // namespace
}  // namespace farm::test
