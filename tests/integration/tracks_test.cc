// Track finding through broker and worker: real events, doublets, and the Exa.TrkX edge classifier.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "cpu_client/events/space_points.h"
#include "gpu_worker/backends/load_model.h"
#include "gpu_worker/repository/repository.h"
#include "tests/integration/client_calls.h"
#include "tests/integration/farm_children.h"
#include "tests/unit/gpu_worker/tensors.h"

namespace farm {
namespace {

constexpr const char* tracks_config = R"(
backend: "tracks"
input [ { name: "FEATURES" data_type: TYPE_FP32 dims: [ -1, 3 ] } ]
output [ { name: "LABELS" data_type: TYPE_INT64 dims: [ -1 ] } ]
instance_group [ { count: 2 } ]
parameters { key: "farm.tracks.graph" value { string_value: "doublets" } }
parameters { key: "farm.tracks.classifier" value { string_value: "classifier.pt" } }
parameters { key: "farm.tracks.tracks" value { string_value: "walkthrough" } }
parameters { key: "farm.tracks.scale_r" value { string_value: "3000" } }
parameters { key: "farm.tracks.scale_z" value { string_value: "400" } }
)";

std::vector<Tensor> real_events() {
    std::vector<Tensor> events;
    for (const auto& entry : std::filesystem::directory_iterator("data/events/lrt")) {
        const auto points = read_space_points(entry.path(), space_point_units::metres);
        EXPECT_TRUE(points) << points.error().message;
        if (points) events.push_back(to_tensor("FEATURES", *points));
    }
    return events;
}

Inputs features(const Tensor& event) {
    return {{"FEATURES", tensor<float>(event.desc.shape, event.data)}};
}

class TracksTest : public ::testing::Test {
  protected:
    void SetUp() override {
        const auto folder = farm_.models() / "tracks";
        std::filesystem::create_directories(folder / "1");
        std::ofstream(folder / "config.pbtxt") << tracks_config;
        std::filesystem::create_symlink(std::filesystem::absolute("data/models/gnn/1/model.pt"),
                                        folder / "1" / "classifier.pt");
        farm_.start_broker();
        farm_.start_worker("w1", farm_.url());
    }

    void TearDown() override {
        if (HasFailure()) std::cerr << farm_.log("broker") << farm_.log("w1");
    }

    Client connect() {
        auto client = Client::connect(farm_.url());
        EXPECT_TRUE(client) << client.error().message;
        await_model(*client, "tracks");
        return std::move(*client);
    }

    /// The same model in this process.
    std::unique_ptr<BackendInstance> local() {
        const auto entries = scan_repository(farm_.models());
        EXPECT_TRUE(entries) << entries.error().message;
        const auto model =
            load_model(std::get<ModelSource>(entries->front()), *resolve_device("cpu"));
        EXPECT_TRUE(model) << model.error().message;
        return std::move(*(*model)->make_instance());
    }

    FarmChildren farm_;
};

TEST_F(TracksTest, EventsInFlightGetTheLabelsOfTheSameModelHere) {
    Client client = connect();
    const auto instance = local();
    const std::vector<Tensor> events = real_events();
    ASSERT_GE(events.size(), 12U);
    std::vector<Future<Inference>> answers;
    for (const Tensor& event : events) answers.push_back(client.infer("tracks", features(event)));
    std::size_t labelled = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        const Inference answer = answers[i].get();
        ASSERT_TRUE(answer.ok()) << answer.detail;
        const auto labels = values_of<std::int64_t>(answer.outputs.front());
        const RunResult expected = instance->run(TensorList{events[i]});
        ASSERT_TRUE(expected) << expected.error().detail;
        EXPECT_TRUE(labels == values_of<std::int64_t>(expected->front())) << "event " << i;
        labelled += static_cast<std::size_t>(
            std::ranges::count_if(labels, [](std::int64_t label) { return label >= 0; }));
    }
    EXPECT_GT(labelled, 0U);
}

TEST_F(TracksTest, EventThatIsNotFiniteEndsInvalidAndTheNextIsServed) {
    Client client = connect();
    const Tensor bad = testing::floats("FEATURES", {1, 3}, {1, std::nanf(""), 1});
    const Inference refused = client.infer("tracks", features(bad)).get();
    EXPECT_EQ(refused.status, CallStatus::invalid);
    EXPECT_NE(refused.detail.find("coordinate 1 of point 0 is nan"), std::string::npos)
        << refused.detail;
    const Inference empty =
        client.infer("tracks", features(testing::floats("FEATURES", {0, 3}, {}))).get();
    ASSERT_TRUE(empty.ok()) << empty.detail;
    EXPECT_EQ(empty.outputs.front().desc.shape, (Shape{0}));
}

}  // namespace
}  // namespace farm
