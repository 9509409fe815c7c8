from msgspec.structs import replace

from halfdoor.canon.money import FREE, Budget, Price
from halfdoor.canon.plans import Beyond, Plan
from halfdoor.decide.unpriced import unpriced
from tests.helpers.house import CLOUD, LOCAL

MYSTERY = replace(CLOUD, name="mystery", price=Price())
QWEN = replace(LOCAL, price=FREE)
BOTH = (MYSTERY, QWEN)
HARD = Budget("team", 10**12, "month")


def test_a_hard_budget_says_whom_it_keeps_everything_from():
    (said,) = unpriced(BOTH, (HARD,), ())
    assert said.startswith(
        "budget `team`: no price of `mystery` is known, so nothing that it limit"
    )


def test_one_that_warns_says_what_it_does_not_count():
    (said,) = unpriced(BOTH, (replace(HARD, hard=False),), ())
    assert "what is spent there is not counted" in said


def test_half_a_price_is_none_and_a_name_that_is_sent_on_has_its_own():
    half = replace(MYSTERY, price=Price(input=3))
    assert list(unpriced((half,), (HARD,), ()))
    assert not list(unpriced((replace(MYSTERY, model_id="*"),), (HARD,), ()))


def test_a_budget_for_another_model_and_a_plan_that_pays_need_no_price():
    assert not list(unpriced(BOTH, (replace(HARD, match=(("model", "qwen"),)),), ()))
    plan = Plan("max", 1, "month", (MYSTERY.backend,))
    assert not list(unpriced(BOTH, (HARD,), (plan,)))
    assert list(unpriced(BOTH, (HARD,), (replace(plan, beyond=Beyond.PAY),)))
