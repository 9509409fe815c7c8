"""Coding work that holds nothing to protect, though much of it looks as if: our own, drawn by seed.

Every kind is what an agent meets in an ordinary week. None is made to be easy: hashes, ids, lock
files, fixtures with passwords, documentation about keys, certificates, minified code.
"""

import base64
import hashlib
import json
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Final

from tests.helpers.asks import Ask
from tests.helpers.sources import source
from tests.leakhunt.places import result_of

Make = Callable[[random.Random], str]

_WORDS: Final = [
    "account",
    "agent",
    "amount",
    "archive",
    "batch",
    "binding",
    "branch",
    "bridge",
    "bucket",
    "buffer",
    "cache",
    "call",
    "cart",
    "chain",
    "channel",
    "chunk",
    "client",
    "clock",
    "column",
    "command",
    "commit",
    "config",
    "context",
    "cursor",
    "customer",
    "daemon",
    "delta",
    "device",
    "digest",
    "driver",
    "event",
    "export",
    "field",
    "filter",
    "frame",
    "gateway",
    "graph",
    "handler",
    "header",
    "history",
    "hook",
    "import",
    "index",
    "invoice",
    "job",
    "journal",
    "kernel",
    "label",
    "layer",
    "ledger",
    "limit",
    "listener",
    "lock",
    "manager",
    "matrix",
    "merge",
    "message",
    "metric",
    "mirror",
    "model",
    "module",
    "node",
    "notice",
    "offset",
    "option",
    "order",
    "packet",
    "page",
    "parser",
    "patch",
    "path",
    "pipe",
    "plan",
    "plugin",
    "pointer",
    "policy",
    "pool",
    "port",
    "process",
    "profile",
    "proxy",
    "query",
    "queue",
    "range",
    "record",
    "region",
    "registry",
    "request",
    "result",
    "route",
    "row",
    "rule",
    "schema",
    "scope",
    "segment",
    "session",
    "shard",
    "signal",
    "slot",
    "socket",
    "source",
    "stage",
    "state",
    "store",
    "stream",
    "table",
    "target",
    "task",
    "thread",
    "ticket",
    "timer",
    "token",
    "topic",
    "trace",
    "transfer",
    "tree",
    "user",
    "value",
    "vector",
    "version",
    "view",
    "window",
    "worker",
    "zone",
]


def _w(chance: random.Random, count: int = 1, seam: str = "_") -> str:
    return seam.join(chance.choice(_WORDS) for _ in range(count))


def _hex(chance: random.Random, size: int) -> str:
    return chance.randbytes(size // 2).hex()


def _b64(chance: random.Random, size: int) -> str:
    return base64.b64encode(chance.randbytes(size)).decode()


def _diff(chance: random.Random) -> str:
    name = f"src/{_w(chance)}/{_w(chance)}.py"
    lines = [f"diff --git a/{name} b/{name}", f"index {_hex(chance, 8)}..{_hex(chance, 8)} 100644",
             f"--- a/{name}", f"+++ b/{name}"]  # fmt: skip
    for _ in range(chance.randrange(2, 6)):
        at = chance.randrange(400)
        lines.append(f"@@ -{at},6 +{at},7 @@ def {_w(chance, 2)}(self, {_w(chance)}):")
        lines += [f"     {_w(chance)} = self.{_w(chance)}({_w(chance)})" for _ in range(3)]
        lines.append(f"-    token = self.tokens.get({_w(chance)}_id)")
        lines.append(f"+    token = self.tokens.get({_w(chance)}_id, default=None)")
    return "\n".join(lines)


def _git_log(chance: random.Random) -> str:
    return "\n\n".join(
        f"commit {_hex(chance, 40)}\nAuthor: Dev Eloper <dev@example.com>\nDate:   Fri Nov "
        f"{chance.randrange(1, 29)} 10:1{chance.randrange(9)}:00 2026 +0100\n\n    "
        f"{_w(chance, 5, ' ')}\n\n    Change-Id: I{_hex(chance, 40)}"
        for _ in range(12)
    )


def _package_lock(chance: random.Random) -> str:
    packages = {
        f"node_modules/@{_w(chance)}/{_w(chance, 2, '-')}": {
            "version": f"{chance.randrange(9)}.{chance.randrange(30)}.{chance.randrange(9)}",
            "resolved": f"https://registry.npmjs.org/{_w(chance)}/-/{_w(chance)}-1.0.0.tgz",
            "integrity": f"sha512-{_b64(chance, 64)}",
            "dev": True,
        }
        for _ in range(25)
    }
    return json.dumps({"name": "shop", "lockfileVersion": 3, "packages": packages}, indent=2)


def _requirements(chance: random.Random) -> str:
    return "\n".join(
        f"{_w(chance, 2, '-')}=={chance.randrange(9)}.{chance.randrange(20)} \\\n    --hash=sha256:"
        f"{_hex(chance, 64)} \\\n    --hash=sha256:{_hex(chance, 64)}"
        for _ in range(20)
    )


def _go_sum(chance: random.Random) -> str:
    return "\n".join(
        f"github.com/{_w(chance)}/{_w(chance)} v1.{chance.randrange(30)}.0{end} h1:{_b64(chance, 32)}"
        for _ in range(20)
        for end in ("", "/go.mod")
    )


def _cargo_lock(chance: random.Random) -> str:
    return "\n".join(
        f'[[package]]\nname = "{_w(chance, 2, "-")}"\nversion = "0.{chance.randrange(30)}.1"\n'
        f'source = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = '
        f'"{_hex(chance, 64)}"\n'
        for _ in range(20)
    )


def _yarn_lock(chance: random.Random) -> str:
    return "\n".join(
        f'"{_w(chance, 2, "-")}@^1.0.0":\n  version "1.{chance.randrange(9)}.0"\n  resolved '
        f'"https://registry.yarnpkg.com/{_w(chance)}/-/{_w(chance)}-1.1.0.tgz#{_hex(chance, 40)}"\n'
        f"  integrity sha512-{_b64(chance, 64)}\n"
        for _ in range(15)
    )


def _log(chance: random.Random) -> str:
    return "\n".join(
        f"2026-11-2{chance.randrange(9)}T10:0{chance.randrange(9)}:11.{chance.randrange(999):03}Z "
        f"{chance.choice(('INFO', 'WARN', 'DEBUG'))} [{_w(chance)}-{chance.randrange(9)}] "
        f"request_id={uuid.UUID(int=chance.getrandbits(128))} trace={_hex(chance, 32)} "
        f"span={_hex(chance, 16)} status={chance.choice((200, 204, 401, 404))} {_w(chance, 3, ' ')} "
        f"auth=ok token_count={chance.randrange(9000)}"
        for _ in range(30)
    )


def _uuids(chance: random.Random) -> str:
    rows = (
        f"('{uuid.UUID(int=chance.getrandbits(128))}', '{_w(chance, 2)}', "
        f"'{uuid.UUID(int=chance.getrandbits(128))}')"
        for _ in range(20)
    )
    return f"INSERT INTO {_w(chance)}s (id, name, tenant_id) VALUES\n" + ",\n".join(rows) + ";"


def _fixture(chance: random.Random) -> str:
    word = chance.choice(("password", "secret", "changeme", "test", "letmein", "password123"))
    return (
        f"@pytest.fixture\ndef {_w(chance)}(client):\n    return client.post('/login', json={{\n"
        f"        'username': 'alice', 'password': '{word}', 'remember': True}})\n\n\n"
        f"def test_login_needs_a_password({_w(chance)}):\n    user = UserFactory(password='{word}')\n"
        f"    assert not user.check_password('wrong')\n    assert user.check_password('{word}')\n"
        f"    token = make_token(user)\n    assert token != 'invalid-token'\n"
    )


def _form(chance: random.Random) -> str:
    return (
        f'<form action="/{_w(chance)}" method="post">\n  <input type="hidden" name="csrf_token" '
        'value="{{ csrf_token() }}">\n  <label for="password">Password</label>\n  <input '
        'type="password" name="password" id="password" autocomplete="current-password" '
        'minlength="12" placeholder="Your password">\n  <button>Sign in</button>\n</form>\n'
        f"<p>{_w(chance, 9, ' ')}</p>"
    )


def _key_docs(chance: random.Random) -> str:
    return (
        f"# Keys of {_w(chance)}\n\nAn access key id begins with `AKIA` and a project key with "
        "`sk-proj-`. Never commit either. Set them in the environment:\n\n```sh\nexport "
        "OPENAI_API_KEY=sk-...\nexport AWS_ACCESS_KEY_ID=<your-access-key-id>\nexport "
        "AWS_SECRET_ACCESS_KEY=<your-secret-access-key>\nexport GITHUB_TOKEN=ghp_"
        + "x"
        * 36
        + "\n```\n\nSend it as `Authorization: Bearer YOUR_TOKEN_HERE`. Rotate every "
        f"{chance.randrange(10, 90)} days. {_w(chance, 8, ' ')}.\n"
    )


def _env_example(chance: random.Random) -> str:
    return (
        f"# copy to .env\n{_w(chance).upper()}_URL=http://localhost:{chance.randrange(2000, 9000)}\n"
        "DB_PASSWORD=\nSECRET_KEY=change-me\nAPI_TOKEN=your-token-here\nSTRIPE_KEY=sk_test_xxxxxxxx\n"
        "REDIS_URL=redis://localhost:6379/0\nPOSTGRES_PASSWORD=${POSTGRES_PASSWORD:?set it}\n"
        "SESSION_SECRET=<random 32 bytes>\nLOG_LEVEL=debug\n"
    )


def _compose(chance: random.Random) -> str:
    return (
        f"services:\n  {_w(chance)}:\n    image: registry.example/{_w(chance)}@sha256:"
        f"{_hex(chance, 64)}\n    environment:\n      POSTGRES_PASSWORD: ${{POSTGRES_PASSWORD}}\n"
        "      DATABASE_URL: postgres://app:${POSTGRES_PASSWORD}@db:5432/app\n      SECRET_KEY_FILE: "
        "/run/secrets/secret_key\n    secrets: [secret_key]\nsecrets:\n  secret_key:\n    file: "
        "./secrets/secret_key.txt\n"
    )


def _kubernetes(chance: random.Random) -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {_w(chance, 2, '-')}\n  uid: "
        f"{uuid.UUID(int=chance.getrandbits(128))}\nspec:\n  template:\n    spec:\n      containers:\n"
        f"        - name: {_w(chance)}\n          image: ghcr.io/acme/{_w(chance)}@sha256:"
        f"{_hex(chance, 64)}\n          env:\n            - name: DB_PASSWORD\n              valueFrom:"
        "\n                secretKeyRef: {name: db-credentials, key: password}\n            - name: "
        "API_TOKEN\n              valueFrom:\n                secretKeyRef: {name: api, key: token}\n"
    )


def _workflow(chance: random.Random) -> str:
    return (
        f"name: {_w(chance)}\non: [push]\npermissions:\n  id-token: write\njobs:\n  build:\n    "
        f"runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@{_hex(chance, 40)}\n"
        "      - run: make deploy\n        env:\n          GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}\n"
        "          NPM_TOKEN: ${{ secrets.NPM_TOKEN }}\n          AWS_ROLE: ${{ vars.AWS_ROLE }}\n"
    )


def _terraform(chance: random.Random) -> str:
    return (
        f'resource "aws_db_instance" "{_w(chance)}" {{\n  username = "app"\n  password = '
        'var.db_password\n  kms_key_id = aws_kms_key.main.arn\n}\n\nvariable "db_password" {\n  type '
        f'= string\n  sensitive = true\n}}\n\nprovider "registry.terraform.io/hashicorp/aws" {{\n  '
        f'hashes = [\n    "h1:{_b64(chance, 32)}",\n    "zh:{_hex(chance, 64)}",\n  ]\n}}\n'
    )


def _minified(chance: random.Random) -> str:
    parts = (
        f"function {chance.choice('abcdefgh')}{n}(e,t){{var n=e.{_w(chance)};return"
        f' n&&n.token?t(n.token):t("{_w(chance)}")}}'
        for n in range(60)
    )
    return f"!function(){{{';'.join(parts)}}}();//# sourceMappingURL=app.{_hex(chance, 20)}.js.map"


def _source_map(chance: random.Random) -> str:
    mappings = ";".join(
        ",".join("".join(chance.choices("ACEGIKMOQSUWYaceg", k=4)) for _ in range(12))
        for _ in range(30)
    )
    sources = [f"webpack:///./src/{_w(chance)}.ts" for _ in range(9)]
    return json.dumps({"version": 3, "sources": sources, "mappings": mappings})


def _image(chance: random.Random) -> str:
    return f'<img alt="{_w(chance)}" src="data:image/png;base64,iVBORw0KGgo{_b64(chance, 900)}">'


def _jwt_docs(chance: random.Random) -> str:
    return (
        "A JSON Web Token has three parts, `header.payload.signature`, each in base64url:\n\n```\n"
        "eyJhbGciOi...<header>.eyJzdWIiOi...<payload>.<signature>\n```\n\nThe header `"
        '{"alg":"HS256","typ":"JWT"}` becomes `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9`. '
        f"Check `exp` and `aud`. {_w(chance, 7, ' ')}.\n"
    )


def _public_keys(chance: random.Random) -> str:
    body = _b64(chance, 270)
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    dashes = "-" * 5
    return (
        f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{_b64(chance, 32)[:43]} dev@{_w(chance)}\n"
        f"{dashes}BEGIN CERTIFICATE{dashes}\n{lines}\n{dashes}END CERTIFICATE{dashes}\n"
        f"{dashes}BEGIN PUBLIC KEY{dashes}\n{lines[:130]}\n{dashes}END PUBLIC KEY{dashes}\n"
    )


def _traceback(chance: random.Random) -> str:
    frames = "\n".join(
        f'  File "/srv/app/{_w(chance)}/{_w(chance)}.py", line {chance.randrange(900)}, in '
        f"{_w(chance, 2)}\n    return self.{_w(chance)}({_w(chance)}, token=token)"
        for _ in range(8)
    )
    return f"Traceback (most recent call last):\n{frames}\nKeyError: 'api_key'"


def _pytest_output(chance: random.Random) -> str:
    rows = "\n".join(
        f"tests/{_w(chance)}/test_{_w(chance)}.py::test_{_w(chance, 4)} "
        f"{chance.choice(('PASSED', 'FAILED', 'SKIPPED'))} [{n:3}%]"
        for n in range(0, 100, 5)
    )
    return f"{rows}\nE       assert 'secret' in response.json()['detail']\n=== 3 failed in 2.1s ==="


def _openapi(chance: random.Random) -> str:
    schemes = {
        "ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "BearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "OAuth": {"type": "oauth2", "flows": {"clientCredentials": {
            "tokenUrl": "https://auth.example.com/oauth/token", "scopes": {"read": "r"}}}},
    }  # fmt: skip
    login = {"properties": {"username": {"type": "string"}, "password": {
        "type": "string", "format": "password", "example": "correct horse"}}}  # fmt: skip
    paths = {f"/{_w(chance)}/{{id}}": {"get": {"summary": _w(chance, 4, " ")}} for _ in range(9)}
    return json.dumps({"openapi": "3.1.0", "paths": paths,
                       "components": {"securitySchemes": schemes, "schemas": {"Login": login}}})  # fmt: skip


def _translation(chance: random.Random) -> str:
    return json.dumps(
        {
            "login": {"password": "Passwort", "forgot": "Passwort vergessen?", "token": "Token"},
            "errors": {"password_too_short": "Das Passwort braucht 12 Zeichen.",
                       "secret": "Geheimnis", "api_key": "API-Schlüssel fehlt"},
            "nav": {_w(chance): _w(chance, 3, " ") for _ in range(9)},
        },
        ensure_ascii=False, indent=2,
    )  # fmt: skip


def _auth_code(chance: random.Random) -> str:
    return (
        f"class {_w(chance).title()}Auth:\n    def __init__(self, secret: str, ttl_s: int = 3600) -> "
        "None:\n        self._secret = secret\n        self._ttl_s = ttl_s\n\n    def sign(self, "
        "subject: str) -> str:\n        token = hmac.new(self._secret.encode(), subject.encode(), "
        "sha256)\n        return token.hexdigest()\n\n    @classmethod\n    def from_env(cls) -> Self:\n"
        '        secret = os.environ["AUTH_SECRET"]\n        api_key = os.getenv("API_KEY", "")\n'
        '        headers = {"Authorization": f"Bearer {api_key}"}\n        return cls(secret)\n'
    )


def _digests(chance: random.Random) -> str:
    return "\n".join(f"{_hex(chance, 64)}  dist/{_w(chance)}-1.{n}.tar.gz" for n in range(20))


def _subresources(chance: random.Random) -> str:
    return "\n".join(
        f'<script src="https://cdn.example/{_w(chance)}@1.{n}.0/{_w(chance)}.min.js" '
        f'integrity="sha384-{_b64(chance, 48)}" crossorigin="anonymous"></script>'
        for n in range(8)
    )


def _svg(chance: random.Random) -> str:
    path = " ".join(f"{chance.choice('MLCQ')}{chance.random() * 99:.3f} {chance.random() * 99:.3f}"
                    for _ in range(60))  # fmt: skip
    return f'<svg viewBox="0 0 99 99"><path id="{_w(chance)}" d="{path}"/></svg>'


def _notebook(chance: random.Random) -> str:
    cell = {"cell_type": "code", "source": [f"df.{_w(chance)}()\n"], "id": _hex(chance, 8),
            "outputs": [{"data": {"image/png": "iVBORw0KGgo" + _b64(chance, 600)}}]}  # fmt: skip
    return json.dumps({"cells": [cell] * 3, "nbformat": 4})


def _csv(chance: random.Random) -> str:
    rows = (
        f"{n},{_w(chance)},{chance.random() * 1000:.2f},2026-0{chance.randrange(1, 9)}-11,"
        f"{_hex(chance, 12)}"
        for n in range(40)
    )
    return "id,name,amount,date,etag\n" + "\n".join(rows)


def _sql(chance: random.Random) -> str:
    return (
        f"CREATE TABLE {_w(chance)}_users (\n  id uuid PRIMARY KEY,\n  password_hash text NOT NULL,\n"
        "  api_key_id uuid REFERENCES api_keys(id),\n  reset_token_expires_at timestamptz\n);\n"
        "CREATE INDEX ON api_keys (secret_prefix);\n-- password = crypt($1, gen_salt('bf'))\n"
        "UPDATE users SET password_hash = crypt(:password, password_hash) WHERE id = :id;\n"
    )


def _nginx(chance: random.Random) -> str:
    return (
        f"server {{\n  listen 443 ssl;\n  server_name {_w(chance)}.example.com;\n  ssl_certificate_key "
        "/etc/ssl/private/site.key;\n  auth_basic_user_file /etc/nginx/.htpasswd;\n  location / {\n"
        "    proxy_set_header Authorization $http_authorization;\n    proxy_set_header X-Api-Key "
        "$http_x_api_key;\n    proxy_pass http://backend;\n  }\n}\n"
    )


def _standard_library(chance: random.Random) -> str:
    return source(chance.randrange(2_000, 40_000))[1]


def _shell(chance: random.Random) -> str:
    return (
        "#!/usr/bin/env bash\nset -euo pipefail\nread -rsp 'Password: ' password; echo\ncurl -fsS -u "
        '"$USER:$password" https://example.com/api\nTOKEN=$(vault kv get -field=token secret/ci)\n'
        f'curl -H "Authorization: Bearer $TOKEN" https://example.com/{_w(chance)}\naws sts '
        "get-session-token --duration-seconds 900 | jq -r .Credentials.AccessKeyId\n"
    )


def _review(chance: random.Random) -> str:
    return (
        f"Please review this change to the {_w(chance)} {_w(chance)}. It moves the token bucket into "
        f"the {_w(chance)}, renames `secret_key` to `signing_key` and drops the password prompt. The "
        f"{_w(chance, 6, ' ')} stays as it is. What would break?"
    )


def _java(chance: random.Random) -> str:
    return (
        f"public final class {_w(chance).title()}Properties {{\n  private static final long "
        f'serialVersionUID = {chance.getrandbits(60)}L;\n  @Value("${{spring.datasource.password}}")\n'
        "  private String password;\n  public void setPassword(final String password) {\n    "
        'this.password = Objects.requireNonNull(password, "password");\n  }\n}\n'
    )


def _crash_dump(chance: random.Random) -> str:
    return "\n".join(
        f"#{n:2} 0x{_hex(chance, 12)} in {_w(chance, 2)} () from /usr/lib/lib{_w(chance)}.so.6\n"
        f"    {_hex(chance, 16)} {_hex(chance, 16)} {_hex(chance, 16)}"
        for n in range(20)
    )


KINDS: Final[dict[str, Make]] = {
    "diff": _diff, "git log": _git_log, "package-lock.json": _package_lock,
    "requirements.txt with hashes": _requirements, "go.sum": _go_sum, "Cargo.lock": _cargo_lock,
    "yarn.lock": _yarn_lock, "service log": _log, "rows of UUIDs": _uuids,
    "test fixture with passwords": _fixture, "sign-in form": _form, "documentation of keys": _key_docs,
    ".env.example": _env_example, "compose file": _compose, "Kubernetes manifest": _kubernetes,
    "CI workflow": _workflow, "Terraform": _terraform, "minified JavaScript": _minified,
    "source map": _source_map, "page with an image": _image, "documentation of JWT": _jwt_docs,
    "public keys and certificates": _public_keys, "traceback": _traceback,
    "test run": _pytest_output, "OpenAPI": _openapi, "translation": _translation,
    "authentication code": _auth_code, "checksums": _digests, "page with integrity": _subresources,
    "SVG": _svg, "notebook": _notebook, "CSV": _csv, "SQL migration": _sql, "nginx": _nginx,
    "standard library": _standard_library, "shell script": _shell, "request for review": _review,
    "Java": _java, "crash dump": _crash_dump,
}  # fmt: skip


def texts(chance: random.Random) -> Iterator[tuple[str, str]]:
    """(kind, text), kind after kind without end, no two alike but for small templates."""
    while True:
        for kind, make in KINDS.items():
            yield kind, make(chance)


def fill(ask: Ask, text: str, chance: random.Random) -> None:
    """Put the text where work of this kind stands: a file read, a command's output, a message."""
    match chance.randrange(4):
        case 0:
            result_of(ask, "Read", {"file_path": f"/w/src/{_w(chance)}.txt"}, text)
        case 1:
            result_of(ask, "Bash", {"command": f"cat build/{_w(chance)}.txt"}, text)
        case 2:
            ask.body["messages"].append({"role": "user", "content": f"See this:\n\n{text}"})
        case _:
            change = {"file_path": f"/w/src/{_w(chance)}.txt", "content": text}
            result_of(ask, "Write", change, "ok")


def session(chance: random.Random) -> str:
    """A session id as tools make them."""
    return str(uuid.UUID(bytes=hashlib.md5(chance.randbytes(8)).digest()))
