"""The two models as plain numpy: published answers, numerical integration, slopes; and what has no answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.optimize import check_grad
from scipy.special import beta as beta_function

from personalake.lifetime import bg_nbd, gamma_gamma
from personalake.lifetime.fit import _found
from personalake.lifetime.model import BG_NBD, GAMMA_GAMMA, STAYS

PUBLISHED = np.array([0.243, 4.414, 0.793, 2.426])
# Repeat purchases, time of the last, age: the paper's example customer, one who left early, one who bought once.
CUSTOMERS = ((2.0, 30.43, 38.86), (5.0, 4.0, 38.86), (0.0, 0.0, 38.86), (1.0, 38.0, 38.86))
SEED = 5


def likelihood(parameters: np.ndarray, x: float, recency: float, age: float, ahead: float) -> tuple[float, float]:
    """The likelihood of a history, and the purchases ahead times it: integrals over what differs between customers.

    A customer of rate l and drop-out p shows the history alive with (1-p)^x l^x e^(-l age), gone with
    p (1-p)^(x-1) l^x e^(-l recency); alive they buy (1 - e^(-l p ahead)) / p times more.
    """
    r, alpha, a, b = parameters

    def density(rate: float, p: float) -> float:
        gamma = alpha**r * rate ** (r - 1) * math.exp(-alpha * rate) / math.gamma(r)
        return float(gamma * p ** (a - 1) * (1 - p) ** (b - 1) / beta_function(a, b))

    def alive(rate: float, p: float) -> float:
        return (1 - p) ** x * rate**x * math.exp(-rate * age) * density(rate, p)

    def gone(rate: float, p: float) -> float:
        return p * (1 - p) ** (x - 1) * rate**x * math.exp(-rate * recency) * density(rate, p) if x else 0.0

    def coming(rate: float, p: float) -> float:
        return -math.expm1(-rate * p * ahead) / p * alive(rate, p)

    def integral(of):
        # rate = u^4 and p = v^4 take the poles at 0 away.
        return dblquad(
            lambda u, v: of(u**4, v**4) * 16 * u**3 * v**3, 1e-9, 1 - 1e-9, 0, 2.2, epsabs=1e-13, epsrel=1e-9
        )[0]

    return integral(lambda rate, p: alive(rate, p) + gone(rate, p)), integral(coming)


@pytest.mark.parametrize("customer", CUSTOMERS)
@pytest.mark.parametrize("parameters", [PUBLISHED, np.array([0.8, 6.0, 1.0, 3.0]), np.array([1.5, 9.0, 2.5, 1.2])])
def test_bg_nbd_equals_numerical_integration(parameters: np.ndarray, customer: tuple[float, float, float]):
    x, recency, age = customer
    whole, ahead = likelihood(parameters, x, recency, age, ahead=39.0)
    row = np.array([[x, recency, age, 1.0]])
    assert -bg_nbd.loss(np.log(parameters), row)[0] == pytest.approx(math.log(whole), rel=1e-5)
    arrays = (np.array([x]), np.array([recency]), np.array([age]))
    assert bg_nbd.expected_purchases(parameters, *arrays, 39.0)[0] == pytest.approx(ahead / whole, rel=1e-5)


def test_the_papers_customer_is_expected_to_buy_1_226_times():
    """Fader, Hardie and Lee's note on the model in a spreadsheet: x 2, t_x 30.43, T 38.86, over 39 weeks."""
    known = (np.array([2.0]), np.array([30.43]), np.array([38.86]))
    assert bg_nbd.expected_purchases(PUBLISHED, *known, 39.0)[0] == pytest.approx(1.226, abs=5e-4)


def test_alive_sinks_with_silence_and_is_certain_for_who_bought_once():
    recency = np.array([0.0, 38.0, 20.0, 5.0, 1.0])
    frequency = np.array([0.0, 6.0, 6.0, 6.0, 6.0])
    alive = bg_nbd.alive_probability(PUBLISHED, frequency, recency, np.full(5, 38.86))
    assert alive[0] == 1.0
    assert list(alive[1:]) == sorted(alive[1:], reverse=True) and 0 < alive[-1] < 1e-3 and alive[1] > 0.8


def test_who_buys_daily_for_years_overflows_nothing():
    known = (np.array([2000.0]), np.array([730.0]), np.array([730.5]))
    assert 20 < bg_nbd.expected_purchases(PUBLISHED, *known, 8.0)[0] < 25


@pytest.mark.parametrize(
    ("likelihood", "columns"),
    [(BG_NBD, ((0, 0, 30), (3, 20, 30), (1, 1, 9), (0, 0, 0))), (GAMMA_GAMMA, ((1, 2.5), (7, 0.3), (2, 1.1)))],
    ids=["bg_nbd", "gamma_gamma"],
)
def test_the_slope_is_the_slope(likelihood, columns):
    rng = np.random.default_rng(SEED)
    rows = np.column_stack([np.array(columns, dtype=float), rng.integers(1, 9, len(columns))])
    for _ in range(10):
        at = rng.normal(0, 1, len(likelihood.names))
        size = np.abs(likelihood.loss(at, rows)).max()
        gap = check_grad(lambda q: likelihood.loss(q, rows)[0], lambda q: likelihood.loss(q, rows)[1:], at)
        assert gap < 1e-5 * size, f"seed {SEED}, at {at}"


@pytest.mark.parametrize(
    ("likelihood", "rows"),
    [
        pytest.param(BG_NBD, [[3, 20, 30, 100]], id="buyers all alike"),
        pytest.param(BG_NBD, [[0, 0, 30, 100]], id="nobody bought twice"),
        pytest.param(GAMMA_GAMMA, [[3, 1, 100]], id="payers all alike"),
    ],
)
def test_a_fit_without_an_answer_says_so(likelihood, rows):
    table = np.array(rows, dtype=float)
    fit = _found(likelihood, lambda at: likelihood.loss(at, table), 1.0, 100)
    assert fit.parameters == {} and fit.log_likelihood is None
    assert fit.reason.startswith("the fit did not settle: "), fit.reason


def test_where_nobody_leaves_everybody_is_alive_and_the_nbd_is_left():
    """Drawn from an NBD of r 1.2, alpha 4 over 52 weeks: leaving vanishes, r and alpha are found all the same."""
    rng = np.random.default_rng(SEED)
    counts = rng.poisson(rng.gamma(1.2, 1 / 4.0, 20_000) * 52)
    last = np.where(counts > 0, 52 * rng.beta(np.maximum(counts, 1), 1), 0.0)  # the greatest of so many uniform times
    rows = np.column_stack([counts, last, np.full(20_000, 52.0), np.ones(20_000)])
    fit = _found(BG_NBD, lambda at: BG_NBD.loss(at, rows), 1.0, 20_000)
    assert fit.reason == "" and STAYS.items() <= fit.parameters.items(), f"seed {SEED}: {fit}"
    assert (fit.parameters["r"], fit.parameters["alpha"]) == pytest.approx((1.2, 4.0), rel=0.05)
    asked = (np.array([0.0, 12.0]), np.array([0.0, 50.0]), np.array([52.0, 52.0]))
    assert bg_nbd.alive_probability(fit.vector, *asked) == pytest.approx(1.0, abs=1e-3)
    r, alpha = fit.parameters["r"], fit.parameters["alpha"]
    assert bg_nbd.expected_purchases(fit.vector, *asked, 4.0) == pytest.approx(
        4 * (r + asked[0]) / (alpha + 52), rel=1e-2
    )


def test_gamma_gamma_lies_between_the_own_mean_and_everybodys():
    parameters = np.array([6.25, 3.74, 15.44])
    everybody = 6.25 * 15.44 / 2.74
    days, mean = np.array([1.0, 1.0, 50.0]), np.array([100.0, 10.0, 100.0])
    high, low, sure = gamma_gamma.expected_spend(parameters, days, mean)
    assert everybody < high < sure < 100 and 10 < low < everybody
    # Weights of the own mean: p x / (p x + q - 1).
    assert high == pytest.approx(everybody + (100 - everybody) * 6.25 / (6.25 + 2.74))
