// The text of the CUDA twins, run by a loop: what they compute is right in any order of the lanes.
#include <memory>
#include <string>

#include "tests/unit/gpu_worker/tracking/twin/shuffled_execution.h"
#include "tests/unit/gpu_worker/tracking/twin/twin_cases.h"

namespace farm::tracking::twin::testing {

template <unsigned seed>
struct Shuffled {
    using Execution = ShuffledExecution;
    static constexpr std::size_t large = 20'000;

    static std::string why_not() { return {}; }
    static std::unique_ptr<ShuffledExecution> make() {
        return std::make_unique<ShuffledExecution>(seed);
    }
};

using Seeds = ::testing::Types<Shuffled<1>, Shuffled<2>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Shuffled, TwinTest, Seeds);

}  // namespace farm::tracking::twin::testing
