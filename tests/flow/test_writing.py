from halfdoor.canon.commands import Answered, Fault, Faulted, FaultKind, HungUp, Learnt
from halfdoor.canon.money import FREE, Price, Usage
from halfdoor.flow.writing import spent, timestamp

PRICE = Price(3, 15)
TOLD = Learnt(usage=Usage(10, 2), finished=True)
SILENT = Learnt()


def faulted(kind, learnt=SILENT, sent=100):
    return Faulted(Fault(kind, "x"), False, learnt, sent, 0, -1, 0)


def test_an_answer_costs_what_its_backend_counted():
    assert spent(Answered(200, TOLD, 100, 100, 1, 2), PRICE) == 10 * 3 + 2 * 15


def test_an_answer_that_broke_off_costs_what_was_told_until_then():
    half = Learnt(usage=Usage(10, 1))
    assert spent(HungUp(True, half, 100, 50, 1, 2), PRICE) == 10 * 3 + 15
    assert spent(faulted(FaultKind.CUT, half), PRICE) == 10 * 3 + 15


def test_nobody_knows_the_cost_of_what_was_sent_and_not_counted():
    assert spent(Answered(200, SILENT, 100, 100, 1, 2), PRICE) is None
    assert spent(faulted(FaultKind.TIMEOUT), PRICE) is None
    assert spent(Answered(200, TOLD, 100, 100, 1, 2), Price()) is None


def test_an_error_and_a_backend_that_was_never_reached_bill_nothing():
    assert spent(faulted(FaultKind.STATUS), PRICE) == 0
    assert spent(faulted(FaultKind.CONNECT, sent=0), PRICE) == 0


def test_the_devices_own_models_cost_nothing_whatever_they_counted():
    assert spent(Answered(200, SILENT, 100, 100, 1, 2), FREE) == 0
    assert spent(Answered(200, TOLD, 100, 100, 1, 2), FREE) == 0


def test_a_backend_that_claims_absurd_counts_costs_no_more_than_the_log_can_hold():
    absurd = Learnt(usage=Usage(10**30, -5), finished=True)
    assert spent(Answered(200, absurd, 1, 1, 1, 1), PRICE) == 2**53 - 1


def test_a_moment_is_told_to_the_millisecond_in_utc():
    assert timestamp(1_763_716_000_007) == "2025-11-21T09:06:40.007Z"
    assert timestamp(1_763_716_000_999) == "2025-11-21T09:06:40.999Z"
    assert timestamp(1_763_716_001_000) == "2025-11-21T09:06:41.000Z"
