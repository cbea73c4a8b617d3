"""Compiled LSTM in all its forms: less any gate, coupled, with peepholes, blocks, gates fed back, without squashing, layer-normalised."""

from __future__ import annotations

from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from ._activations import ACTIVATIONS
from ._loop import Kernel, Layout, or_empty, time_loop
from ._math import logistic
from ._normalise import gain_gradient, normalise, normalise_back, normalise_input, normalise_input_back
from ._product import add_rows, column_sums, copy_row, copy_rows, matmul, tall_product

squash: Any = None  # what `time_loop` binds
slope: Any = None
squash_cell: Any = None
slope_cell: Any = None
INPUT_GATE = FORGET_GATE = OUTPUT_GATE = COUPLED = PEEPHOLE = BLOCKS = NORM = False


def _forward(arrays, row, first, n):
    u, R, (p, gain, gain_c, b_c), (edges, edges_c), (z, c, sums), saved = arrays
    y, gates, c_before, z_before, squashed, raw, raw_c = saved
    H, end, last = c.shape[1], row + n, first + n
    G = (sums.shape[1] - H) // max(INPUT_GATE + FORGET_GATE + OUTPUT_GATE, 1) if BLOCKS else H
    f, g = G * INPUT_GATE, G * (INPUT_GATE + FORGET_GATE)
    fed = G if z.shape[1] > H else 0
    copy_rows(z[first:last], z_before[row:end])
    copy_rows(c[first:last], c_before[row:end])
    matmul(z[first:last], R, sums[first:last])
    if NORM:
        normalise(sums[first:last], gain, edges, raw[row:end])
    add_rows(u[row:end], sums[first:last])
    for b in range(n):
        a, made, s = sums[first + b], gates[row + b], first + b
        if INPUT_GATE:
            _open(a[:G], made[:H], p[0], c[s], z[s, H : H + fed])
        if FORGET_GATE:
            _open(a[f : f + G], made[H : 2 * H], p[1], c[s], z[s, H + f : H + f + fed])
        _advance(a[g : g + H], made[:H], made[H : 2 * H], made[2 * H : 3 * H], c[s])
        if OUTPUT_GATE:
            _open(a[g + H :], made[3 * H :], p[3], c[s], z[s, g + H : g + H + fed])
    if NORM:
        copy_rows(c[first:last], squashed[row:end])
        normalise(squashed[row:end], gain_c, edges_c, raw_c[row:end])
    for b in range(n):
        r, s = row + b, first + b
        if NORM:
            _squash(squashed[r], b_c)
        _emit(gates[r, 3 * H :], squashed[r] if NORM else c[s], z[s, :H], y[r])


def _open(sums, gates, p, c, fed):
    """Sums of one kind of gates become values for each cell; peepholes, if there are any, let the gates see the cells."""
    size = len(gates) // len(sums)
    for m in range(len(sums) if BLOCKS and len(p) else 0):
        for j in range(m * size, (m + 1) * size):
            sums[m] += p[j] * c[j]
    for j in range(0 if BLOCKS else len(p)):
        sums[j] += p[j] * c[j]
    for m in range(len(sums)):
        sums[m] = logistic(sums[m])
    for m in range(len(fed)):
        fed[m] = sums[m]
    for m in range(len(sums) if BLOCKS else 0):
        for j in range(m * size, (m + 1) * size):
            gates[j] = sums[m]
    for j in range(0 if BLOCKS else len(sums)):
        gates[j] = sums[j]


def _advance(sums, i, f, g, c):
    one = c.dtype.type(1)
    for j in range(len(c)):
        g[j] = new = squash(sums[j])
        if COUPLED:
            f[j] = one - i[j]
        c[j] = f[j] * c[j] + i[j] * new


def _squash(normed, b_c):
    for j in range(len(normed)):
        normed[j] = squash_cell(normed[j] + b_c[j])


def _emit(o, seen, h, y):
    for j in range(len(h)):
        h[j] = y[j] = o[j] * (seen[j] if NORM else squash_cell(seen[j]))


def _backward(arrays, row, first, n):
    du, R, (p, gain, gain_c), (edges, edges_c), (dz, dc, dp, d, dseen), saved, (hat, hat_c, dsums, dnormed) = arrays
    dy, gates, c_before, squashed = saved
    H, end, last = dc.shape[1], row + n, first + n
    G = (du.shape[1] - H) // max(INPUT_GATE + FORGET_GATE + OUTPUT_GATE, 1) if BLOCKS else H
    f, g = G * INPUT_GATE, G * (INPUT_GATE + FORGET_GATE)
    fed, seeing = G if dz.shape[1] > H else 0, p.shape[1]
    for b in range(n):
        r, s = row + b, first + b
        seen = gates[r, :H], gates[r, H : 2 * H], gates[r, 2 * H : 3 * H], gates[r, 3 * H :], c_before[r]
        _emit_back(seen, squashed[r] if NORM else dy[r], dz[s, :H], dy[r], (d[s, :H], dseen[s], d[s, 3 * H :]))
        if NORM:
            copy_row(dseen[s], dnormed[r])
    if NORM:
        normalise_back(dseen[first:last], gain_c, edges_c, hat_c[row:end])
    add_rows(dseen[first:last], dc[first:last])
    for b in range(n):
        r, s, a = row + b, first + b, du[row + b]
        if OUTPUT_GATE:
            back = dz[s, g + H : g + H + fed], dp[s, 3 * H : 3 * H + seeing], dc[s]
            _open_back(d[s, 3 * H :], gates[r, 3 * H :], (p[3], d[s, :H]), a[g + H :], back)
        values = gates[r, :H], gates[r, H : 2 * H], gates[r, 2 * H : 3 * H], c_before[r]
        _advance_back(values, d[s, :H], d[s, H : 2 * H], a[g : g + H], dc[s])
        if INPUT_GATE:
            back = dz[s, H : H + fed], dp[s, :seeing], dc[s]
            _open_back(d[s, :H], gates[r, :H], (p[0], c_before[r]), a[:G], back)
        if FORGET_GATE:
            back = dz[s, H + f : H + f + fed], dp[s, H : H + seeing], dc[s]
            _open_back(d[s, H : 2 * H], gates[r, H : 2 * H], (p[1], c_before[r]), a[f : f + G], back)
    if NORM:
        copy_rows(du[row:end], dsums[row:end])
        normalise_back(dsums[row:end], gain, edges, hat[row:end])
    matmul((dsums if NORM else du)[row:end], R, dz[first:last])


def _emit_back(values, squashed, dh, dy, made):
    """Gradients of what the cells show and of the output gates; and the cells, which are made anew."""
    (i, f, g, o, c_before), (c, dseen, do) = values, made
    for j in range(len(c)):
        c[j] = now = f[j] * c_before[j] + i[j] * g[j]
        x = squashed[j] if NORM else squash_cell(now)
        back = dh[j] + dy[j]
        dseen[j], do[j] = back * o[j] * slope_cell(x), back * x


def _open_back(dvalues, gates, seen, dsums, back):
    """Gradient of the sums from those of the values and of what was fed back; adds to those of peepholes and of the cells that they saw."""
    (p, c), (dfed, dp, dc) = seen, back
    one, size = dc.dtype.type(1), len(gates) // len(dsums)
    for m in range(len(dfed)):
        dvalues[m * size] += dfed[m]
    for m in range(len(dsums) if BLOCKS else 0):
        total, value = dvalues[m * size], gates[m * size]
        for j in range(m * size + 1, (m + 1) * size):
            total += dvalues[j]
        dsums[m] = total * value * (one - value)
        for j in range(m * size, (m + 1) * size if len(p) else 0):
            dp[j] += dsums[m] * c[j]
            dc[j] += dsums[m] * p[j]
    for j in range(0 if BLOCKS else len(dsums)):
        dsums[j] = dvalues[j] * gates[j] * (one - gates[j])
    for j in range(0 if BLOCKS else len(p)):
        dp[j] += dsums[j] * c[j]
        dc[j] += dsums[j] * p[j]


def _advance_back(values, di, df, dsums, dc):
    i, f, g, c_before = values
    for j in range(len(dc)):
        df[j] = dc[j] * c_before[j]
        di[j] = dc[j] * (g[j] - c_before[j]) if COUPLED else dc[j] * g[j]
        dsums[j] = dc[j] * i[j] * slope(g[j])
        dc[j] *= f[j]


def _forward_plain(arrays, row, first, n):
    """The same without blocks, gates fed back and normalisation, in a single pass."""
    gates, R, (p, _, _, _), _, (h, c, sums), (y, _, c_before, h_before, _, _, _) = arrays  # gates hold the projected input
    H = h.shape[1]
    end, last = row + n, first + n
    copy_rows(h[first:last], h_before[row:end])
    copy_rows(c[first:last], c_before[row:end])
    matmul(h[first:last], R, sums[first:last])
    for b in range(n):
        s = first + b
        _forward_row(_of_gates(gates[row + b], H), _of_gates(sums[s], H), (p[0], p[1], p[3]), c[s], h[s])
    copy_rows(h[first:last], y[row:end])


def _of_gates(a, H):
    """The row's parts that belong to i, f, g and o; to others those that do not exist."""
    f, g, o = H * INPUT_GATE, H * (INPUT_GATE + FORGET_GATE), H * (INPUT_GATE + FORGET_GATE + 1)
    return a[:H], a[f : f + H], a[g : g + H], a[o : o + H]


def _forward_row(gates, sums, peepholes, c, h):
    (a_i, a_f, a_g, a_o), (s_i, s_f, s_g, s_o), (p_i, p_f, p_o) = gates, sums, peepholes
    one = c.dtype.type(1)
    for j in range(len(c)):
        c_old = c[j]
        i = f = o = one
        if INPUT_GATE:
            a_i[j] = i = logistic(a_i[j] + s_i[j] + p_i[j] * c_old if PEEPHOLE else a_i[j] + s_i[j])
        if COUPLED:
            f = one - i
        if FORGET_GATE:
            a_f[j] = f = logistic(a_f[j] + s_f[j] + p_f[j] * c_old if PEEPHOLE else a_f[j] + s_f[j])
        a_g[j] = g = squash(a_g[j] + s_g[j])
        c[j] = c_new = f * c_old + i * g
        if OUTPUT_GATE:
            a_o[j] = o = logistic(a_o[j] + s_o[j] + p_o[j] * c_new if PEEPHOLE else a_o[j] + s_o[j])
        h[j] = o * squash_cell(c_new)


def _backward_plain(arrays, row, first, n):
    du, R, (p, _, _), _, (dh, dc, dp, _, _), (dy, gates, c_before, _), _ = arrays
    H = dh.shape[1]
    for b in range(n):
        r, s = row + b, first + b
        dpeepholes = dp[s, :H], dp[s, H : 2 * H], dp[s, 3 * H :]
        _backward_row(_of_gates(du[r], H), _of_gates(gates[r], H), (p[0], p[1], p[3]), dpeepholes, (c_before[r], dy[r]), (dh[s], dc[s]))
    matmul(du[row : row + n], R, dh[first : first + n])


def _backward_row(du, gates, peepholes, dpeepholes, seen, state):
    (du_i, du_f, du_g, du_o), (gate_i, gate_f, gate_g, gate_o), (p_i, p_f, p_o), (dp_i, dp_f, dp_o) = du, gates, peepholes, dpeepholes
    (c_before, dy), (dh, dc) = seen, state
    one = dc.dtype.type(1)
    for j in range(len(dc)):
        i, g, o = gate_i[j] if INPUT_GATE else one, gate_g[j], gate_o[j] if OUTPUT_GATE else one
        f = gate_f[j] if FORGET_GATE else one - i if COUPLED else one
        c_old = c_before[j]
        c_new = f * c_old + i * g
        x = squash_cell(c_new)
        d = dh[j] + dy[j]
        do = d * x * o * (one - o)
        dc_new = dc[j] + d * o * slope_cell(x)
        if PEEPHOLE:
            dc_new += do * p_o[j]
        di = (dc_new * (g - c_old) if COUPLED else dc_new * g) * i * (one - i)
        df = dc_new * c_old * f * (one - f)
        dc_old = dc_new * f
        du_g[j] = dc_new * i * slope(g)
        if INPUT_GATE:
            du_i[j] = di
        if FORGET_GATE:
            du_f[j] = df
        if OUTPUT_GATE:
            du_o[j] = do
        if PEEPHOLE and INPUT_GATE:
            dc_old += di * p_i[j]
            dp_i[j] += di * c_old
        if PEEPHOLE and FORGET_GATE:
            dc_old += df * p_f[j]
            dp_f[j] += df * c_old
        if PEEPHOLE and OUTPUT_GATE:
            dp_o[j] += do * c_new
        dc[j] = dc_old


class _Kind(NamedTuple):
    """What the arrays do not show."""

    gates: str
    forget: str
    activations: tuple[str, str]


class _Form(NamedTuple):
    """What is compiled for itself."""

    kind: _Kind
    peephole: bool
    norm: bool
    blocks: bool
    fed_back: bool

    @classmethod
    def of(cls, kind: _Kind, R, H, p, gain_h) -> _Form:
        N, width = R.shape
        return cls(kind, p is not None, gain_h is not None, blocks=(len(kind.gates) + 1) * H > N, fed_back=width > H)

    @property
    def plain(self) -> bool:
        return not (self.norm or self.blocks or self.fed_back)


@cache
def _loops(form: _Form):
    (squash, slope), (squash_cell, slope_cell) = (ACTIVATIONS[name] for name in form.kind.activations)
    there: dict[str, Any] = {name: letter in form.kind.gates for name, letter in (("INPUT_GATE", "i"), ("FORGET_GATE", "f"), ("OUTPUT_GATE", "o"))}
    common = {**there, "COUPLED": form.kind.forget == "coupled", "squash_cell": squash_cell}
    steps: Any = (_forward, _open, _advance, _squash, _emit), (_backward, _emit_back, _open_back, _advance_back)
    if form.plain:
        steps = (_forward_plain, _of_gates, _forward_row), (_backward_plain, _of_gates, _backward_row)
    common |= {"PEEPHOLE": form.peephole} if form.plain else {"BLOCKS": form.blocks, "NORM": form.norm}
    return time_loop(*steps[0], squash=squash, **common), time_loop(*steps[1], slope=slope, slope_cell=slope_cell, **common)


def forward(layout: Layout, reverse: bool, u, R, p, z, c, gain_x=None, gain_h=None, gain_c=None, b=None, b_c=None, *, kind: _Kind):
    """Outputs, final state (z, c) and what ``backward`` needs.

    With G gates of each kind, one for all cells of a block, K = 1, 2 or 3 kinds of gates and N = K G + H.

    Parameters
    ----------
    u : ndarray of shape (n_rows, N)
        Projected input, in the order i f g o as far as there are such gates. W x, if it is to be normalised.
    R : ndarray of shape (N, H) or (N, H + K G)
        Recurrent weights, from h and, if they are fed back, from the gates of the step before.
    p : ndarray of shape (K, H) or None
        Peepholes of i, f and o.
    z : ndarray of shape (B, H) or (B, H + K G)
        Initial state: h, and the gates that are fed back.
    c : ndarray of shape (B, H)
        Initial state: cells.
    gain_x, gain_h, gain_c : ndarray of shape (N,), (N,), (H,), or None
        Gains of the normalised W x, R z and c.
    b, b_c : ndarray of shape (N,), (H,), or None
        Biases of the sums and of the normalised c, with gains only.
    """
    (n, N), (batch, H), norm = u.shape, c.shape, gain_h is not None
    raw_x = normalise_input(u, gain_x, b, np.array([0, N])) if norm else None
    made = _Form.of(kind, R, H, p, gain_h)
    values = u if made.plain or N == 4 * H else np.ones((n, 4 * H), u.dtype)  # a gate that does not exist is open
    y, c_before, z_before = np.empty((n, H), u.dtype), np.empty((n, H), u.dtype), np.empty((n, z.shape[1]), u.dtype)
    squashed, raw_c, raw = (np.empty((n if norm else 0, k), u.dtype) for k in (H, H, N))
    weights = (_peepholes(p, kind.gates, u), *(or_empty(w, u, 1) for w in (gain_h, gain_c, b_c)))
    state = z.copy(), c.copy(), np.empty((batch, N), u.dtype)
    saved = (y, values, c_before, z_before, squashed, raw, raw_c)
    run_forward, _ = _loops(made)
    run_forward(layout, reverse, (u, np.ascontiguousarray(R.T), weights, _edges(N, H), state, saved))
    return y, state[:2], ((R, p, gain_x, gain_h, gain_c), saved[1:], raw_x)


def backward(layout: Layout, reverse: bool, saved, dy, dz, dc, *, kind: _Kind):
    """Gradients of u, R, p, z, c, and of gain_x, gain_h, gain_c, b and b_c."""
    (R, p, gain_x, gain_h, gain_c), (values, c_before, z_before, squashed, raw, raw_c), raw_x = saved
    (n, N), (batch, H), norm = (len(values), len(R)), dc.shape, gain_h is not None
    du, d = np.empty((n, N), dy.dtype), np.empty((batch, 4 * H), dy.dtype)
    dp = np.zeros((batch, 0 if p is None else 4 * H), dy.dtype)
    hat, hat_c, dsums, dnormed = raw.copy(), raw_c.copy(), np.empty_like(raw), np.empty_like(raw_c)
    weights = (_peepholes(p, kind.gates, dy), or_empty(gain_h, dy, 1), or_empty(gain_c, dy, 1))
    state = dz.copy(), dc.copy(), dp, d, np.empty_like(dc)
    rest = (weights, _edges(N, H), state, (dy, values, c_before, squashed), (hat, hat_c, dsums, dnormed))
    _, run_backward = _loops(_Form.of(kind, R, H, p, gain_h))
    run_backward(layout, not reverse, (du, R, *rest))
    of_peepholes = None if p is None else dp.sum(0).reshape(4, H)[[k in kind.gates for k in "ifgo"]]
    if not norm:
        return du, tall_product(du, z_before), of_peepholes, *state[:2], *(None,) * 5
    of_gains = gain_gradient(du, hat), gain_gradient(dnormed, hat_c)
    dgain_x, db = normalise_input_back(du, gain_x, np.array([0, N]), raw_x)
    return du, tall_product(dsums, z_before), of_peepholes, *state[:2], dgain_x, *of_gains, db, column_sums(dnormed)


def _edges(N: int, H: int):
    """All sums are normalised together, and so are all cells."""
    return np.array([0, N]), np.array([0, H])


def _peepholes(p, gates: str, like):
    """A row for each of i, f, g and o, without entries if there are no peepholes."""
    if p is None:
        return np.zeros((4, 0), like.dtype)
    rows = np.zeros((4, p.shape[1]), like.dtype)
    rows[[k in gates for k in "ifgo"]] = p
    return rows


@cache
def lstm(gates: str = "ifo", forget: str = "gate", input_activation: str = "tanh", output_activation: str = "tanh") -> Kernel:
    """The kernel with these ``gates``; those that are left out are open, or 1 − i for f where ``forget`` is "coupled"."""
    kind = _Kind(gates, forget, (input_activation, output_activation))
    return Kernel(partial(forward, kind=kind), partial(backward, kind=kind))
