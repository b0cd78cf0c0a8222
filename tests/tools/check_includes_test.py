"""The checker finds what is planted for it, and is quiet about what is allowed."""
import tempfile
import unittest
from pathlib import Path

import check_includes


class CheckIncludesTest(unittest.TestCase):
    def faults(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve()
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return check_includes.check(root)

    def test_allowed_edges_are_quiet(self):
        self.assertEqual([], self.faults({
            "broker/core/queue.h": '#include <vector>\n#include "schemas/limits.h"\n',
            "common/net/socket.h": '#include <zmq.hpp>\n#include "common/core/error.h"\n',
            "gpu_worker/backends/torch_backend.h": "#include <torch/script.h>\n",
        }))

    def test_program_including_another_program(self):
        faults = self.faults({"broker/core/queue.h": '\n#include "gpu_worker/core/backend.h"\n'})
        self.assertEqual(["broker/core/queue.h:2: includes gpu_worker/core/backend.h: "
                          "broker/core may not use gpu_worker/core"], faults)

    def test_upward_edge(self):
        self.assertEqual(1, len(self.faults({"schemas/tensor.h": '#include "common/net/frame.h"'})))

    def test_pure_folder_with_library_thread_or_file(self):
        for header in ("zmq.hpp", "msgpack.hpp", "torch/script.h", "cuda_runtime.h", "mutex",
                       "atomic", "spdlog/spdlog.h", "tbb/flow_graph.h", "sys/socket.h", "fstream"):
            with self.subTest(header=header):
                faults = self.faults({"cpu_client/core/machine.h": f"#include <{header}>\n"})
                self.assertEqual(1, len(faults), faults)

    def test_include_that_is_not_rooted(self):
        self.assertEqual(1, len(self.faults({"schemas/tensor.h": '#include "limits.h"\n'})))

    def test_unknown_folder_and_unknown_header(self):
        self.assertEqual(1, len(self.faults({"extra/x.h": "#include <vector>\n"})))
        self.assertEqual(1, len(self.faults({"schemas/x.h": "#include <boost/any.hpp>\n"})))

    def test_forgotten_test_is_reported(self):
        files = {
            "tests/unit/schemas/a_test.cc": "", "tests/unit/schemas/b_test.cc": "",
            "tests/unit/schemas.cmake": "farm_add_test(a SOURCES schemas/a_test.cc LINK x)\n"
                                        "# schemas/b_test.cc\n",
        }
        faults = self.faults(files)
        self.assertEqual(1, len(faults), faults)
        self.assertIn("tests/unit/schemas/b_test.cc", faults[0])

    def test_map_that_names_another_folder(self):
        rows = "".join(f"| {folder} | x | y | z |\n" for folder in check_includes.TABLE
                       if folder not in ("tests", "bench", "broker/core"))
        faults = self.faults({"ARCHITECTURE.md": f"## Map\n| folder |\n{rows}| broker/extra | |\n"})
        self.assertEqual(2, len(faults), faults)


if __name__ == "__main__":
    unittest.main()
