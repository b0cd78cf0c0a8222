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

struct Threaded {
    using Execution = ThreadedExecution;
    static constexpr std::size_t large = 20'000;

    static std::string why_not() { return {}; }
    static std::unique_ptr<ThreadedExecution> make() {
        return std::make_unique<ThreadedExecution>(3);
    }
};

using Places = ::testing::Types<Shuffled<1>, Shuffled<2>, Threaded>;
INSTANTIATE_TYPED_TEST_SUITE_P(Shuffled, TwinTest, Places);

}  // namespace farm::tracking::twin::testing
