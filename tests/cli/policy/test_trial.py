import json
from datetime import UTC, datetime, timedelta

import pytest

from halfdoor.canon.cards import Card, Terms
from halfdoor.canon.labels import Zone
from halfdoor.canon.record import Attempt, LabelCount, Left, Planned
from halfdoor.canon.rules import EVERY, Above, Require, Rule
from halfdoor.cli.policy.past import Reviewer, pairs
from halfdoor.config.rules import DEFAULTS
from halfdoor.store.file import LogFile
from halfdoor.store.keys import LogKeys
from halfdoor.store.schema import FILE
from tests.record.samples import decided, exchange_id, outcome

FAR, NEAR = Planned("sonnet", "anthropic", "cloud"), Planned("qwen", "ollama", "device")
LOST = Left("sonnet", "cloud", "secret", "secret")
CARDS = (
    Card("sonnet", "anthropic", "s", Zone.CLOUD, "d", "v", terms=Terms("us", "never", 30)),
    Card("qwen", "ollama", "q", Zone.DEVICE, "d", "v"),
)


def labelled(*names):
    return tuple(LabelCount(name, "", "d", 1, ("messages[0]",)) for name in names)


def was(*labels, plan=(FAR, NEAR), excluded=(), **more):
    return decided(labels=labelled(*labels), plan=plan, excluded=excluded, rule="", **more)


def sent(model="sonnet", zone="cloud", count=500):
    return Attempt(model, "b", zone, "answered", 200, count, 9, 9)


def judged(then, *rules, ended=None):
    reviewer = Reviewer((*DEFAULTS, *rules), CARDS)
    return reviewer.judge(then, ended or outcome(attempts=(sent(),)))


def rule(label, ceiling=Zone.DEVICE, name="new", **more):
    return Rule(name, label, ceiling, source="new.toml:3", **more)


ROWS = {
    "nothing new": (was(), (), "same", {}),
    "a label that is ruled now": (was("path:a/**"), (rule("path:a/**"),), "narrower", {"cloud": 500}),
    "text derived from it": (was("derived:path:a/**"), (rule("path:a/**"),), "narrower", {"cloud": 500}),
    "a folder around it": (was("path:a/b/**"), (rule("path:a/**"),), "narrower", {"cloud": 500}),
    "a folder inside it": (was("path:a/**"), (rule("path:a/b/**"),), "same", {}),
    "a rule that is gone": (was("path:a/**"), (), "same", {}),
    "nobody left": (was("path:a/**", plan=(FAR,)), (rule("path:a/**"),), "refused", {"cloud": 500}),
    "a refusal": (was("path:a/**"), (rule("path:a/**", above=Above.REFUSE),), "refused", {"cloud": 500}),
    "every request": (was(), (rule(EVERY),), "narrower", {"cloud": 500}),
    "terms that are not stated": (
        was(), (rule(EVERY, Zone.CLOUD, require=Require(("eu",))),), "narrower", {"cloud": 500},
    ),
    "terms that are": (was(), (rule(EVERY, Zone.CLOUD, require=Require(("us",))),), "same", {}),
    "kept then and kept now": (was("secret", plan=(NEAR,), excluded=(LOST,)), (), "same", {}),
    "held then by a rule that is gone": (was("path:a/**", plan=(NEAR,), excluded=(LOST,)), (), "wider", {}),
}  # fmt: skip


@pytest.mark.parametrize(("then", "rules", "change", "held"), ROWS.values(), ids=ROWS.keys())
def test_what_another_policy_would_have_made_of_an_exchange(then, rules, change, held):
    judgement = judged(then, *rules)
    assert (judgement.change, judgement.held) == (change, held)


def test_the_rule_and_label_that_would_hold_are_named():
    judgement = judged(was("path:a/b/**"), rule("path:a/**"))
    assert (judgement.rule, judgement.label) == ("new", "path:a/**")
    assert (judgement.before, judgement.after) == ("cloud", "device")


def test_one_model_less_in_the_same_zone_is_fewer():
    gpt = Planned("gpt", "openai", "cloud")
    only = rule(EVERY, Zone.CLOUD, require=Require(training="never"))
    assert judged(was(plan=(FAR, gpt)), only).change == "fewer"


def test_bytes_that_went_to_the_device_are_not_held():
    ended = outcome(attempts=(sent("qwen", "device", 700), sent(count=0)))
    assert judged(was("path:a/**"), rule("path:a/**"), ended=ended).held == {}


def test_a_decision_without_an_outcome_counts_as_sent_to_its_whole_plan():
    reviewer = Reviewer((*DEFAULTS, rule(EVERY)), CARDS)
    ((then, ended),) = pairs([was()])
    judgement = reviewer.judge(then, ended)
    assert judgement.sent == {"cloud": 12_345, "device": 12_345}
    assert judgement.held == {"cloud": 12_345}


def test_a_rule_whose_label_nobody_had_is_untold_and_others_are_not():
    reviewer = Reviewer((*DEFAULTS, rule("path:a/**"), rule("path:z/**"), rule(EVERY)), CARDS)
    reviewer.judge(was("path:a/b"), None)
    assert [r.label for r in reviewer.untold()] == ["path:z/**"]


@pytest.fixture
def state(home):
    """A log of three exchanges: one long ago, one of another project."""
    folder = home / ".local/state/halfdoor"
    file = LogFile(folder / FILE, LogKeys.load_or_create(folder))
    now = datetime.now(UTC)

    def at(days):
        return (now - timedelta(days=days)).isoformat(timespec="milliseconds")[:-6] + "Z"

    for number, (days, project) in enumerate([(30, ""), (2, "shop"), (1, "")]):
        then = was("path:pay/**", number=number, time=at(days), project=project)
        ended = outcome(number, time=at(days), attempts=(sent(),))
        file.append([then, ended], last=number == 2)
    file.close()
    return folder


NEW = '[[rules]]\nname = "pay"\nlabel = "path:pay/**"\nceiling = "device"\n'


def test_the_newest_exchanges_are_told_with_the_bytes_that_would_have_stayed(halfdoor, home, state):
    (home / "new.toml").write_text(NEW + '[[rules]]\nlabel="path:x/**"\nceiling="device"\n')
    (home / "new.toml").chmod(0o600)
    before = sorted(path.read_bytes() for path in state.iterdir())
    said = halfdoor("policy", "try", "--since", "7d", "--config", home / "new.toml")
    assert said.code == 0
    assert ": 2 would stay nearer" in said.out
    assert "sent then  cloud 1,000\nheld now   cloud 1,000\n" in said.out
    assert (
        f"pay   path:pay/**  0        2         0      0      cloud 1,000  {exchange_id(2)}"
        in said.out
    )
    assert "untold     `path:x/**` (new.toml:5)" in said.out
    assert "1 exchange of other projects" in said.out
    assert sorted(path.read_bytes() for path in state.iterdir()) == before


def test_a_projects_rules_are_tried_on_its_own_exchanges_only(halfdoor, home, state):
    shop = home / "other"
    shop.mkdir()
    (shop / ".halfdoor.toml").write_text(NEW)
    said = halfdoor("policy", "try", "--since", "7d", "--project", shop, "--json")
    told = json.loads(said.out)
    assert told["changes"] == {"refused": 0, "narrower": 1, "fewer": 0, "wider": 0, "same": 1}
    assert [(one["id"], one["rule"]) for one in told["listed"]] == [(exchange_id(2), "pay")]
    assert (told["foreign"], told["held"]) == (1, {"cloud": 500})


def test_without_a_log_it_says_so(halfdoor, home):
    assert halfdoor("policy", "try").code == 1


def test_a_since_that_is_no_time_is_a_usage_error(halfdoor, state):
    assert halfdoor("policy", "try", "--since", "tuesday").code == 2
