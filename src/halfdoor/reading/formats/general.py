"""Forms that no single vendor owns: keys, tokens, credentials by context."""

from typing import Final

from halfdoor.reading.formats.format import Format
from halfdoor.reading.formats.made import A62, A64, URL64, made

# {"alg":"HS256","typ":"JWT"} and {"sub":"1"}, unsigned.
_JWT_HEAD: Final = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
_JWT_BODY: Final = "eyJzdWIiOiIxIn0"
_DASHES: Final = "-" * 5


def _pem(kind: str, line: str) -> str:
    body = made(A64, 192)
    lines = line.join(body[i : i + 64] for i in range(0, 192, 64))
    return f"{_DASHES}BEGIN {kind}{_DASHES}{line}{lines}{line}{_DASHES}END {kind}{_DASHES}"


GENERAL: Final = (
    Format(
        "private-key",
        "-----BEGIN (?:[A-Z0-9]{1,12} ){0,4}PRIVATE KEY(?: BLOCK)?-----",
        "RFC 7468; RFC 4716; RFC 9580",
        (
            _pem("RSA PRIVATE KEY", "\n"),
            _pem("PRIVATE KEY", r"\n"),
            _pem("OPENSSH PRIVATE KEY", "\r\n    "),
            _pem("ENCRYPTED PRIVATE KEY", '\\n" +\n  "'),
            _pem("PGP PRIVATE KEY BLOCK", "\n\n"),
        ),
        (
            _pem("PUBLIC KEY", "\n"),
            _pem("CERTIFICATE", "\n"),
            f'if text.startswith("{_DASHES}BEGIN PRIVATE KEY{_DASHES}"): return load(text)',
        ),
        check="pem",
        confidence=0.98,
    ),
    Format(
        "putty-private-key",
        r"PuTTY-User-Key-File-[23]: [a-z0-9@.-]{3,40}[\s\S]{0,20}Encryption: ",
        "the.earth.li/~sgtatham/putty/latest/htmldoc/AppendixC.html",
        ("PuTTY-User-" + "Key-File-3: ssh-ed25519\r\nEncryption: none\r\nComment: me",),
        ("PuTTY-User-Key-File-3 is the newest version",),
    ),
    Format(
        "jwt",
        r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}",
        "RFC 7519",
        (f"{_JWT_HEAD}.{_JWT_BODY}.{made(URL64, 43)}",),
        (f"{_JWT_HEAD}.{_JWT_BODY}", f"eyJ{made(URL64, 33)}.{_JWT_BODY}.{made(URL64, 43)}"),
        check="jwt",
        confidence=0.9,
    ),
    Format(
        "url-credentials",
        r"""[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@"'<>`\\]{0,64}:(?P<key>[^\s/:@"'<>`\\]{3,120})@[A-Za-z0-9\[$]""",
        "RFC 3986, section 3.2.1",
        (
            "postgres://app:" + made(A62, 12) + "@db.internal:5432/orders",
            "https://deploy:" + made(A62, 20) + "@git.internal/acme/app.git",
            "redis://:" + made(A62, 16) + "@cache:6379/0",
        ),
        (
            "https://user:password@example.com/",
            "https://user:pass@host/",
            "postgres://app:${DB_PASSWORD}@db/orders",
            "https://<user>:<token>@host/",
            "https://me:***@host/",
            "http://localhost:8080/@scope/name",
        ),
        check="password",
        confidence=0.8,
    ),
    Format(
        "authorization-bearer",
        r"""(?:authorization|x-api-key|api-key|x-auth-token|private-token)[\\"']{0,3}\s{0,3}[:=,]\s{0,3}[\\"']{0,3}(?:bearer\s{1,3}|token\s{1,3})?(?P<key>[A-Za-z0-9._~+/-]{16,}=*)""",
        "RFC 6750",
        (
            "Authorization: Bearer " + made(URL64, 40),
            '-H "x-api-key: ' + made(A62, 32) + '"',
            "'Authorization': 'token " + made(A62, 40) + "'",
        ),
        ("Authorization: Bearer $TOKEN", "Authorization: Bearer your-access-token-here"),
        caseless=True,
        floor=3.5,
        check="assigned",
        confidence=0.8,
    ),
    Format(
        "authorization-basic",
        r"""authorization[\\"']{0,3}\s{0,3}[:=,]\s{0,3}[\\"']{0,3}basic\s{1,3}(?P<key>[A-Za-z0-9+/]{8,}={0,2})""",
        "RFC 7617",
        ("Authorization: Basic YWRtaW46" + "UTdrcFp4OXY=",),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "Authorization: Basic authentication"),
        caseless=True,
        check="basic",
        confidence=0.85,
    ),
    Format(
        "curl-user",
        r"""curl\s[^\n|;&]{0,200}?(?:\s-u\s?|--user[ =])["']?[^\s:"'$]{1,64}"""
        r""":(?P<key>[^\s"'$]{4,128})""",
        "curl.se/docs/manpage.html#-u",
        ("curl -s -u admin:" + made(A62, 14) + " https://host/",),
        ("curl -u user:password https://host/", 'curl -u "$USER:$PASS" https://host/'),
        check="password",
        confidence=0.8,
    ),
    Format(
        "connection-string-password",
        r"""(?:server|data source|host|uid|user id|endpoint)=[^\n]{1,200}?;\s?"""
        r"""(?:password|pwd)=(?P<key>[^\s;"']{6,128})""",
        "learn.microsoft.com/dotnet/api/system.data.sqlclient.sqlconnection.connectionstring",
        ("Server=db;Database=app;User Id=sa;Password=" + made(A62, 14) + ";",),
        ("Server=db;User Id=sa;Password={password};", "Server=db;Uid=sa;Pwd=********;"),
        caseless=True,
        check="password",
        confidence=0.85,
    ),
    Format(
        "netrc-password",
        r"""machine\s{1,4}[A-Za-z0-9.-]{1,80}\s{1,8}login\s{1,4}\S{1,80}\s{1,8}password\s{1,4}(?P<key>[^\s"']{6,128})""",
        "gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html",
        ("machine git.internal login me password " + made(A62, 16),),
        ("machine example.com login me password your-password",),
        check="password",
        confidence=0.85,
    ),
    Format(
        "assigned-password",
        r"""(?:passw(?:or)?d|passphrase|pwd)[\\"'\]]{0,8}\s{0,3}(?::=|=>|[:=])\s{0,3}\\{0,7}["'`](?P<key>[^\s"'`,;\\]{8,128})\\{0,7}["'`]""",
        "our own: a quoted value of letters and digits, called a password",
        (
            'password = "' + made(A62, 14) + '"',
            'PWD: "Sommer' + "regen2019" + '"',
            r"{\"password\": \"" + made(A62, 14) + r"\"}",
            # JSON in JSON in prose, which is scanned as it stands.
            r"so: {\\\"password\\\": \\\"" + made(A62, 14) + r"\\\"}",
        ),
        (
            'password = "changeme123"',
            'password = os.environ["DB_PASSWORD"]',
            'password: "string"',
            'password = "<password1>"',
        ),
        caseless=True,
        floor=2.5,
        check="chosen",
        confidence=0.6,
    ),
    Format(
        "assigned-secret",
        r"""(?:secret|token|api_?key|access_?key|auth_?key|encryption_?key|signing_?key|private_?key|credentials?)[\\"'\]]{0,8}\s{0,3}(?::=|=>|[:=])\s{0,3}\\{0,7}["'`](?P<key>[^\s"'`,;\\]{8,128})\\{0,7}["'`]""",
        "our own: a telling name, a quoted value mixed like a secret",
        (
            '"api_key": "' + made(A62, 32) + '"',
            "secret_token: '" + made(URL64, 24) + "'",
        ),
        (
            'token = "access_token_2"',
            'secret = "${SECRET_V1}"',
            'api_key = "YOUR_API_KEY_1"',
            'key = "sha256_digest"',
            'token = "<token1>"',
        ),
        caseless=True,
        floor=3.0,
        check="assigned",
        confidence=0.6,
    ),
    Format(
        "assigned-secret-bare",
        r"""(?:passw(?:or)?d|secret|token|api_?key|access_?key|private_?key|credentials?)[a-z0-9_]{0,20}(?:=|:\s{1,4}|\s=\s)(?P<key>[^\s"'`,;\\=()][^\s"'`,;\\()]{7,127})(?:[\s"'`,;\\)]|$)""",
        "our own: an environment variable, INI or YAML entry with a telling name",
        (
            "DB_PASSWORD=" + made(A62, 16),
            "export SERVICE_TOKEN=" + made(URL64, 32),
            "A=1\nSTRIPE_SECRET_2=" + made(A62, 24),
            "db:\n  password: " + made(A62, 14) + "\n",
            "spring.datasource.password=" + made(A62, 14),
        ),
        (
            "DB_PASSWORD=changeme-now1",
            "SERVICE_TOKEN=${TOKEN_V2}",
            "TOKEN_FILE=/run/secrets/token1",
            "MAX_TOKENS_COUNT=100000000000",
            "password: str2 | None = None",
            "token = tokens[0].value1",
        ),
        caseless=True,
        floor=3.0,
        check="bare",
        confidence=0.6,
    ),
)
