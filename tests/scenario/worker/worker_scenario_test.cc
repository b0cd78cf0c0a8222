#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/scenario/worker/transcript.h"

namespace farm {
namespace {

/// Each file *.txt beside this one is a transcript. FARM_RECORD=1 writes what happens now into the
/// files: review the change as a diff.
const std::filesystem::path folder = "tests/scenario/worker";

std::string contents_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(WorkerScenarioTest, TranscriptsHappenAsRecorded) {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".txt") continue;
        ++count;
        const std::string recorded = contents_of(entry.path());
        const std::string played = play_worker_transcript(recorded);
        if (std::getenv("FARM_RECORD") != nullptr) std::ofstream(entry.path()) << played;
        EXPECT_EQ(played, recorded) << entry.path();
        EXPECT_EQ(played.find("PROBLEM"), std::string::npos) << entry.path();
    }
    EXPECT_GE(count, 9) << "transcripts are looked for in " << folder << ", from the source folder";
}

}  // namespace
}  // namespace farm
