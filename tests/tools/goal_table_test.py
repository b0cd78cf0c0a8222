"""The table of bench/results says what was reached, missed and not measured."""
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "bench" / "results"))
import goal_table  # noqa: E402


def goal(what, ratio, met, sense=">="):
    return {"what": what, "sense": sense, "limit": 0.9, "ratio": ratio,
            "low": ratio and ratio - 0.1, "high": ratio and ratio + 0.1, "met": met}


class GoalTableTest(unittest.TestCase):
    def table_of(self, files, make):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                (Path(folder) / name).write_text(json.dumps(content))
            return make(folder).splitlines()

    def test_reached_missed_and_not_measured(self):
        lines = self.table_of({"peers-goals.json": [goal("a / b", 0.951, True),
                                                    goal("c / d", 1.2, False, "<="),
                                                    goal("e / f", None, None)]},
                              goal_table.goal_table)
        self.assertEqual(lines[2], "| a / b | ≥ 0.9 | 0.95 | 0.85 – 1.05 | yes |")
        self.assertEqual(lines[3], "| c / d | ≤ 0.9 | 1.20 | 1.10 – 1.30 | **no** |")
        self.assertEqual(lines[4], "| e / f | ≥ 0.9 | not measured |  |  |")

    def test_benches_that_did_not_run_have_no_rows(self):
        lines = self.table_of({"service-goals.json": [goal("s", 1.0, True)]}, goal_table.goal_table)
        self.assertEqual(len(lines), 3)
        self.assertEqual(self.table_of({}, goal_table.goal_table)[2:], [])

    def test_costs(self):
        lines = self.table_of({"cost.json": [{"role": "broker", "outstanding": 8,
                                              "instructions_per_call": 12345.6,
                                              "allocations_per_call": 3.14159}]},
                              goal_table.cost_table)
        self.assertEqual(lines[2], "| broker | 8 | 12346 | 3.14 |")


if __name__ == "__main__":
    unittest.main()
