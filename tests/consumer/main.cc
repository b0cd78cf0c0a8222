// What a user of the installed package writes: one call, answered by a private farm on this
// machine.
#include <cstdio>
#include <vector>

#include "common/core/version.h"
#include "cpu_client/lib/client.h"

namespace {

int complain(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return complain("usage: consumer MODEL_REPOSITORY");
    auto client = farm::Client::connect("", {.local_models = argv[1]});
    if (!client) return complain(client.error().message);

    const std::vector<float> x{1, 2, 3};
    const farm::Inference result =
        client->infer("scale", {{"x", farm::tensor<float>({1, 3}, x)}}).get();
    const auto y = result.output("y").as<float>();
    if (!y) return complain(y.error().message);
    if (y->size() != 3 || (*y)[2] != 6) return complain("2 x 3 is not 6");
    std::printf("eventfarm %s: %zu outputs\n", farm::version.data(), result.outputs.size());
    return 0;
}
