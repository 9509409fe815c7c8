"""Insecure Python, by ruff's S rules; those that are wrong more often than right are left out."""

from collections.abc import Generator
from typing import Final

import msgspec

from halfdoor.canon.checks import Ran, Result, Run, Subject
from halfdoor.verify.ruff import RuffCheck

NAME: Final = "security"
# assert; passwords by a variable's name (`secrets` looks for keys); `pass` on an exception;
# starting any process, opening any address; importing what can be misused; random numbers.
LEFT_OUT: Final = (
    "S101,S105,S106,S107,S110,S112,S310,S311,S403,S404,S405,S406,S407,S408,S409,S411,S412,S413,S415"
    ",S603,S606,S607"
)
# Tests bind, write to /tmp, read XML of their own and hash what guards nothing. What runs text or
# unpickles it counts there, too: anybody may call a file `test_runner.py`.
_IN_TESTS: Final = "S104,S108,S113,S314,S318,S324,S704"
_TESTS: Final = ("tests/**", "test/**", "**/test_*.py", "**/conftest.py")

CWES: Final = {
    "S102": "CWE-95",
    "S103": "CWE-732",
    "S104": "CWE-668",
    "S108": "CWE-377",
    "S113": "CWE-400",
    "S201": "CWE-489",
    "S202": "CWE-22",
    "S301": "CWE-502",
    "S302": "CWE-502",
    "S303": "CWE-327",
    "S304": "CWE-327",
    "S305": "CWE-327",
    "S306": "CWE-377",
    "S307": "CWE-95",
    "S308": "CWE-79",
    "S312": "CWE-319",
    "S313": "CWE-611",
    "S314": "CWE-611",
    "S315": "CWE-611",
    "S316": "CWE-611",
    "S317": "CWE-611",
    "S318": "CWE-611",
    "S319": "CWE-611",
    "S320": "CWE-611",
    "S321": "CWE-319",
    "S323": "CWE-295",
    "S324": "CWE-327",
    "S401": "CWE-319",
    "S402": "CWE-319",
    "S501": "CWE-295",
    "S502": "CWE-327",
    "S503": "CWE-327",
    "S504": "CWE-327",
    "S505": "CWE-326",
    "S506": "CWE-502",
    "S507": "CWE-295",
    "S508": "CWE-319",
    "S509": "CWE-319",
    "S601": "CWE-78",
    "S602": "CWE-78",
    "S604": "CWE-78",
    "S605": "CWE-78",
    "S608": "CWE-89",
    "S609": "CWE-78",
    "S610": "CWE-89",
    "S611": "CWE-89",
    "S612": "CWE-94",
    "S701": "CWE-79",
    "S702": "CWE-79",
    "S704": "CWE-79",
}
_HINTS: Final = {
    "S102": "call the function you mean instead of running text",
    "S113": "give `timeout=`",
    "S202": 'give `filter="data"`',
    "S301": "read JSON, or another format that cannot run code",
    "S307": "use `ast.literal_eval`, or read JSON",
    "S324": "use SHA-256; `usedforsecurity=False` where it guards nothing",
    "S501": "leave certificate verification on",
    "S506": "use `yaml.safe_load`",
    "S602": "give a list of arguments and no `shell=True`",
    "S604": "give a list of arguments and no `shell=True`",
    "S605": "use `subprocess.run` with a list of arguments",
    "S608": "give values as parameters of the query",
    "S701": "give `autoescape=True`",
}
# For the others, by weakness.
_BY_CWE: Final = {
    "CWE-78": "give a list of arguments and no shell",
    "CWE-79": "let the template escape it",
    "CWE-89": "give values as parameters of the query",
    "CWE-295": "leave verification on",
    "CWE-319": "use a protocol that is encrypted",
    "CWE-326": "use a longer key",
    "CWE-327": "use a current algorithm, as SHA-256 or AES-GCM",
    "CWE-377": "use `tempfile`, which makes names that nobody can guess",
    "CWE-502": "read JSON, or another format that cannot run code",
    "CWE-611": "use `defusedxml`",
}


class Security(RuffCheck):
    """noqa: are `# noqa` comments obeyed? Whoever writes the code could write them, too."""

    def __init__(self, *, noqa: bool = False) -> None:
        in_tests = (f"{glob}:{code}" for glob in _TESTS for code in _IN_TESTS.split(","))
        ignored = (word for each in in_tests for word in ("--per-file-ignores", each))
        obeyed = () if noqa else ("--ignore-noqa",)
        options = ("check", "--select", "S", "--ignore", LEFT_OUT, *ignored, *obeyed)
        super().__init__(NAME, options)

    def judge(self, subject: Subject) -> Generator[Run, Ran, Result]:
        """See `Check.judge`; findings carry the weakness they are an instance of."""
        result = yield from super().judge(subject)
        worded = tuple(
            msgspec.structs.replace(
                each, cwe=CWES.get(each.code, ""), hint=each.hint or _hint(each.code)
            )
            for each in result.findings
        )
        return msgspec.structs.replace(result, findings=worded)


def _hint(code: str) -> str:
    return _HINTS.get(code) or _BY_CWE.get(CWES.get(code, ""), "see what ruff says of this rule")
