"""Rules for semgrep's engine, our own: what is wrong almost wherever it stands."""

from collections.abc import Iterator
from typing import Any, Final

_JS: Final = ("javascript", "typescript")
_PYTHON: Final = ("python",)
_GO: Final = ("go",)
_JAVA: Final = ("java",)

# id, languages, CWE, message, hint, patterns of which one must match, patterns that must not
_ROWS: Final = (
    (
        "js-eval", _JS, 95, "text that is not fixed is run as code",
        "call the function you mean, or read JSON",
        ("eval($X)", "new Function(..., $X)"), ('eval("...")', 'new Function(..., "...")'),
    ),
    (
        "js-shell", _JS, 78, "a command line is put together from values",
        "use `execFile` with a list of arguments",
        ("$P.exec(`...${$X}...`, ...)", '$P.exec("..." + $X, ...)', "exec(`...${$X}...`, ...)",
         "$P.execSync(`...${$X}...`, ...)", '$P.execSync("..." + $X, ...)',
         "execSync(`...${$X}...`, ...)"), (),
    ),
    (
        "js-html", _JS, 79, "HTML is put together from values",
        "set `textContent`, or build elements",
        ("$E.innerHTML = $X", "$E.outerHTML = $X", "document.write($X)"),
        ('$E.innerHTML = "..."', '$E.outerHTML = "..."', 'document.write("...")'),
    ),
    (
        "js-tls", _JS, 295, "certificates are not verified", "leave verification on",
        ("{..., rejectUnauthorized: false, ...}", 'process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"'),
        (),
    ),
    (
        "js-sql", _JS, 89, "SQL is put together from values", "give values as parameters",
        ("$D.query(`...${$X}...`, ...)", '$D.query("..." + $X, ...)'), (),
    ),
    (
        "js-weak-hash", _JS, 327, "a hash that can be forged", "use SHA-256",
        ('$C.createHash("md5")', '$C.createHash("sha1")'), (),
    ),
    (
        "go-tls", _GO, 295, "certificates are not verified", "leave verification on",
        ("tls.Config{..., InsecureSkipVerify: true, ...}",), (),
    ),
    (
        "go-shell", _GO, 78, "a shell runs text that is not fixed",
        "give the program and its arguments one by one",
        ('exec.Command("sh", "-c", $X)', 'exec.Command("bash", "-c", $X)',
         'exec.Command("/bin/sh", "-c", $X)'),
        ('exec.Command("sh", "-c", "...")', 'exec.Command("bash", "-c", "...")',
         'exec.Command("/bin/sh", "-c", "...")'),
    ),
    (
        "go-sql", _GO, 89, "SQL is put together from values", "give values as parameters",
        ("$D.Query(fmt.Sprintf(...), ...)", "$D.Exec(fmt.Sprintf(...), ...)",
         '$D.Query("..." + $X, ...)', '$D.Exec("..." + $X, ...)'), (),
    ),
    (
        "java-sql", _JAVA, 89, "SQL is put together from values", "use a PreparedStatement",
        ('$S.executeQuery("..." + $X)', '$S.executeUpdate("..." + $X)',
         '$S.execute("..." + $X)'), (),
    ),
    (
        "java-shell", _JAVA, 78, "a command line is put together from values",
        "use a ProcessBuilder with a list of arguments",
        ('Runtime.getRuntime().exec("..." + $X)',), (),
    ),
    (
        "java-weak-hash", _JAVA, 327, "a hash that can be forged", "use SHA-256",
        ('MessageDigest.getInstance("MD5")', 'MessageDigest.getInstance("SHA-1")'), (),
    ),
    (
        "java-deserialise", _JAVA, 502, "objects are made from a stream that may be anyone's",
        "read JSON, or another format that cannot make any object",
        ("new ObjectInputStream(...).readObject()",), (),
    ),
    (
        "py-format-sql", _PYTHON, 89, "SQL is put together from values",
        "give values as parameters of the query",
        ('$C.execute(f"...{$X}...", ...)', '$C.execute("..." % $X, ...)',
         '$C.execute("..." + $X, ...)', '$C.execute("...".format(...), ...)'), (),
    ),
    (
        "py-redirect", _PYTHON, 601, "a redirect goes wherever the request says",
        "redirect to places of your own only",
        ("redirect(request.args.get(...))", "redirect(request.GET.get(...))",
         "redirect(request.args[...])", "redirect(request.GET[...])"), (),
    ),
    (
        "py-path", _PYTHON, 22, "a path comes from the request",
        "resolve it, and check that it lies where it may",
        ("open(request.args.get(...), ...)", "send_file(request.args.get(...), ...)",
         "open(request.args[...], ...)", "send_file(request.args[...], ...)"), (),
    ),
    (
        "py-fetch", _PYTHON, 918, "the request says which address is fetched",
        "fetch from addresses of your own only",
        ("requests.get(request.args.get(...), ...)", "requests.get(request.args[...], ...)",
         "httpx.get(request.args.get(...), ...)", "httpx.get(request.args[...], ...)"), (),
    ),
    (
        "py-jwt", _PYTHON, 347, "a token is read without its signature being verified",
        "verify it, with the algorithms that you use",
        ('jwt.decode(..., options={..., "verify_signature": False, ...}, ...)',
         "jwt.decode(..., verify=False, ...)"), (),
    ),
)  # fmt: skip


def _rules() -> Iterator[dict[str, Any]]:
    for name, languages, cwe, message, hint, wanted, unwanted in _ROWS:
        unless = [{"pattern-not": pattern} for pattern in unwanted]
        yield {
            "id": name,
            "languages": list(languages),
            "severity": "ERROR",
            "message": message,
            "metadata": {"cwe": f"CWE-{cwe}", "hint": hint},
            "patterns": [{"pattern-either": [{"pattern": each} for each in wanted]}, *unless],
        }


RULES: Final = tuple(_rules())
