"""Compiled LSTM in all its forms: less any gate, coupled, with peepholes, blocks, gates fed back, without squashing, layer-normalised."""

from __future__ import annotations

from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ._activations import ACTIVATIONS
from ._jit import JIT
from ._loop import Kernel, Layout, or_empty, time_loop
from ._math import sigmoid
from ._normalise import gain_gradient, normalise, normalise_back, normalise_input, normalise_input_back
from ._product import column_sums, copy_rows, matmul, tall_product

squash: Any = None  # what `time_loop` binds
slope: Any = None
squash_cell: Any = None
slope_cell: Any = None
INPUT_GATE = FORGET_GATE = OUTPUT_GATE = COUPLED = PEEPHOLE = BLOCKS = NORM = False


@njit(forceinline=True, **JIT)
def _open(gate, span, sums, gates, seen):
    """Sums of one kind of gates become values for each cell; peepholes, if there are any, let the gates see the cells."""
    (k, low, G), (row, first, n), (p, c, z) = gate, span, seen
    H = c.shape[1]
    fed, to, size = low if k == 3 else H + low, k * H, H // G
    for b in range(n):
        r, s = row + b, first + b
        if G == H:
            for j in range(p.shape[1]):
                sums[s, low + j] += p[k, j] * c[s, j]
            for j in range(H):
                gates[r, to + j] = sigmoid(sums[s, low + j])
        else:
            for j in range(p.shape[1]):
                sums[s, low + j // size] += p[k, j] * c[s, j]
            for m in range(G):
                value = sigmoid(sums[s, low + m])
                for j in range(m * size, (m + 1) * size):
                    gates[r, to + j] = value
        for m in range(G if z.shape[1] > H else 0):
            z[s, fed + m] = gates[r, to + m * size]


@njit(forceinline=True, **JIT)
def _open_back(gate, span, du, gates, d, seen):
    """Gradient of the sums from those of the values and of what was fed back; adds to those of peepholes and of the cells that they saw."""
    (k, low, G), (row, first, n), (p, c, at, dp, dc, dz) = gate, span, seen
    H, one = dc.shape[1], dc.dtype.type(1)
    fed, to, size = low if k == 3 else H + low, k * H, H // G
    for b in range(n):
        r, s = row + b, first + b
        for m in range(G if dz.shape[1] > H else 0):
            d[s, to + m * size] += dz[s, fed + m]
        if G == H:
            for j in range(H):
                du[r, low + j] = d[s, to + j] * gates[r, to + j] * (one - gates[r, to + j])
            for j in range(p.shape[1]):
                dp[s, to + j] += du[r, low + j] * c[at + b, j]
            for j in range(p.shape[1]):
                dc[s, j] += du[r, low + j] * p[k, j]
        else:
            for m in range(G):
                total, value = d[s, to + m * size], gates[r, to + m * size]
                for j in range(m * size + 1, (m + 1) * size):
                    total += d[s, to + j]
                du[r, low + m] = total * value * (one - value)
            for j in range(p.shape[1]):
                dp[s, to + j] += du[r, low + j // size] * c[at + b, j]
                dc[s, j] += du[r, low + j // size] * p[k, j]


def _forward(arrays, row, first, n):
    u, R, (p, gain, gain_c, b_c), (edges, edges_c), (z, c, sums), saved = arrays
    y, gates, c_before, z_before, squashed, raw, raw_c = saved
    H, end, last, one, span, seen = c.shape[1], row + n, first + n, c.dtype.type(1), (row, first, n), (p, c, z)
    G = (sums.shape[1] - H) // max(INPUT_GATE + FORGET_GATE + OUTPUT_GATE, 1) if BLOCKS else H
    low_g = G * (INPUT_GATE + FORGET_GATE)
    copy_rows(z[first:last], z_before[row:end])
    copy_rows(c[first:last], c_before[row:end])
    matmul(z[first:last], R, sums[first:last])
    if NORM:
        normalise(sums[first:last], gain, edges, raw[row:end])
    for b in range(n):
        for j in range(sums.shape[1]):
            sums[first + b, j] += u[row + b, j]
    if INPUT_GATE:
        _open((0, 0, G), span, sums, gates, seen)
    if FORGET_GATE:
        _open((1, G * INPUT_GATE, G), span, sums, gates, seen)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            i, g = gates[r, j], squash(sums[s, low_g + j])
            f = one - i if COUPLED else gates[r, H + j]
            gates[r, H + j], gates[r, 2 * H + j] = f, g
            c[s, j] = f * c[s, j] + i * g
    if OUTPUT_GATE:
        _open((3, low_g + H, G), span, sums, gates, seen)
    if NORM:
        copy_rows(c[first:last], squashed[row:end])
        normalise(squashed[row:end], gain_c, edges_c, raw_c[row:end])
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H if NORM else 0):
            squashed[r, j] = squash_cell(squashed[r, j] + b_c[j])
        for j in range(H):
            z[s, j] = y[r, j] = gates[r, 3 * H + j] * (squashed[r, j] if NORM else squash_cell(c[s, j]))


def _backward(arrays, row, first, n):
    du, R, (p, gain, gain_c), (edges, edges_c), (dz, dc, dp, d, dseen), saved, (hat, hat_c, dsums, dnormed) = arrays
    dy, gates, c_before, squashed = saved
    H, end, last, span = dc.shape[1], row + n, first + n, (row, first, n)
    G = (du.shape[1] - H) // max(INPUT_GATE + FORGET_GATE + OUTPUT_GATE, 1) if BLOCKS else H
    low_g = G * (INPUT_GATE + FORGET_GATE)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            d[s, j] = c_now = gates[r, H + j] * c_before[r, j] + gates[r, j] * gates[r, 2 * H + j]
            x = squashed[r, j] if NORM else squash_cell(c_now)
            dh = dz[s, j] + dy[r, j]
            d[s, 2 * H + j], d[s, 3 * H + j] = dh * gates[r, 3 * H + j] * slope_cell(x), dh * x
        for j in range(H if NORM else 0):
            dseen[s, j] = dnormed[r, j] = d[s, 2 * H + j]
    if NORM:
        normalise_back(dseen[first:last], gain_c, edges_c, hat_c[row:end])
    for s in range(first, last):
        for j in range(H):
            dc[s, j] += dseen[s, j] if NORM else d[s, 2 * H + j]
    if OUTPUT_GATE:
        _open_back((3, low_g + H, G), span, du, gates, d, (p, d, first, dp, dc, dz))
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            df = dc[s, j] * c_before[r, j]
            di = dc[s, j] * gates[r, 2 * H + j]
            d[s, j], d[s, H + j], d[s, 2 * H + j] = di - df if COUPLED else di, df, dc[s, j] * gates[r, j]
            dc[s, j] *= gates[r, H + j]
        for j in range(H):
            du[r, low_g + j] = d[s, 2 * H + j] * slope(gates[r, 2 * H + j])
    seen = (p, c_before, row, dp, dc, dz)
    if INPUT_GATE:
        _open_back((0, 0, G), span, du, gates, d, seen)
    if FORGET_GATE:
        _open_back((1, G * INPUT_GATE, G), span, du, gates, d, seen)
    if NORM:
        copy_rows(du[row:end], dsums[row:end])
        normalise_back(dsums[row:end], gain, edges, hat[row:end])
    matmul((dsums if NORM else du)[row:end], R, dz[first:last])


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
        _forward_row(_parts(gates[row + b], H), _parts(sums[s], H), (p[0], p[1], p[3]), c[s], h[s])
    copy_rows(h[first:last], y[row:end])


def _parts(a, H):
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
            a_i[j] = i = sigmoid(a_i[j] + s_i[j] + p_i[j] * c_old if PEEPHOLE else a_i[j] + s_i[j])
        if COUPLED:
            f = one - i
        if FORGET_GATE:
            a_f[j] = f = sigmoid(a_f[j] + s_f[j] + p_f[j] * c_old if PEEPHOLE else a_f[j] + s_f[j])
        a_g[j] = g = squash(a_g[j] + s_g[j])
        c[j] = c_new = f * c_old + i * g
        if OUTPUT_GATE:
            a_o[j] = o = sigmoid(a_o[j] + s_o[j] + p_o[j] * c_new if PEEPHOLE else a_o[j] + s_o[j])
        h[j] = o * squash_cell(c_new)


def _backward_plain(arrays, row, first, n):
    du, R, (p, _, _), _, (dh, dc, dp, _, _), (dy, gates, c_before, _), _ = arrays
    H = dh.shape[1]
    for b in range(n):
        r, s = row + b, first + b
        dpeepholes = dp[s, :H], dp[s, H : 2 * H], dp[s, 3 * H :]
        _backward_row(_parts(du[r], H), _parts(gates[r], H), (p[0], p[1], p[3]), dpeepholes, c_before[r], dy[r], dh[s], dc[s])
    matmul(du[row : row + n], R, dh[first : first + n])


def _backward_row(du, gates, peepholes, dpeepholes, c_before, dy, dh, dc):
    (du_i, du_f, du_g, du_o), (gate_i, gate_f, gate_g, gate_o), (p_i, p_f, p_o), (dp_i, dp_f, dp_o) = du, gates, peepholes, dpeepholes
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
    if form.plain:
        steps, common = ((_forward_plain, _parts, _forward_row), (_backward_plain, _parts, _backward_row)), {**common, "PEEPHOLE": form.peephole}
    else:
        steps, common = ((_forward,), (_backward,)), {**common, "BLOCKS": form.blocks, "NORM": form.norm}
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
