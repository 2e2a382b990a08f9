"""The script that holds the three latencies in their order, on a few problems."""

from perf import bound_order


def test_it_goes_through_chips_and_finds_the_order_kept(capsys):
    assert bound_order.main(["--problems", "4"]) == 0
    assert "4 problems on 4 chips: mesh >= bound >= proven" in capsys.readouterr().out


def test_it_names_a_bound_that_is_none(capsys, monkeypatch):
    class TooHigh:
        def of(self, _):
            return 10**15

    monkeypatch.setattr(bound_order, "lower_bound", lambda _: TooHigh())
    assert bound_order.main(["--problems", "1"]) == 1
    assert "problem 0 on loihi2-16" in capsys.readouterr().out
