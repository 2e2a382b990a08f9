import pytest
from loihi_gym_baselines import ga

from perf.trials import AS_IT_IS, Trial, patches, search


def test_a_variant_searches_with_its_constants_and_leaves_them_as_they_were():
    before = ga.GATHERED, ga.RECUT
    variants = (AS_IT_IS, "ga.GATHERED=0.0+ga.RECUT=1.0", AS_IT_IS)
    found = [search("ga", Trial(variant, "mlp-xs", 3), 200)[1] for variant in variants]
    assert before == (ga.GATHERED, ga.RECUT)
    assert found[0] == found[2] != found[1]
    assert found[0] == sorted(found[0])


@pytest.mark.parametrize(
    "variant", ["ga.NONE=1", "none.HEAT=1", "ga.HEAT", "ga.HEAT=x y", "HEAT=1"]
)
def test_what_is_no_constant_is_named(variant):
    with pytest.raises(ValueError, match=f"--set {variant}: .*give module.NAME=value"):
        patches(variant)
