"""JSON as programs read it that allow comments and commas behind the last of a list."""

import re
from posixpath import basename
from typing import Final

# INVARIANT: linear in the text, which anybody may have written: what opens and never closes is read
# once, to its end, and a word is tried at its beginning only.
_COMMENT: Final = re.compile(r'("(?:[^"\\\n]|\\.)*"?)|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_COMMA: Final = re.compile(r'("(?:[^"\\\n]|\\.)*"?)|,(?=\s*[}\]])')
_KEPT: Final = re.compile(r"[^\n]")
# Programs that read their own files so.
_FOLDERS: Final = re.compile(r"(?:^|/)(?:\.vscode|\.devcontainer|common/config/rush)/")
_NAMES: Final = re.compile(
    r"(?:ts|js)config[^/]*\.json|.*\.(?:jsonc|code-workspace)|devcontainer\.json|\.?babel(?:rc|\.config)\.json"
    r"|(?:turbo|deno|nx|angular|project|workspace|biome|rush|tslint|tsdoc|typedoc|knip|wrangler|rslib)\.json"
    r"|api-extractor[^/]*\.json|appsettings[^/]*\.json|launchSettings\.json|(?:based)?pyrightconfig\.json"
    r"|\.(?:eslintrc|jshintrc|swcrc|stylelintrc|markdownlint|mocharc|nycrc|oxlintrc|jsdoc|releaserc"
    r"|lintstagedrc|prettierrc|c8rc)\.json|\.?(?:cspell|renovate|jsdoc)(?:\.config)?\.json"
)


def allows_comments(path: str) -> bool:
    """Do the programs whose file this is, by its name, read it with comments?"""
    return bool(_NAMES.fullmatch(basename(path)) or _FOLDERS.search(path))


def bare(text: str) -> str:
    """The same without comments and last commas, every place kept."""
    return _COMMA.sub(_blank, _COMMENT.sub(_blank, text))


def _blank(found: "re.Match[str]") -> str:
    return found[1] or _KEPT.sub(" ", found[0])
