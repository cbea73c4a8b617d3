"""Compiled GRU, also normalised, in both published forms: the reset gate acts after the recurrent product, or on the state before it."""

from __future__ import annotations

import numpy as np

from ._loop import Kernel, Layout, time_loop
from ._math import logistic, tanh
from ._normalise import gain_gradient, normalise, normalise_back, normalise_input, normalise_input_back
from ._product import add_rows, copy_row, copy_rows, matmul, tall_product

NORM = False  # what `time_loop` binds


def _forward_after(arrays, row, first, n):
    gates, R, gain, edges, b_n, h, y, inner, h_before, raw, product = arrays  # gates hold the projected input
    H = h.shape[1]
    end, last = row + n, first + n
    copy_rows(h[first:last], h_before[row:end])
    matmul(h[first:last], R, product[first:last])
    if NORM:
        normalise(product[first:last], gain, edges, raw[row:end])
    for b in range(n):
        r, s = row + b, first + b
        _open(gates[r, : 2 * H], product[s, : 2 * H])
        _forward_after_row((gates[r, :H], gates[r, H : 2 * H], gates[r, 2 * H :]), product[s, 2 * H :], b_n, inner[r], h[s])
    copy_rows(h[first:last], y[row:end])


def _open(gates, sums):
    for j in range(len(gates)):
        gates[j] = logistic(gates[j] + sums[j])


def _forward_after_row(gates, product, b_n, inner, h):
    reset, update, candidate = gates
    one = h.dtype.type(1)
    for j in range(len(h)):
        inner[j] = seen = product[j] + b_n[j]
        candidate[j] = new = tanh(candidate[j] + reset[j] * seen)
        h[j] = update[j] * h[j] + (one - update[j]) * new


def _backward_after(arrays, row, first, n):
    du, R, gain, edges, dh, dy, gates, inner, h_before, hat, dinner, dproduct, passed = arrays
    H = dh.shape[1]
    last = first + n
    at = row if NORM else first  # normalised, what the product gets is kept for the gradient of R
    for b in range(n):
        r, s, to = row + b, first + b, at + b
        values = gates[r, :H], gates[r, H : 2 * H], gates[r, 2 * H :], inner[r], h_before[r]
        dsums = (du[r, :H], du[r, H : 2 * H], du[r, 2 * H :]), (dproduct[to, :H], dproduct[to, H : 2 * H], dproduct[to, 2 * H :])
        _backward_after_row(values, *dsums, dinner[r], dy[r], dh[s])
    if NORM:
        normalise_back(dproduct[at : at + n], gain, edges, hat[row : row + n])
    matmul(dproduct[at : at + n], R, passed[first:last])
    add_rows(passed[first:last], dh[first:last])


def _backward_after_row(values, du, dproduct, dinner, dy, dh):
    (reset, update, candidate, inner, h_before), (du_r, du_z, du_n), (dproduct_r, dproduct_z, dproduct_n) = values, du, dproduct
    one = dh.dtype.type(1)
    for j in range(len(dh)):
        r, z, new = reset[j], update[j], candidate[j]
        d = dh[j] + dy[j]
        dnew = d * (one - z) * (one - new * new)
        du_r[j] = dproduct_r[j] = dnew * inner[j] * r * (one - r)
        du_z[j] = dproduct_z[j] = d * (h_before[j] - new) * z * (one - z)
        du_n[j] = dnew
        dinner[j] = dproduct_n[j] = dnew * r
        dh[j] = d * z


def _forward_before(arrays, row, first, n):
    gates, R, R_n, gain, gain_n, edges, h, y, h_before, raw, raw_n, product, kept, product_n = arrays  # gates hold the projected input
    H = h.shape[1]
    end, last = row + n, first + n
    copy_rows(h[first:last], h_before[row:end])
    matmul(h[first:last], R, product[first:last])
    if NORM:
        normalise(product[first:last], gain, edges[:2], raw[row:end])
    for b in range(n):
        r, s = row + b, first + b
        _open(gates[r, : 2 * H], product[s])
        _keep(gates[r, :H], h[s], kept[s])
    matmul(kept[first:last], R_n, product_n[first:last])
    if NORM:
        normalise(product_n[first:last], gain_n, edges[1:] - edges[1], raw_n[row:end])
    for b in range(n):
        r, s = row + b, first + b
        _forward_before_row(gates[r, H : 2 * H], gates[r, 2 * H :], product_n[s], h[s])
    copy_rows(h[first:last], y[row:end])


def _keep(reset, h, kept):
    for j in range(len(h)):
        kept[j] = reset[j] * h[j]


def _forward_before_row(update, candidate, product, h):
    one = h.dtype.type(1)
    for j in range(len(h)):
        candidate[j] = new = tanh(candidate[j] + product[j])
        h[j] = update[j] * h[j] + (one - update[j]) * new


def _backward_before(arrays, row, first, n):
    du, R, R_n, gain, gain_n, edges, dh, dy, gates, h_before, hat, hat_n, dgates, dnew, dkept, passed = arrays
    H = dh.shape[1]
    last = first + n
    at = row if NORM else first
    for b in range(n):
        r, s, to = row + b, first + b, at + b
        _backward_before_row((gates[r, H : 2 * H], gates[r, 2 * H :], h_before[r]), dgates[to, H:], du[r, 2 * H :], dnew[to], dy[r], dh[s])
    if NORM:
        normalise_back(dnew[at : at + n], gain_n, edges[1:] - edges[1], hat_n[row : row + n])
    matmul(dnew[at : at + n], R_n, dkept[first:last])
    for b in range(n):
        r, s = row + b, first + b
        _keep_back(gates[r, :H], h_before[r], dkept[s], dgates[at + b, :H], dh[s])
    for b in range(n):
        copy_row(dgates[at + b], du[row + b, : 2 * H])
    if NORM:
        normalise_back(dgates[at : at + n], gain, edges[:2], hat[row : row + n])
    matmul(dgates[at : at + n], R, passed[first:last])
    add_rows(passed[first:last], dh[first:last])


def _backward_before_row(values, dupdate, du_n, dnew, dy, dh):
    update, candidate, h_before = values
    one = dh.dtype.type(1)
    for j in range(len(dh)):
        z, new = update[j], candidate[j]
        d = dh[j] + dy[j]
        du_n[j] = dnew[j] = d * (one - z) * (one - new * new)
        dupdate[j] = d * (h_before[j] - new) * z * (one - z)
        dh[j] = d * z


def _keep_back(reset, h_before, dkept, dreset, dh):
    one = dh.dtype.type(1)
    for j in range(len(dh)):
        dreset[j] = dkept[j] * h_before[j] * reset[j] * (one - reset[j])
        dh[j] += dkept[j] * reset[j]


_STEPS = {
    _forward_after: (_open, _forward_after_row),
    _backward_after: (_backward_after_row,),
    _forward_before: (_open, _keep, _forward_before_row),
    _backward_before: (_backward_before_row, _keep_back),
}
_run = {(step, norm): time_loop(step, *rows, NORM=norm) for step, rows in _STEPS.items() for norm in (False, True)}


def forward_after(layout: Layout, reverse: bool, u, R, b_n, h, gain_x=None, gain_h=None, b=None):
    """n = tanh(u_n + r (R_n h + b_n)): outputs, final state and what ``backward_after`` needs.

    Parameters
    ----------
    u : ndarray of shape (n_rows, 3 H)
        Projected input, in the order r z n; becomes the gates. W x, if it is to be normalised.
    R : ndarray of shape (3 H, H)
        Recurrent weights.
    b_n : ndarray of shape (H,)
        Bias inside the reset gate's product.
    h : ndarray of shape (B, H)
        Initial state.
    gain_x, gain_h, b : ndarray of shape (3 H,) or None
        Gains of the normalised W x and R h, and the bias after them.
    """
    (n, width), (batch, H), norm = u.shape, h.shape, gain_h is not None
    raw_x = normalise_input(u, gain_x, b, _edges(H)) if norm else None
    y, inner, h_before, raw = *(_room((n, H), u) for _ in range(3)), _room((n if norm else 0, width), u)
    product, h = _room((batch, width), u), h.copy()
    weights = (np.ascontiguousarray(R.T), gain_h if norm else b_n, _edges(H), b_n)
    _run[_forward_after, norm](layout, reverse, (u, *weights, h, y, inner, h_before, raw, product))
    return y, (h,), (R, gain_x, gain_h, raw_x, u, inner, h_before, raw)


def backward_after(layout: Layout, reverse: bool, saved, dy, dh):
    """Gradients of u, R, b_n, h, gain_x, gain_h and b."""
    R, gain_x, gain_h, raw_x, gates, inner, h_before, raw = saved
    (batch, H), dh, norm = dh.shape, dh.copy(), gain_h is not None
    du, dinner, hat = np.empty_like(gates), np.empty_like(inner), raw.copy()
    dproduct, passed = _room((len(du) if norm else batch, 3 * H), du), np.empty_like(dh)
    weights = (R, gain_h if norm else R[0], _edges(H))
    _run[_backward_after, norm](layout, not reverse, (du, *weights, dh, dy, gates, inner, h_before, hat, dinner, dproduct, passed))
    if not norm:
        dR = np.concatenate([tall_product(du[:, : 2 * H], h_before), tall_product(dinner, h_before)])
        return du, dR, dinner.sum(0), dh, None, None, None
    dgain_h = np.concatenate([gain_gradient(du[:, : 2 * H], hat[:, : 2 * H]), gain_gradient(dinner, hat[:, 2 * H :])])
    dgain_x, db = normalise_input_back(du, gain_x, _edges(H), raw_x)
    return du, tall_product(dproduct, h_before), dinner.sum(0), dh, dgain_x, dgain_h, db


def forward_before(layout: Layout, reverse: bool, u, R, h, gain_x=None, gain_h=None, b=None):
    """n = tanh(u_n + R_n (r h)): outputs, final state and what ``backward_before`` needs; parameters as in ``forward_after``."""
    n, (batch, H), norm = len(u), h.shape, gain_h is not None
    raw_x = normalise_input(u, gain_x, b, _edges(H)) if norm else None
    y, h_before, raws = _room((n, H), u), _room((n, H), u), [_room((n if norm else 0, width), u) for width in (2 * H, H)]
    product, h = _room((batch, 2 * H), u), h.copy()
    weights = (np.ascontiguousarray(R[: 2 * H].T), np.ascontiguousarray(R[2 * H :].T), *_gains(gain_h, R), _edges(H))
    _run[_forward_before, norm](layout, reverse, (u, *weights, h, y, h_before, *raws, product, np.empty_like(h), np.empty_like(h)))
    return y, (h,), (R, gain_x, gain_h, raw_x, u, h_before, raws)


def backward_before(layout: Layout, reverse: bool, saved, dy, dh):
    """Gradients of u, R, h, gain_x, gain_h and b."""
    R, gain_x, gain_h, raw_x, gates, h_before, raws = saved
    (batch, H), dh, norm = dh.shape, dh.copy(), gain_h is not None
    du, rows, hats = np.empty_like(gates), len(gates) if norm else batch, [raw.copy() for raw in raws]
    dgates, dnew, dkept, passed = _room((rows, 2 * H), du), _room((rows, H), du), np.empty_like(dh), np.empty_like(dh)
    weights = (R[: 2 * H], R[2 * H :], *_gains(gain_h, R), _edges(H))
    _run[_backward_before, norm](layout, not reverse, (du, *weights, dh, dy, gates, h_before, *hats, dgates, dnew, dkept, passed))
    kept = gates[:, :H] * h_before
    if not norm:
        dR = np.concatenate([tall_product(du[:, : 2 * H], h_before), tall_product(du[:, 2 * H :], kept)])
        return du, dR, dh, None, None, None
    dR = np.concatenate([tall_product(dgates, h_before), tall_product(dnew, kept)])
    dgain_h = np.concatenate([gain_gradient(du[:, : 2 * H], hats[0]), gain_gradient(du[:, 2 * H :], hats[1])])
    dgain_x, db = normalise_input_back(du, gain_x, _edges(H), raw_x)
    return du, dR, dh, dgain_x, dgain_h, db


def _room(shape, like):
    return np.empty(shape, like.dtype)


def _edges(H):
    """The gates and the candidate are normalised apart."""
    return np.array([0, 2 * H, 3 * H])


def _gains(gain, R):
    """Gains of the gates and of the candidate, or what stands in for them where nothing is normalised."""
    return (R[0], R[0]) if gain is None else np.split(gain, [2 * R.shape[1]])


gru_after = Kernel(forward_after, backward_after)
gru_before = Kernel(forward_before, backward_before)
