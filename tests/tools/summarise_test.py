"""The closing line counts cases, notices crashes, and calls an empty run a failure."""
import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import summarise


class SummariseTest(unittest.TestCase):
    def run_over(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                (Path(folder) / name).write_text(text)
            output = io.StringIO()
            with contextlib.redirect_stdout(output), \
                    mock.patch.object(sys, "argv", ["summarise.py", folder]):
                code = summarise.main()
            return code, output.getvalue().splitlines()[-1]

    def test_cases_of_gtest_and_other_tests_are_added(self):
        code, line = self.run_over({
            "ctest.junit": '<testsuite><testcase name="a" status="run"/>'
                           '<testcase name="script" status="run"/></testsuite>',
            "a.xml": '<testsuites><testsuite>'
                     '<testcase name="x" classname="A" status="run" result="completed"/>'
                     '<testcase name="y" classname="A" status="run" result="skipped">'
                     '<skipped message="no data"/></testcase></testsuite></testsuites>'})
        self.assertEqual((0, "2 passed, 0 failed, 1 skipped"), (code, line))

    def test_crash_without_report_is_one_failure(self):
        code, line = self.run_over({
            "ctest.junit": '<testsuite><testcase name="a" status="fail"><failure/></testcase>'
                           '<testcase name="b" status="run"/></testsuite>'})
        self.assertEqual((1, "1 passed, 1 failed, 0 skipped"), (code, line))

    def test_program_that_was_stopped_after_its_cases_passed_is_a_failure(self):
        code, line = self.run_over({
            "ctest.junit": '<testsuite><testcase name="a" status="fail"/></testsuite>',
            "a.xml": '<testsuites><testsuite><testcase name="x" classname="A" status="run"'
                     ' result="completed"/></testsuite></testsuites>'})
        self.assertEqual((1, "1 passed, 1 failed, 0 skipped"), (code, line))

    def test_nothing_ran(self):
        code, line = self.run_over({"ctest.junit": "<testsuite/>"})
        self.assertEqual((1, "0 passed, 0 failed, 0 skipped"), (code, line))


if __name__ == "__main__":
    unittest.main()
