#include "gpu_worker/repository/repository.h"

#include <gtest/gtest.h>

#include "gpu_worker/repository/checksum.h"
#include "gpu_worker/repository/warmup.h"
#include "tests/unit/gpu_worker/temporary_folder.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

using testing::TemporaryFolder;

constexpr auto config = R"(
platform: "pytorch_libtorch"
input [ { name: "a" data_type: TYPE_FP32 dims: [ 2 ] } ]
output [ { name: "b" data_type: TYPE_FP32 dims: [ 2 ] } ]
)";

std::vector<RepositoryEntry> scan(const TemporaryFolder& folder) {
    auto entries = scan_repository(folder.path());
    EXPECT_TRUE(entries) << entries.error().message;
    return entries ? *entries : std::vector<RepositoryEntry>{};
}

/// "1 2*": served versions, the latest with a star; failures as their version and '!'.
std::string versions_of(const std::vector<RepositoryEntry>& entries) {
    std::string text;
    for (const RepositoryEntry& entry : entries) {
        if (!text.empty()) text += " ";
        if (const auto* source = std::get_if<ModelSource>(&entry)) {
            text += std::to_string(source->version) + (source->latest ? "*" : "");
        } else {
            text += std::to_string(std::get<LoadFailure>(entry).version) + "!";
        }
    }
    return text;
}

std::string reason_of(const std::vector<RepositoryEntry>& entries) {
    if (entries.size() != 1 || !std::holds_alternative<LoadFailure>(entries[0])) {
        return "not one failure";
    }
    return std::get<LoadFailure>(entries[0]).reason;
}

TemporaryFolder& with_versions(TemporaryFolder& folder, const std::string& policy) {
    folder.write("m/config.pbtxt", config + policy);
    for (const std::string version : {"1", "2", "10"})
        folder.write("m/" + version + "/model.pt", "x");
    folder.write("m/notes/readme", "no version");
    folder.write("m/007/model.pt", "no version either");
    return folder;
}

TEST(RepositoryTest, ServesTheNewestVersionByDefault) {
    TemporaryFolder folder;
    EXPECT_EQ(versions_of(scan(with_versions(folder, ""))), "10*");
}

TEST(RepositoryTest, VersionPolicies) {
    for (const auto& [policy, served] :
         {std::pair{"latest { num_versions: 2 }", "2 10*"}, std::pair{"all { }", "1 2 10*"},
          std::pair{"specific { versions: [ 2, 1 ] }", "1 2*"},
          std::pair{"specific { versions: [ 3 ] }", "3!"}}) {
        TemporaryFolder folder;
        with_versions(folder, "version_policy { " + std::string(policy) + " }");
        EXPECT_EQ(versions_of(scan(folder)), served) << policy;
    }
}

TEST(RepositoryTest, OneBadModelDoesNotStopTheOthers) {
    TemporaryFolder folder;
    folder.write("bad/config.pbtxt", "name: \"bad\"\nmax_batch_size: x\n");
    folder.write("good/config.pbtxt", config);
    folder.write("good/1/model.pt", "x");
    folder.write(".hidden/config.pbtxt", "nonsense");
    folder.write("README", "a file, not a model");
    const auto entries = scan(folder);
    ASSERT_EQ(versions_of(entries), "0! 1*");
    const auto& failure = std::get<LoadFailure>(entries[0]);
    EXPECT_EQ(failure.model, "bad");
    EXPECT_EQ(failure.reason,
              (folder.path() / "bad/config.pbtxt").string() + ":2:17: Expected integer, got: x");
    EXPECT_EQ(advertise(failure).failure, failure.reason);
    const ServiceAd ad = advertise(std::get<ModelSource>(entries[1]));
    EXPECT_EQ(ad.model, "good");
    EXPECT_EQ(ad.failure, "");
}

TEST(RepositoryTest, ModelFileMayHaveAnotherName) {
    TemporaryFolder folder;
    folder.write("m/config.pbtxt", std::string(config) + "default_model_filename: \"net.pt\"");
    folder.write("m/1/net.pt", "x");
    const auto entries = scan(folder);
    ASSERT_EQ(versions_of(entries), "1*");
    EXPECT_EQ(std::get<ModelSource>(entries[0]).file, folder.path() / "m/1/net.pt");
}

TEST(RepositoryTest, MissingModelFileIsNamed) {
    TemporaryFolder folder;
    folder.write("m/config.pbtxt", config);
    folder.write("m/1/model.onnx", "x");
    EXPECT_NE(reason_of(scan(folder)).find("m/1/model.pt is not there"), std::string::npos);
}

TEST(RepositoryTest, NoVersionFolder) {
    TemporaryFolder folder;
    folder.write("m/config.pbtxt", config);
    EXPECT_NE(reason_of(scan(folder)).find("has no version to serve"), std::string::npos);
}

TEST(RepositoryTest, WithoutConfigTheModelFileIsAsked) {
    TemporaryFolder folder;
    folder.write("m/1/model.pt", "x");
    const auto entries = scan(folder);
    ASSERT_EQ(versions_of(entries), "1*");
    const auto& source = std::get<ModelSource>(entries[0]);
    EXPECT_FALSE(source.has_config);
    EXPECT_EQ(source.backend, "pytorch");
}

TEST(RepositoryTest, ReferenceModelNeedsNoVersionFolder) {
    TemporaryFolder folder;
    folder.write("echo/config.pbtxt", "backend: \"reference\"");
    EXPECT_EQ(versions_of(scan(folder)), "1*");
}

TEST(RepositoryTest, ModelNameMustBeCallable) {
    TemporaryFolder folder;
    folder.write("a model/1/model.pt", "x");
    EXPECT_NE(reason_of(scan(folder)).find("cannot be called"), std::string::npos);
}

TEST(RepositoryTest, MissingRepositoryIsAnErrorOfTheWhole) {
    TemporaryFolder folder;
    const auto entries = scan_repository(folder.path() / "nowhere");
    ASSERT_FALSE(entries);
    EXPECT_EQ(entries.error().code, ErrorCode::not_found);
    folder.write("file", "x");
    EXPECT_FALSE(scan_repository(folder.path() / "file"));
}

std::string checksum_of(const std::string& key, const std::string& sum) {
    return std::string(config) + "model_repository_agents { agents [ { name: \"checksum\" " +
           "parameters { key: \"" + key + "\" value: \"" + sum + "\" } } ] }";
}

TEST(RepositoryTest, ChecksumIsVerified) {
    TemporaryFolder folder;
    folder.write("m/1/model.pt", "abc");  // RFC 1321: MD5 ("abc")
    folder.write("m/config.pbtxt",
                 checksum_of("MD5:1/model.pt", "900150983CD24FB0D6963F7D28E17F72"));
    EXPECT_EQ(versions_of(scan(folder)), "1*");
}

TEST(RepositoryTest, ChecksumMismatchNamesBothSums) {
    TemporaryFolder folder;
    folder.write("m/1/model.pt", "abd");
    folder.write("m/config.pbtxt",
                 checksum_of("MD5:1/model.pt", "900150983cd24fb0d6963f7d28e17f72"));
    EXPECT_EQ(reason_of(scan(folder)),
              "file '1/model.pt' has MD5 4911e516e5aa21d327512e0c8b197616 (config.pbtxt says "
              "900150983cd24fb0d6963f7d28e17f72): restore the file or correct config.pbtxt");
}

TEST(RepositoryTest, ChecksumsThatCannotBeVerifiedFail) {
    for (const std::string key :
         {"SHA1:1/model.pt", "MD5:1/other.pt", "MD5:../m/1/model.pt", "MD5:/etc/hosts", "MD5:"}) {
        TemporaryFolder folder;
        folder.write("m/1/model.pt", "abc");
        folder.write("m/config.pbtxt", checksum_of(key, "900150983cd24fb0d6963f7d28e17f72"));
        EXPECT_EQ(versions_of(scan(folder)), "0!") << key;
    }
}

TEST(ContentHashTest, DependsOnNamesAndBytesOfAllFiles) {
    TemporaryFolder folder;
    folder.write("a/model.pt", "x");
    folder.write("b/model.pt", "x");
    folder.write("c/model.pt", "y");
    folder.write("d/other.pt", "x");
    folder.write("e/model.pt", "x");
    folder.write("e/extra/weights", "");
    const auto hash = [&](const std::string& name) { return *hash_folder(folder.path() / name); };
    EXPECT_EQ(hash("a"), hash("b"));
    EXPECT_NE(hash("a"), hash("c"));
    EXPECT_NE(hash("a"), hash("d"));
    EXPECT_NE(hash("a"), hash("e"));
    EXPECT_EQ(hash("a"), *hash_file(folder.path() / "a/model.pt"));
}

TEST(WarmupTest, TensorsAsDeclared) {
    TemporaryFolder folder;
    folder.write("bytes", std::string("\x01\x02\x03\x04", 4));
    WarmupRun run;
    run.inputs = {{{"z", dtype::f32, {2}}, WarmupData::zero, {}},
                  {{"r", dtype::f32, {100}}, WarmupData::random, {}},
                  {{"i", dtype::i64, {100}}, WarmupData::random, {}},
                  {{"f", dtype::u8, {4}}, WarmupData::file, folder.path() / "bytes"}};
    const auto tensors = warmup_tensors(run);
    ASSERT_TRUE(tensors) << tensors.error().message;
    EXPECT_EQ(values_of((*tensors)[0]), (std::vector<float>{0, 0}));
    for (const float value : values_of((*tensors)[1])) EXPECT_TRUE(value >= 0 && value < 1);
    for (const std::int64_t value : values_of<std::int64_t>((*tensors)[2])) {
        EXPECT_TRUE(value == 0 || value == 1) << value;
    }
    EXPECT_EQ(values_of<std::uint8_t>((*tensors)[3]), (std::vector<std::uint8_t>{1, 2, 3, 4}));
}

TEST(WarmupTest, FileOfAnotherSizeIsAnError) {
    TemporaryFolder folder;
    folder.write("bytes", "12345");
    WarmupRun run;
    run.inputs = {{{"f", dtype::u8, {4}}, WarmupData::file, folder.path() / "bytes"}};
    EXPECT_FALSE(warmup_tensors(run));
    run.inputs[0].file = folder.path() / "missing";
    EXPECT_FALSE(warmup_tensors(run));
}

TEST(WarmupTest, DefaultFillsFreeDimensions) {
    Signature signature;
    signature.inputs = {{"x", dtype::f32, {-1, 3}, false}};
    EXPECT_EQ(default_warmup(signature, 5).inputs[0].desc.shape, (Shape{5, 3}));
}

TEST(RealRepositoryTest, OurOwnModelsAreServed) {
    const auto entries = scan_repository("data/models");
    ASSERT_TRUE(entries) << entries.error().message;
    for (const RepositoryEntry& entry : *entries) {
        const auto* failure = std::get_if<LoadFailure>(&entry);
        EXPECT_EQ(failure, nullptr) << failure->reason;
    }
    EXPECT_EQ(std::get<ModelSource>(entries->front()).model, "gnn");
}

TEST(RealRepositoryTest, CmsModelsAreReadAsTheyAre) {
    const std::filesystem::path repository = "../shared/data/triton_models";
    if (!std::filesystem::exists(repository)) {
        GTEST_SKIP() << "the CMS repository is not at " << repository
                     << " (it is not ours to copy)";
    }
    const auto entries = scan_repository(repository);
    ASSERT_TRUE(entries) << entries.error().message;
    ASSERT_EQ(entries->size(), 2U);
    const auto* source = std::get_if<ModelSource>(&(*entries)[0]);
    ASSERT_NE(source, nullptr) << std::get<LoadFailure>((*entries)[0]).reason;
    EXPECT_EQ(source->model, "particlenet_AK4_PT");
    EXPECT_EQ(source->max_batch_rows, 500U);
    EXPECT_EQ(source->hints.preferred_rows, (std::vector<std::uint32_t>{200}));
    EXPECT_EQ(source->signature.inputs.size(), 6U);
    EXPECT_EQ(source->signature.inputs[1].dims, (Shape{-1, 20, -1}));
    const auto* onnx = std::get_if<LoadFailure>(&(*entries)[1]);
    ASSERT_NE(onnx, nullptr);
    EXPECT_NE(onnx->reason.find("platform 'onnxruntime_onnx' is not supported"), std::string::npos);
}

}  // namespace
}  // namespace farm
