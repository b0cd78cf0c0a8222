"""The figures to reach and what was seen, as a Markdown table, from the *-goals.json of a folder."""
import json
from pathlib import Path

BENCHES = ("peers", "interference", "service")


def load(folder, name):
    """The list in <folder>/<name>.json; empty when that bench was not run."""
    file = Path(folder) / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() else []


def goal_row(goal):
    sense = {">=": "≥", "<=": "≤"}[goal["sense"]]
    cells = [goal["what"], f"{sense} {goal['limit']:g}"]
    if goal["ratio"] is None:
        return cells + ["not measured", "", ""]
    verdict = "yes" if goal["met"] else "**no**"
    return cells + [f"{goal['ratio']:.2f}", f"{goal['low']:.2f} – {goal['high']:.2f}", verdict]


def markdown(rows, heading):
    lines = ["| " + " | ".join(heading) + " |", "|" + "---|" * len(heading)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def goal_table(folder):
    rows = [goal_row(goal) for bench in BENCHES for goal in load(folder, f"{bench}-goals")]
    return markdown(rows, ["ratio", "goal", "seen (median)", "low – high", "reached"])


def cost_table(folder):
    rows = [[cost["role"], str(cost["outstanding"]), f"{cost['instructions_per_call']:.0f}",
             f"{cost['allocations_per_call']:.2f}"] for cost in load(folder, "cost")]
    return markdown(rows, ["program", "calls open", "instructions a call", "allocations a call"])
