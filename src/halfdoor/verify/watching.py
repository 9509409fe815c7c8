"""What runs inside, beside the project's own code: text that is laid into the working folder.

It runs under the project's interpreter, so it imports nothing but the standard library and, in
`PYTEST`, pytest. Code under test shares its process and could forge what it reports; whoever
writes tests that lie is not found out by running them.
"""

from typing import Final

FOLDER: Final = ".halfdoor"
REPORT: Final = f"{FOLDER}/report.json"
PLUGIN: Final = "halfdoor_watch"

# With `HALFDOOR_MAP`, also which functions of the tree each test enters: `entered` holds indices
# of `functions`, which are `path:first line`.
PYTEST: Final = """
import json, os, sys, threading
import pytest

ROOT = os.getcwd() + os.sep
outcomes, broken, functions, entered = {}, {}, {}, {}
collected = set()
current = set()

def trace(frame, event, _):
    code = frame.f_code
    if code.co_filename.startswith(ROOT):
        current.add((code.co_filename, code.co_firstlineno))

def told(report):
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr or "")
    lines = text.strip().splitlines() or [""]
    return (lines[0] if crash else lines[-1])[:300]

@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    for name, value in (("dist", "no"), ("numprocesses", None), ("tx", [])):
        if hasattr(config.option, name):
            setattr(config.option, name, value)

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item, nextitem):
    if not os.environ.get("HALFDOOR_MAP"):
        yield
        return
    current.clear()
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)
        threading.settrace(None)
        entered[item.nodeid] = sorted(
            functions.setdefault(f"{path[len(ROOT):]}:{line}", len(functions))
            for path, line in current
        )

def pytest_runtest_logreport(report):
    line = (report.location[1] or 0) + 1
    if report.failed:
        outcomes[report.nodeid] = ["failed", line, told(report)]
    elif report.when == "call" or report.skipped:
        outcomes.setdefault(report.nodeid, [report.outcome, line, ""])

def pytest_itemcollected(item):
    collected.add(item.nodeid)

def pytest_collectreport(report):
    if report.failed:
        broken[report.nodeid] = told(report)

@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    said = {"outcomes": outcomes, "broken": broken}
    said |= {"functions": list(functions), "entered": entered}
    said["collected"] = sorted(collected.difference(outcomes))
    with open(os.path.join(ROOT, os.environ["HALFDOOR_REPORT"]), "w") as file:
        json.dump(said, file)
"""

# Standard input: a JSON list of [path, module, prompt]. Of each example that does not give what it
# says: path, line, name, source, what it should give, what came.
EXAMPLES: Final = """
import doctest, importlib, json, sys

class Runner(doctest.DocTestRunner):
    def __init__(self):
        super().__init__(verbose=False)
        self.wrong, self.tried = [], 0
    def report_start(self, out, test, example):
        self.tried += 1
    def _say(self, test, example, got):
        line = (test.lineno or 0) + example.lineno + 1
        self.wrong.append([self.path, line, test.name, example.source.strip(), example.want, got])
    def report_failure(self, out, test, example, got):
        self._say(test, example, got)
    def report_unexpected_exception(self, out, test, example, info):
        self._say(test, example, f"{info[0].__name__}: {info[1]}")
    def report_success(self, out, test, example, got):
        pass

def main():
    asked = json.load(sys.stdin)
    runner, unread = Runner(), []
    for path, module, prompt in asked:
        runner.path = path
        try:
            found = importlib.import_module(module)
        except BaseException as error:
            unread.append([path, f"{type(error).__name__}: {error}"])
            continue
        tests = [t for t in doctest.DocTestFinder().find(found, module) if t.examples]
        if prompt:
            parse = doctest.DocTestParser().get_doctest
            tests.append(parse(prompt, dict(vars(found)), "the prompt", "", 0))
        for test in tests:
            runner.run(test, out=lambda _: None)
    json.dump({"wrong": runner.wrong, "tried": runner.tried, "unread": unread}, sys.__stdout__)

sys.path[:0] = [".", "src"]
main()
"""
