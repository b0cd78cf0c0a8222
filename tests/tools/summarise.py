#!/usr/bin/env python3
"""Closes a test run: counts the cases of every GoogleTest executable and every other ctest test.

usage: summarise.py FOLDER    (ctest.junit, and <executable>.xml where GTEST_OUTPUT put them)

The last line is `N passed, N failed, N skipped`. Exit code 1 when something failed or nothing ran.
An executable that crashed or was stopped leaves no (or an innocent) XML and counts as one failure.
"""
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path


def gtest_counts(path):
    """Counts of one executable; None when it left no readable report."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    counts = Counter()
    for case in root.iter("testcase"):
        if case.get("status") == "notrun" or case.get("result") == "suppressed":
            continue
        if case.find("failure") is not None:
            counts["failed"] += 1
        elif case.get("result") == "skipped" or case.find("skipped") is not None:
            counts["skipped"] += 1
        else:
            counts["passed"] += 1
    return counts


def test_counts(test, folder):
    outcome = {"run": "passed", "fail": "failed"}.get(test.get("status"), "skipped")
    if test.find("failure") is not None:
        outcome = "failed"
    counts = gtest_counts(folder / f"{test.get('name')}.xml")
    if not counts:
        return Counter({outcome: 1})
    if outcome == "failed" and not counts["failed"]:
        counts["failed"] += 1
    return counts


def skip_reasons(folder):
    for path in sorted(folder.glob("*.xml")):
        try:
            cases = ElementTree.parse(path).getroot().iter("testcase")
        except ElementTree.ParseError:
            continue
        for case in cases:
            skipped = case.find("skipped")
            if skipped is not None:
                reason = (skipped.get("message") or "").strip().splitlines()
                yield f"{case.get('classname')}.{case.get('name')}: {reason[-1] if reason else ''}"


def main():
    folder = Path(sys.argv[1])
    tests = list(ElementTree.parse(folder / "ctest.junit").getroot().iter("testcase"))
    total = Counter()
    for test in tests:
        counts = test_counts(test, folder)
        if counts["failed"]:
            print(f"failed: {test.get('name')}")
        total += counts
    for line in skip_reasons(folder):
        print(f"skipped: {line}")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
