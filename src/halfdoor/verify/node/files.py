"""Which files are JavaScript or TypeScript, and which tell what such a project has.

Apart from what reads them: a change of Python alone must not wait for that.
"""

from posixpath import basename, splitext
from typing import Final

from halfdoor.canon.checks import Change

SUFFIXES: Final = frozenset({".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts"})
MANIFESTS: Final = ("package.json", "deno.json", "deno.jsonc", "import_map.json", "jsr.json")
LOCKS: Final = (
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
)
# Where a project gives modules other names; as text, for they are programs.
ALIASES: Final = tuple(
    f"{name}*"
    for name in ("vite.config.", "vitest.config.", "webpack.", "rollup.config.", "jest.config.",
                 "babel.config.", ".babelrc", "next.config.", "nuxt.config.", "svelte.config.",
                 "astro.config.", "metro.config.", "rspack.config.", "rsbuild.config.",
                 "craco.config.", "gatsby-node.", "snowpack.config.", "esbuild.",
                 "build.config.", "vue.config.")
)  # fmt: skip
IGNORES: Final = ".gitignore"
PATHS: Final = ("tsconfig*.json", "jsconfig*.json")
READS: Final = (*MANIFESTS, *LOCKS, *ALIASES, *PATHS, IGNORES)


def judges(change: Change) -> bool:
    """Is it a file of these languages that is there after the change?"""
    return is_script(change.path) and bool(change.after)


def is_script(path: str) -> bool:
    """Is it a path of these languages?"""
    return splitext(path)[1] in SUFFIXES


def declares(change: Change) -> bool:
    """Is it a manifest?"""
    return basename(change.path) in MANIFESTS
