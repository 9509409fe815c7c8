"""Calls of ordinary work in a shop whose `payments` and `infra/secrets` stay on the device.

The shop's code speaks of payments all day, its root shows the folder, and keys are mentioned; no
call opens, searches or lists what is in a ruled folder. (tool, arguments, what it answered.)
"""

ROOT = "README.md\ninfra\npackage.json\npayments\nsrc\ntests\n"
LONG = (
    "total 40\ndrwxr-xr-x 2 u u 4096 Nov 20 10:11 infra\n-rw-r--r-- 1 u u  880 Nov 20 10:11 README.md\n"
    "drwxr-xr-x 9 u u 4096 Nov 20 10:11 payments\ndrwxr-xr-x 4 u u 4096 Nov 20 10:11 src\n"
)
STATUS = "On branch main\nChanges not staged for commit:\n\tmodified:   src/cart.py\n\nUntracked files:\n\tnotes.md\n"
DIFF = "diff --git a/src/cart.py b/src/cart.py\nindex 1..2 100644\n--- a/src/cart.py\n+++ b/src/cart.py\n@@ -1 +1 @@\n-import payments\n+from payments import Ledger  # payments stay\n"
GREP = "src/cart.py:12:from payments import Ledger\nsrc/cart.py:80:    payments = []\nsrc/web/app.ts:3:import { pay } from '../payments'\n"
PYTEST = "tests/test_cart.py ....F [100%]\nE   AssertionError: payments != 3\ntests/test_cart.py:31: AssertionError\n1 failed, 4 passed in 0.12s\n"
PY = "import payments\nfrom infra import names\n\ndef total(cart):\n    payments = cart.payments\n    return sum(payments)\n"
NUMBERED = "     1\timport payments\n     2\t\n     3\tdef total(cart):\n     4\t    return cart.payments / 2\n"
TS = "import { Ledger } from '@shop/payments';\nconst url = `/api/payments/${id}`;\nexport const key = 'secrets';\n"
YAML = "services:\n  payments:\n    image: shop/payments:1\n  infra:\n    secrets: [db]\n"
READY = "ok\n"
TREE = ".\n├── README.md\n├── infra\n├── payments\n└── src\n    ├── cart.py\n    └── web\n        └── app.ts\n"

COMMANDS = [
    ("ls", ROOT), ("ls -la", LONG), ("ls src", "cart.py\nweb\n"), ("pwd", "/home/u/shop\n"),
    ("ls -d */", "infra/\npayments/\nsrc/\ntests/\n"), ("tree -L 2 --filelimit 9", TREE),
    ("git status", STATUS), ("git status --short", " M src/cart.py\n?? notes.md\n"),
    ("git diff", DIFF), ("git diff --stat", " src/cart.py | 2 +-\n 1 file changed\n"),
    ("git diff main...HEAD -- src", DIFF), ("git log --oneline -5", "a1 Show payments in the cart\nb2 Split payments from orders\n"),
    ("git log -3 --stat -- src", "commit a1\n\n    Payments: one total\n\n src/cart.py | 2 +-\n"),
    ("git show HEAD", f"commit a1\n\n    Payments shown\n\n{DIFF}"), ("git show HEAD:src/cart.py", PY),
    ("git add -A && git commit -m 'Show payments total'", "[main a1] Show payments total\n 1 file changed\n"),
    ("git commit -m \"$(cat <<'EOF'\nShow payments in the cart\n\nThe total of payments is summed once.\nEOF\n)\"", "[main a1]\n"),
    ("git commit -am 'payments: open the log later'", "[main a1]\n"), ("git branch -a", "* main\n  payments-v2\n"),
    ("git checkout -b payments-v2", "Switched to a new branch\n"), ("git checkout payments-v2", READY),
    ("git push origin payments-v2", "remote: Create a pull request for 'payments-v2'\n"),
    ("git stash", "Saved working directory\n"), ("git blame src/cart.py | head", "a1 (u 2026-11-20 1) import payments\n"),
    ("git grep -n payments src", GREP), ("git log --grep payments --oneline", "a1 Show payments\n"),
    ("git log -S payments --oneline -- src", "a1 x\n"), ("git remote -v", "origin git@host:shop/payments-web.git\n"),
    ("git rev-parse --show-toplevel", "/home/u/shop\n"), ("git ls-files src", "src/cart.py\nsrc/web/app.ts\n"),
    ("git worktree list", "/home/u/shop  a1 [main]\n"), ("git tag", "v1\nv2\n"), ("git fetch && git pull --rebase", READY),
    ("grep -rn payments src", GREP), ("grep -rn 'class Payment' src | head -20", ""), ("grep -c payments src/cart.py", "3\n"),
    ("grep -rln secrets src", "src/web/app.ts\n"), ("rg payments src", GREP), ("rg -n 'payments|secrets' src/web", GREP),
    ("rg --files src", "src/cart.py\nsrc/web/app.ts\n"), ("rg -l infra src tests", "src/cart.py\n"),
    ("find src -name '*.py'", "src/cart.py\n"), ("find . -maxdepth 1", ".\n./README.md\n./infra\n./payments\n./src\n"),
    ("find src -type f | xargs wc -l", "  12 src/cart.py\n  40 src/web/app.ts\n  52 total\n"), ("find tests -newer README.md", ""),
    ("fd -e ts src", "src/web/app.ts\n"), ("cat src/cart.py", PY), ("cat README.md", "# Shop\n\nOrders, payments and infra.\n"),
    ("cat package.json", '{"name": "shop", "workspaces": ["payments", "src/web"]}\n'), ("cat docker-compose.yml", YAML),
    ("cat .gitignore", "node_modules/\npayments/cache/\n*.pem\n"), ("cat .github/CODEOWNERS", "/payments/ @shop/pay\n/src/ @shop/web\n"),
    ("head -50 src/cart.py", PY), ("tail -n 20 src/web/app.ts", TS), ("sed -n '1,40p' src/cart.py", PY),
    ("sed -i 's/payments/orders/' src/cart.py", ""), ("awk '/payments/{print $1}' src/cart.py", "import\n"),
    ("cat -n src/cart.py", NUMBERED), ("nl -ba src/cart.py | sed -n 1,9p", NUMBERED), ("wc -l src/cart.py", "12 src/cart.py\n"),
    ("diff src/cart.py /tmp/cart.py", "1c1\n< import payments\n---\n> import orders\n"), ("cp src/cart.py /tmp/cart.py", ""),
    ("mv src/a.py src/b.py", ""), ("rm -rf build dist", ""), ("mkdir -p src/web/parts", ""), ("touch src/new.py", ""),
    ("echo payments", "payments\n"), ("echo 'import payments' >> src/cart.py", ""), ("printf 'payments\\n' | sort -u", "payments\n"),
    ("cat > notes.md <<'EOF'\n# Notes\n\nWe show payments in the cart. See the type of payments.\nEOF", ""),
    ("cat <<EOF > src/new.py\nimport payments\n\ndef show(payments):\n    return payments\nEOF", ""),
    ("python -m pytest tests -q", PYTEST), ("pytest -k payments -q", PYTEST), ("pytest tests/test_cart.py::test_payments", PYTEST),
    ("python manage.py test orders", "Ran 12 tests\nOK\n"), ("python -c 'import sys; print(sys.version)'", "3.12\n"),
    ("python - <<'EOF'\nimport json\nprint(json.dumps({'payments': 1}))\nEOF", '{"payments": 1}\n'),
    ("node -e \"console.log(require('./package.json').name)\"", "shop\n"), ("npm test", "PASS src/web/app.test.ts\n"),
    ("npm run build", "> shop build\n> tsc\n"), ("npm run payments", "> shop payments\n"), ("npx tsc --noEmit", "src/web/app.ts(3,1): error TS2307: payments\n"),
    ("npx eslint src --fix", "/home/u/shop/src/web/app.ts\n  3:1  error  'payments' is unused\n"), ("yarn workspace payments run lint", READY),
    ("pip install -r requirements.txt", "Successfully installed payments-sdk-2.1\n"), ("uv run ruff check src", "src/cart.py:1:1: F401 `payments` unused\n"),
    ("mypy src", "src/cart.py:3: error: Module 'payments' has no attribute 'x'\n"), ("make test", PYTEST), ("make payments-docs", READY),
    ("cargo test", "test payments ... ok\n"), ("go test ./src/...", "ok  shop/src 0.1s\n"), ("go vet ./src", ""), ("mvn -q test", ""),
    ("docker compose up -d payments", "Container payments Started\n"), ("docker compose logs payments | tail -5", "payments | ready\n"),
    ("docker ps", "CONTAINER ID   IMAGE\na1   shop/payments:1\n"), ("kubectl get pods -n payments", "payments-7d 1/1 Running\n"),
    ("kubectl get secrets", "NAME TYPE\ndb Opaque\n"), ("terraform -version", "Terraform v1.9\n"), ("curl -s localhost:8000/api/payments/1", '{"id": 1}\n'),
    ("curl -s https://shop.example/payments/health", "ok\n"), ("psql -c 'select * from payments limit 5'", " id | amount\n"),
    ("psql shop -c 'select count(*) from logs, payments'", " count\n    12\n"), ("sqlite3 shop.db .tables", "orders  payments\n"),
    ("redis-cli keys 'payments:*'", "payments:1\n"), ("ps aux | grep payments", "u 12 payments-worker\n"), ("lsof -i :8000", ""),
    ("which python node", "/usr/bin/python\n/usr/bin/node\n"), ("env | grep -i shop", "SHOP=payments\n"),
    ("gh pr list --search payments", "12  Show payments  main\n"), ("gh pr view 12", "title: Show payments\n"), ("gh issue view 9", "payments fail on Sunday\n"),
    ("cd src && ls", "cart.py\nweb\n"), ("cd src/web && npm test", "PASS app.test.ts\n"), ("cd /home/u/shop && git status", STATUS),
    ("cd tests && pytest -q", PYTEST), ("for f in src/*.py; do echo $f; done", "src/cart.py\n"), ("time make", READY),
    ("bash -lc 'cat src/cart.py'", PY), ("bash -lc 'rg payments src | head -3'", GREP), ("xargs -n1 echo < names.txt", READY),
    ("ssh-keygen -l -f ~/.ssh/id_ed25519.pub", "256 SHA256:x u@h\n"), ("openssl version", "OpenSSL 3.0\n"), ("date", "Fri Nov 20\n"),
    ("jq .workspaces package.json", '[\n  "payments",\n  "src/web"\n]\n'), ("yq .services docker-compose.yml", YAML), ("du -sh src tests", "40K\tsrc\n12K\ttests\n"),
    ("stat src/cart.py", "  File: src/cart.py\n  Size: 99\n"), ("file src/cart.py", "src/cart.py: Python script\n"), ("tar tf dist.tar", "src/cart.py\n"),
    ("Get-ChildItem src", "cart.py\nweb\n"), ("Get-Content src\\cart.py | Select-String payments", "import payments\n"),
]  # fmt: skip

OTHERS = [
    ("Read", {"file_path": "/home/u/shop/src/cart.py"}, NUMBERED), ("Read", {"file_path": "/home/u/shop/.gitignore"}, "     1\tpayments/cache/\n     2\t*.pem\n"),
    ("Read", {"file_path": "/home/u/shop/src/payments_view.py"}, NUMBERED), ("Read", {"file_path": "/home/u/shop/docs/payments.md"}, "# Payments\n"),
    ("Read", {"file_path": "/home/u/shop/tests/test_payments.py"}, NUMBERED), ("Read", {"file_path": "/home/u/shop/infra/main.tf"}, 'module "payments" {}\n'),
    ("Read", {"file_path": "/home/u/shop/src/web/payments.ts"}, TS), ("Read", {"file_path": "/home/u/shop/README.md"}, "See infra and payments.\n"),
    ("Write", {"file_path": "src/new.py", "content": PY}, "File created"), ("Write", {"file_path": "docs/keys.md", "content": "Put server.pem into infra/secrets/ first.\n"}, "ok"),
    ("Edit", {"file_path": "src/cart.py", "old_string": "import payments", "new_string": "from payments import x"}, "The file src/cart.py has been updated"),
    ("Edit", {"file_path": "docs/a.md", "old_string": "see payments/x.py", "new_string": "see src/x.py"}, "updated"),
    ("MultiEdit", {"file_path": "src/cart.py", "edits": [{"old_string": "payments/a", "new_string": "b"}]}, "updated"),
    ("NotebookEdit", {"notebook_path": "a.ipynb", "new_source": "import payments"}, "updated"),
    ("Glob", {"pattern": "src/**/*.ts"}, "/home/u/shop/src/web/app.ts"), ("Glob", {"pattern": "*.md"}, "README.md"), ("Glob", {"pattern": "**/package.json"}, "/home/u/shop/package.json"),
    ("Grep", {"pattern": "payments", "path": "src"}, "Found 2 files\nsrc/cart.py\nsrc/web/app.ts"),
    ("Grep", {"pattern": "payments", "path": "src", "output_mode": "content"}, GREP), ("Grep", {"pattern": "from payments", "glob": "src/*.py"}, GREP),
    ("Grep", {"pattern": "secrets", "path": "/home/u/shop/src", "-n": True}, "src/web/app.ts:3:secrets"),
    ("LS", {"path": "/home/u/shop"}, "- /home/u/shop/\n  - README.md\n  - infra/\n  - payments/\n  - src/\n    - cart.py\n"),
    ("TodoWrite", {"todos": [{"content": "Mend payments/ledger.py", "status": "pending", "activeForm": "Mending"}]}, "Todos have been modified"),
    ("WebFetch", {"url": "https://docs.example/payments/api", "prompt": "how are payments made"}, "POST /payments"),
    ("WebSearch", {"query": "python payments api idempotency"}, "results: payments"), ("Task", {"prompt": "Find where payments are summed", "subagent_type": "x"}, "In src/cart.py, line 12."),
    ("BashOutput", {"bash_id": "b1"}, "payments ready\n"), ("AskUserQuestion", {"questions": [{"question": "Keep payments apart?"}]}, "yes"),
    ("ExitPlanMode", {"plan": "1. Sum the payments in src/cart.py\n2. Test"}, "approved"), ("Skill", {"skill": "review"}, "ok"),
    ("shell", {"command": ["bash", "-lc", "sed -n 1,40p src/cart.py"], "workdir": "/home/u/shop"}, PY),
    ("shell", {"command": ["bash", "-lc", "rg -n payments src"]}, GREP), ("exec_command", {"cmd": "ls", "workdir": "/home/u/shop"}, ROOT),
    ("exec_command", {"cmd": "rg --files src", "workdir": "/home/u/shop"}, "src/cart.py\n"), ("write_stdin", {"session_id": 1, "chars": "\u0003"}, READY),
    ("apply_patch", {"input": "*** Begin Patch\n*** Update File: src/cart.py\n@@\n-import payments\n+import orders\n*** End Patch"}, "Success. Updated the following files:\nM src/cart.py\n"),
    ("exec", {"input": "const r = await tools.exec_command({cmd: 'rg payments src'}); text(r.output)"}, GREP),
    ("update_plan", {"plan": [{"step": "read payments/ledger.py", "status": "pending"}]}, "Plan updated"), ("view_image", {"path": "docs/cart.png"}, "attached"),
    ("read_file", {"path": "src/cart.py"}, PY), ("write_to_file", {"path": "src/a.py", "content": PY}, "saved"), ("list_files", {"path": ".", "recursive": "false"}, "README.md\ninfra/\npayments/\nsrc/\n"),
    ("replace_in_file", {"path": "src/cart.py", "diff": "<<<<<<< SEARCH\nimport payments\n=======\nimport orders\n>>>>>>> REPLACE"}, "saved"),
    ("search_files", {"path": "src", "regex": "payments"}, "Found 2 results.\n\nsrc/cart.py\n│----\n│import payments\n│----\n"),
    ("list_code_definition_names", {"path": "src"}, "src/cart.py\n|----\n│def total(cart):\n"), ("execute_command", {"command": "npm test"}, "PASS\n"),
    ("read_files", {"files": [{"path": "/home/u/shop/src/cart.py"}]}, PY), ("run_commands", {"commands": ["git status", "npm test"]}, STATUS),
    ("search_codebase", {"queries": ["payments", "class Ledger"]}, GREP), ("editor", {"path": "src/cart.py", "old_text": "payments/", "new_text": "orders/"}, "ok"),
    ("read", {"filePath": "/home/u/shop/src/cart.py"}, "<file>\n00001| import payments\n</file>"), ("edit", {"filePath": "src/cart.py", "oldString": "payments", "newString": "orders"}, ""),
    ("glob", {"pattern": "src/**"}, "/home/u/shop/src/cart.py"), ("grep", {"pattern": "payments", "include": "*.ts"}, "Found 1 matches\n/home/u/shop/src/web/app.ts:\n  Line 3: payments\n"),
    ("list", {"path": "/home/u/shop"}, "/home/u/shop/\n  README.md\n  infra/\n  payments/\n  src/\n    cart.py\n"), ("bash", {"command": "npm test", "description": "Test payments"}, "PASS\n"),
    ("task", {"prompt": "Look where payments are shown", "description": "payments"}, "src/web/app.ts"), ("todowrite", {"todos": [{"content": "open payments/x"}]}, "[]"),
    ("webfetch", {"url": "https://docs.example/payments/api"}, "POST /payments"), ("Search", {"pattern": "payments", "path": "src"}, GREP), ("List", {"dirpath": "src"}, "cart.py\nweb\n"),
    ("run_terminal_command", {"command": "npm test"}, "PASS\n"), ("grep_search", {"query": "payments"}, "src/cart.py\n1: import payments\n"), ("file_glob_search", {"pattern": "src/*.py"}, "src/cart.py"),
    ("mcp__fs__read_text_file", {"path": "src/cart.py"}, PY), ("mcp__fs__list_directory", {"path": "."}, "[FILE] README.md\n[DIR] infra\n[DIR] payments\n[DIR] src\n"),
    ("mcp__fs__directory_tree", {"path": "src"}, '[{"name": "cart.py", "type": "file"}, {"name": "web", "type": "directory", "children": []}]'),
    ("mcp__fs__search_files", {"path": "src", "pattern": "*.ts"}, "src/web/app.ts"), ("mcp__git__git_status", {"repo_path": "/home/u/shop"}, STATUS),
    ("mcp__git__git_log", {"repo_path": "/home/u/shop", "max_count": 3}, "Commit: a1\nMessage: Show payments\n"), ("mcp__github__search_code", {"query": "payments repo:shop/web"}, "src/cart.py"),
    ("mcp__jira__get_issue", {"key": "PAY-12"}, "Payments fail when infra restarts\n"), ("mcp__db__query", {"sql": "select * from payments"}, "id,amount\n1,2\n"),
    ("mcp__browser__navigate", {"url": "http://localhost:3000/payments/new"}, "Page: Payments\n"), ("mcp__slack__post", {"channel": "#payments", "text": "payments/ is done"}, "sent"),
    ("mcp__serena__find_symbol", {"name_path": "Payments/total", "relative_path": "src/cart.py"}, "def total"), ("mcp__docs__get", {"topic": "payments"}, "Payments are made by POST.\n"),
]  # fmt: skip

CALLS = [("Bash", {"command": command}, answer) for command, answer in COMMANDS] + OTHERS

# What is labelled although nothing of the folder is shown, and known to be.
FALSE_ALARMS = [
    (
        "Bash",
        {"command": "export SERVICE=payments && make run"},
        READY,
    ),  # a variable may be a folder
    ("Bash", {"command": "cat src/payments/view.py"}, PY),  # `payments/**` fits at any depth
    ("Bash", {"command": "cat ca.pem.md && ls *.pem"}, READY),  # a pattern that finds nothing
    ("Grep", {"pattern": "payments/ledger", "path": "src"}, GREP),  # text that looks like a path
    ("Task", {"prompt": "Do not touch payments/x.py"}, "Understood."),  # a mention in a task
]

SAID = [
    "Please mend the payments total in src/cart.py", "Why do payments fail? see https://shop.example/payments/1",
    "The folder payments is off limits; work in src only.", "```python\nimport payments\n```", "src/cart.py\n```python\nimport payments\n```",
    "I have *added these files to the chat* so you can go ahead and edit them.\n\nsrc/cart.py\n```\nimport payments\n```",
    "src/cart.py\n<<<<<<< SEARCH\nimport payments\n=======\nimport orders\n>>>>>>> REPLACE", "Payments:\n\n- one\n- two", "# Payments\n\nsecrets and infra",
    "Here is what I did:\n```\nnpm run payments\n```", "gitStatus: On branch payments-v2\nM src/cart.py\nRecent commits:\na1 Show payments",
    "<env>\nWorking directory: /home/u/shop\nIs directory a git repo: Yes\n</env>", "Note: src/cart.py was modified", "the payments/orders split",
    "Traceback:\n  File \"/home/u/shop/src/cart.py\", line 3, in total\nKeyError: 'payments'", "Use `payments.total()` instead", "infra: secrets are set by ops",
]  # fmt: skip
