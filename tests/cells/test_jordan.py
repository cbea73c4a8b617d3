import pytest
import torch

from skrnn.cells import Elman, Jordan, JordanState
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, assert_same, built, gap, packed, random, run

EXACT = 1e-12  # float64, relative


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_outputs_that_show_the_hidden_units_make_it_an_elman_network(activation):
    """Without decay, V = 1, d = 0 and linear outputs, what is fed back is h."""
    jordan, elman = built(Jordan(0.0, activation, "identity")), built(Elman(activation))
    weights = elman.state_dict()
    jordan.load_state_dict(weights | {"V": torch.eye(HIDDEN), "d": torch.zeros(HIDDEN)})
    (y, state), (y_elman, h) = scan(jordan, packed()), scan(elman, packed())
    assert_same([y.data, state.y], [y_elman.data, h], EXACT)


def test_what_is_fed_back_is_a_sum_of_all_outputs_before_that_fades():
    y, (_, s) = run(built(Jordan(0.7)), packed((12,)))
    weights = 0.7 ** torch.arange(10, -1, -1, dtype=torch.float64)
    assert gap(s[0], weights @ y[0][:11]) <= EXACT


def step_by_step(cell, x, teacher=None):
    """Outputs and last state of one sequence, in which the teacher's outputs take the place of the cell's own."""
    state, outputs = cell.initial_state(1, like=x), []
    for t, u in enumerate(cell.project(x).split(1)):
        y, state = cell.step(u, state)
        outputs.append(y)
        state = state if teacher is None else JordanState(teacher[t : t + 1], state.s)
    return torch.cat(outputs), state


def test_a_teacher_who_says_what_the_network_says_changes_nothing():
    cell, x = built(Jordan()), random(9, INPUT)
    free, _ = step_by_step(cell, x)
    assert torch.equal(step_by_step(cell, x, teacher=free)[0], free)


def test_what_a_teacher_feeds_back_does_not_depend_on_the_network():
    x, teacher = random(9, INPUT), random(9, HIDDEN)
    (y, state), (y_other, state_other) = (step_by_step(built(Jordan(), seed=seed), x, teacher) for seed in (0, 1))
    assert torch.equal(state.s, state_other.s)
    assert gap(y, y_other) > 0.01


def test_outputs_begin_without_feedback():
    """s(1) = 0: with one step, the recurrent weights get no gradient."""
    cell = built(Jordan())
    y, _ = scan(cell, packed((1,)))
    assert not torch.autograd.grad(y.data.sum(), cell.R)[0].any()


@pytest.mark.parametrize("n_hidden", [None, 1, 20])
def test_number_of_weights(n_hidden):
    N, F, H = n_hidden or HIDDEN, INPUT, HIDDEN
    cell = Jordan(n_hidden=n_hidden).build(F, H)
    assert sum(w.numel() for w in cell.parameters()) == N * (F + H + 1) + H * (N + 1)


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_a_decay_that_does_not_fade_is_refused(decay):
    with pytest.raises(ValueError, match=r"'decay' parameter of Jordan must be in \[0, 1\); got "):
        Jordan(decay).build(INPUT, HIDDEN)


@pytest.mark.parametrize("n_hidden", [0, -3, 2.5, "many"])
def test_a_number_of_hidden_units_that_is_none_is_refused(n_hidden):
    with pytest.raises(ValueError, match=rf"'n_hidden' parameter of Jordan must be None or a whole number from 1 up; got {n_hidden!r}"):
        Jordan(n_hidden=n_hidden).build(INPUT, HIDDEN)
