"""Bad input, by the numbers of the page on faults (groups A to E): refused by name, with nothing changed, or survived as documented."""

import re
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.exceptions import DataConversionWarning

from skrnn import cells
from skrnn.training import DivergenceError, DivergenceWarning
from tests.estimators.samples import EQUAL, NAMES, RAGGED, SUPERVISED, TABLE, answers, fit, fitted, make, objects, target

N = len(EQUAL)
Y = {"RNNClassifier": np.arange(N) % 3, "RNNRegressor": np.arange(N) / N}


def refuses(estimator, method, error, match, *args, **kwargs):
    """The call fails as it should, and neither the estimator nor an argument is changed."""
    before = joblib.hash([vars(estimator), args, kwargs])
    with pytest.raises(error, match=match):
        getattr(estimator, method)(*args, **kwargs)
    assert joblib.hash([vars(estimator), args, kwargs]) == before


def first_call(name, method, y):
    """What ``partial_fit`` of a classifier needs when it is called first."""
    return {"classes": np.unique(y)} if (name, method) == ("RNNClassifier", "partial_fit") else {}


def answering(name):
    """The methods that say something of each sequence."""
    return [method for method in ("predict", "transform") if hasattr(make(name), method)]


def case(number, *values):
    return pytest.param(*values, id=number)


def with_value(value, X=EQUAL, dtype=None):
    X = np.array(X, dtype=dtype)
    X[3, 4, 1] = value
    return X


def ragged_with(i, x):
    return [*RAGGED[:i], x, *RAGGED[i + 1 :]]


def nullable():
    frame = pd.DataFrame(TABLE).astype({2: "Float64"})
    frame.loc[5, 2] = pd.NA
    return frame


TOO_LARGE = "Input X contains infinity or a value too large for dtype\\('{}'\\) \\(first at sequence 3, step 4, feature 1\\)"
WHEN = pd.date_range("2020-01-01", periods=N)
REFUSED_X = [
    case("A1", with_value(np.nan), ValueError, r"Input X contains NaN \(first at sequence 3, step 4, feature 1\).*SequenceImputer"),
    case("A1 in a list", ragged_with(7, np.array([[0, 0, np.nan]])), ValueError, "NaN .first at sequence 7, step 0, feature 2"),
    case("A2", with_value(np.inf), ValueError, TOO_LARGE.format("float64")),
    case("A2 negative", with_value(-np.inf, dtype="float32"), ValueError, TOO_LARGE.format("float32")),
    case("A3", with_value(1e39), ValueError, TOO_LARGE.format("float32")),
    case("A3 longdouble", with_value(np.longdouble("1e400"), dtype="longdouble"), ValueError, TOO_LARGE.format("float64")),
    case("A10", EQUAL + 1j, ValueError, "Complex data not supported"),
    case("A10 in a list", ragged_with(2, RAGGED[2] + 1j), ValueError, "Complex data not supported"),
    case("B1", [], ValueError, r"Found array with 0 sample\(s\)"),
    case("B1 array", EQUAL[:0], ValueError, r"Found array with 0 sample\(s\)"),
    case("B2", TABLE[:, :0], ValueError, r"0 feature\(s\) \(shape=\(40, 0\)\) while a minimum of 1 is required."),
    case("B3", EQUAL[:, :, :0], ValueError, r"0 feature\(s\) \(shape=\(40, 6, 0\)\) while a minimum of 1 is required."),
    case("B4", EQUAL[:, :0], ValueError, "sequences of length 0"),
    case("B5", ragged_with(4, np.empty((0, 3))), ValueError, r"sequence 4 is empty \(length 0\)"),
    case("B8", TABLE[0], ValueError, "Reshape your data"),
    case("B9", EQUAL[None], ValueError, r"expected X to be 2-D .* or 3-D .*, got 4-D"),
    case("B9 scalar", np.array(1.0), ValueError, "(?i)expected 2D array, got scalar array|0-D"),
    case("B12", ragged_with(2, np.ones((5, 4))), ValueError, "sequence 2 has 4 features, sequence 0 has 3"),
    case("B14", ragged_with(5, np.ones(3)), ValueError, "sequence 5 is 1-D, sequence 0 is 2-D"),
    case("C6", np.full((N, 6, 3), np.datetime64("2020-01-01")), TypeError, "datetime"),
    case("C6 column", pd.DataFrame(TABLE).assign(when=WHEN), TypeError, "column 'when' of X .*datetime"),
    case("C7", EQUAL.astype(str), ValueError, "dtype='numeric' is not compatible with arrays of bytes/strings"),
    case("C7 bytes", TABLE.astype("S"), ValueError, "dtype='numeric' is not compatible with arrays of bytes/strings"),
    case("C8", objects([{"a": 1}] * N).reshape(N, 1), TypeError, "argument must be .* string.* number"),
    case("C8 in a list", ragged_with(1, objects([{"a": 1}] * 6).reshape(2, 3)), TypeError, "argument must be .* string.* number"),
    case("C9", nullable(), ValueError, "Input X contains NaN .first at sequence 5, step 2, feature 0"),
    case("C9 categories", pd.DataFrame(TABLE).assign(kind=pd.Categorical(["a"] * N)), ValueError, "column 'kind' of X is categorical"),
    case("C10", sparse.csr_matrix(TABLE), TypeError, "Sparse data was passed, but dense data is required"),
    case("C10 array", sparse.csr_array(TABLE), TypeError, "Sparse data was passed, but dense data is required"),
    case("C15", iter(RAGGED), TypeError, "Expected a sequence of arrays, got list_iterator"),
    case("C15 none", None, TypeError, "Expected a sequence of arrays, got NoneType"),
    case("C15 path", "data.csv", TypeError, "Expected a sequence of arrays, got str"),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("X", "error", "match"), REFUSED_X)
def test_X_is_refused(name, X, error, match):
    y = Y.get(name)
    for estimator in (make(name), fitted(name)):
        refuses(estimator, "fit", error, match, X, y)
    refuses(make(name), "partial_fit", error, match, X, y, **first_call(name, "partial_fit", y))
    refuses(fitted(name), "partial_fit", error, match, X, target(fitted(name), EQUAL))
    for method in answering(name):
        refuses(fitted(name), method, error, match, X)
    refuses(fitted(name), "score", error, match, X, y)


FRAME = pd.DataFrame(TABLE, columns=list("abcdef"))
REFUSED_LATER = [
    case("B10", "equal", EQUAL[:, :, [0, 1, 2, 0]], "X has 4 features, but .* is expecting 3 features as input"),
    case("B10 ragged", "ragged", [x[:, :2] for x in RAGGED], "X has 2 features, but .* is expecting 3 features as input"),
    case("B10 columns", "table", TABLE[:, :4], "X has 4 features, but .* is expecting 6 features as input"),
    case("B10 rows", "equal", TABLE, "X has 1 features, but .* is expecting 3 features as input: a 2-D X holds one univariate sequence per row"),
    case("B18", "equal", EQUAL.swapaxes(1, 2), r"X has 6 features, .* expecting 3 .*; did you pass \(n_sequences, n_features, n_steps\)\?"),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("kind", "X", "match"), REFUSED_LATER)
def test_X_unlike_that_of_fit_is_refused(name, kind, X, match):
    estimator = fitted(name, kind)
    for method in answering(name):
        refuses(estimator, method, ValueError, match, X)
    for method in ("score", "partial_fit"):  # D11
        refuses(estimator, method, ValueError, match, X, target(estimator, EQUAL))
    refuses(estimator.set_params(warm_start=True), "fit", ValueError, match, X, target(estimator, EQUAL))


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize(
    "frame",
    [
        case("C11 reordered", FRAME[list("bacdef")]),
        case("C11 renamed", FRAME.rename(columns={"a": "z"})),
        case("C11 more", FRAME.assign(g=1.0)),
    ],
)
def test_other_columns_are_refused(name, frame):
    estimator = fit(name, FRAME)
    for method in ("predict", "transform"):
        refuses(estimator, method, ValueError, "The feature names should match those that were passed during fit", frame)


@pytest.mark.parametrize("name", SUPERVISED)
def test_C12_names_are_missed(name):
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        fit(name, FRAME).predict(TABLE)


@pytest.mark.parametrize("name", SUPERVISED)
def test_C13_duplicate_column_names(name):
    frame = FRAME.set_axis(list("abcdea"), axis=1)
    refuses(make(name), "fit", ValueError, "(?s)unique.*'a'", frame, Y[name])


NAN, INF = (np.where(np.arange(N) == 4, value, np.arange(N) % 2) for value in (np.nan, np.inf))
CLASSES, NUMBERS = ["RNNClassifier"], ["RNNRegressor"]
REFUSED_Y = [
    case("A4", SUPERVISED, NAN, "Input y contains NaN"),
    case("A4 infinity", SUPERVISED, INF, "Input y contains infinity"),
    case("A10", SUPERVISED, np.arange(N) + 1j, "Complex data not supported"),
    case("B15", SUPERVISED, np.arange(N - 1) % 2, r"inconsistent numbers of samples: \[40, 39\]"),
    case("C15", SUPERVISED, None, "requires y to be passed, but the target y is None"),
    case("D2", CLASSES, np.arange(N) + 0.5, "Unknown label type: continuous"),
    case("D4", CLASSES, np.arange(N * 2).reshape(N, 2) % 3, "Unknown label type: multiclass-multioutput"),
    case("D4 3-D", NUMBERS, np.zeros((N, 2, 2)), "Found array with dim 3, while dim <= 2 is required"),
    case("D6", CLASSES, objects([np.ones(2)] * N), "Unknown label type"),
]


@pytest.mark.parametrize(("name", "y", "match"), [case(f"{p.id}-{name}", name, *p.values[1:]) for p in REFUSED_Y for name in p.values[0]])
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning:sklearn")
def test_y_is_refused(name, y, match):
    for estimator in (make(name), fitted(name)):
        refuses(estimator, "fit", ValueError, match, EQUAL, y)
    refuses(fitted(name), "partial_fit", ValueError, match, EQUAL, y)


@pytest.mark.parametrize(
    ("name", "match"), [("RNNClassifier", r"unseen labels: \['new'\]; .*\['high', 'low'\]"), ("RNNRegressor", "Input y contains NaN")]
)
def test_y_val_is_checked_like_y(name, match):
    estimator = make(name)
    y = target(estimator, EQUAL)
    other = np.where(np.arange(N) == 4, "new", y) if is_classifier(estimator) else NAN
    refuses(estimator, "fit", ValueError, match, EQUAL, y, X_val=EQUAL, y_val=other)  # D7
    refuses(estimator, "fit", ValueError, "inconsistent numbers of samples", EQUAL, y, X_val=EQUAL, y_val=other[1:])
    refuses(estimator, "fit", ValueError, "NaN .first at sequence 3, step 4", EQUAL, y, X_val=with_value(np.nan), y_val=y)
    refuses(estimator, "fit", ValueError, "X has 2 features, but .* expecting 3", EQUAL, y, X_val=EQUAL[:, :, :2], y_val=y)


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize(("argument", "value"), [("X_val", with_value(np.nan)), ("y_val", np.full(N, np.nan))])
def test_held_out_data_are_named(name, argument, value):
    y = target(make(name), EQUAL)
    refuses(make(name), "fit", ValueError, f"{argument}.*NaN", EQUAL, y, **{"X_val": EQUAL, "y_val": y} | {argument: value})


@pytest.mark.parametrize("name", SUPERVISED)
def test_held_out_data_come_in_pairs(name):
    estimator = make(name)
    y = target(estimator, EQUAL)
    refuses(estimator, "fit", ValueError, "X_val is provided, but y_val was not provided", EQUAL, y, X_val=EQUAL)
    refuses(estimator, "fit", ValueError, "y_val is provided, but X_val was not provided", EQUAL, y, y_val=y)
    estimator.set_params(early_stopping=False)
    refuses(estimator, "fit", ValueError, "while early_stopping=False", EQUAL, y, X_val=EQUAL, y_val=y)


LABELS = np.arange(N) % 3
PARTIAL = [
    case("D8", False, LABELS, {}, "classes must be passed on the first call to partial_fit."),
    case("D9", False, LABELS, {"classes": [0, 1]}, r"unseen labels: \[2\]; classes should include all valid labels, they are \[0, 1\]"),
    case("D9 later", True, LABELS + 1, {}, r"unseen labels: \[3\]; classes should include all valid labels, they are \[0, 1, 2\]"),
    case("D10", True, LABELS, {"classes": [0, 1]}, r"classes=array\(\[0, 1\]\).* is not the same as on last call to partial_fit"),
    case("D4 labels", True, np.eye(3, dtype=int)[LABELS], {}, "y is multilabel-indicator, but the estimator was fitted on single-label targets"),
]


@pytest.mark.parametrize(("again", "y", "settings", "match"), PARTIAL)
def test_partial_fit_knows_all_classes(again, y, settings, match):
    estimator = make("RNNClassifier")
    if again:
        estimator.partial_fit(EQUAL, LABELS, classes=[0, 1, 2])
    refuses(estimator, "partial_fit", ValueError, match, EQUAL, y, **settings)


def test_partial_fit_knows_the_number_of_outputs():
    estimator = make("RNNRegressor").partial_fit(EQUAL, Y["RNNRegressor"])
    refuses(estimator, "partial_fit", ValueError, r"y has 2 outputs \(columns\), expected 1", EQUAL, np.zeros((N, 2)))


WEIGHTS = [
    case("A9", np.zeros(N), "(?i)weight.*zero"),
    case("A9 negative", np.where(np.arange(N) == 3, -1.0, 1.0), "Negative values in data passed to `sample_weight`"),
    case("A9 NaN", NAN, "Input sample_weight contains NaN"),
    case("A9 infinity", INF, "Input sample_weight contains infinity"),
    case("A9 length", np.ones(N - 1), r"sample_weight.shape == \(39,\), expected \(40,\)"),
    case("A9 2-D", np.ones((N, 2)), "Sample weights must be 1D array or scalar"),
]


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize(("weight", "match"), WEIGHTS)
def test_sample_weight_is_refused(name, weight, match):
    y = target(make(name), EQUAL)
    for estimator in (make(name), fitted(name)):
        refuses(estimator, "fit", ValueError, match, EQUAL, y, sample_weight=weight)
    refuses(make(name), "partial_fit", ValueError, match, EQUAL, y, sample_weight=weight, **first_call(name, "partial_fit", y))


PARAMETERS = [
    ("hidden_size", 0, r"an int in the range \[1, inf\). Got 0 instead"),
    ("hidden_size", 2.5, r"an int in the range \[1, inf\). Got 2.5 instead"),
    ("n_layers", -1, r"an int in the range \[1, inf\). Got -1 instead"),
    ("bidirectional", "yes", "Got 'yes' instead"),
    ("pooling", "median", "'last'.*Got 'median' instead"),
    ("dropout", 1.0, r"a float in the range \[0.0, 1.0\). Got 1.0 instead"),
    ("optimizer", "lbfgs", "'adamw'.*Got 'lbfgs' instead"),
    ("learning_rate", 0.0, r"a float in the range \(0.0, inf\). Got 0.0 instead"),
    ("schedule", "linear", "'one_cycle'.*Got 'linear' instead"),
    ("max_epochs", 0, r"an int in the range \[1, inf\). Got 0 instead"),
    ("batch_size", 0, r"an int in the range \[1, inf\) or None. Got 0 instead"),
    ("alpha", -1e-3, r"a float in the range \[0.0, inf\). Got -0.001 instead"),
    ("clip_norm", 0.0, r"a float in the range \(0.0, inf\) or None. Got 0.0 instead"),
    ("clip_value", -1.0, r"a float in the range \(0.0, inf\) or None. Got -1.0 instead"),
    ("rule", "hebb", "'truncated_bptt'.*Got 'hebb' instead"),
    ("early_stopping", "always", "'auto'.*Got 'always' instead"),
    ("validation_fraction", 1.0, r"a float in the range \(0.0, 1.0\). Got 1.0 instead"),
    ("n_iter_no_change", 0, r"an int in the range \[1, inf\). Got 0 instead"),
    ("tol", -1.0, r"a float in the range \[0.0, inf\). Got -1.0 instead"),
    ("dtype", "float16", "'float32'.*Got 'float16' instead"),
    ("n_threads", 0, "'auto'.*Got 0 instead"),
    ("random_state", "seed", "Got 'seed' instead"),
    ("cell", 3, "Got 3 instead"),
    ("cell", "rnn", re.escape(str(sorted(cell.lower() for cell in cells.__all__))) + "; got 'rnn'"),
    ("device", "cuda:99", "is 'cuda:99', which torch cannot use here"),
    ("device", "abacus", "is 'abacus', which torch cannot use here"),
]


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize(("parameter", "value", "match"), [case(f"E10 {p}={v}", p, v, m) for p, v, m in PARAMETERS])
def test_parameter_is_refused(name, parameter, value, match):
    y = target(make(name), EQUAL)
    match = f"The '{parameter}' parameter .*{match}"
    for estimator in (make(name), fitted(name)):
        refuses(estimator.set_params(**{parameter: value}), "fit", ValueError, match, EQUAL, y)
    estimator = make(name).set_params(**{parameter: value})
    refuses(estimator, "partial_fit", ValueError, match, EQUAL, y, **first_call(name, "partial_fit", y))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("name", SUPERVISED)
def test_a_device_that_is_not_there(name):
    refuses(make(name, device="cuda"), "fit", ValueError, "'device' parameter of RNN.* is 'cuda', which torch cannot use here", EQUAL, Y[name])


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        case("D13", {7: 1.0}, r"\[0, 1, 2\], are not in class_weight"),
        case("E10", "even", "The 'class_weight' parameter of RNNClassifier .*'balanced'.* Got 'even' instead"),
    ],
)
def test_class_weight_is_refused(weights, match):
    refuses(make("RNNClassifier", class_weight=weights), "fit", ValueError, match, EQUAL, LABELS)


@pytest.mark.parametrize("weights", [{0: -1.0}, {0: 0.0, 1: 0.0, 2: 0.0}])
def test_class_weights_without_sense_are_refused(weights):
    refuses(make("RNNClassifier", class_weight=weights), "fit", ValueError, "(?i)weight", EQUAL, LABELS)


ONE_OF_ITS_KIND = np.r_[np.zeros(N - 1, int), 1]
SPLITS = [
    case("E9 none left", SUPERVISED, 0.99, LABELS, "validation_fraction=0.99 of 40 sequences leaves 0 to train on"),
    case("E9 class not held out", CLASSES, 0.02, LABELS, "validation_fraction=0.02 of 40 sequences holds 1 out .* every one of the 3 classes"),
    case(
        "E9 class not trained on",
        CLASSES,
        0.97,
        LABELS,
        "validation_fraction=0.97 of 40 sequences .* leaves 1 to train on; both need every one of the 3 classes",
    ),
    case("E9 a class of one", CLASSES, 0.1, ONE_OF_ITS_KIND, "validation_fraction=0.1 of 40 sequences .* the smallest has 1"),
]


@pytest.mark.parametrize(("name", "share", "y", "match"), [case(f"{p.id}-{name}", name, *p.values[1:]) for p in SPLITS for name in p.values[0]])
def test_held_out_share_is_refused(name, share, y, match):
    refuses(make(name, early_stopping=True, validation_fraction=share), "fit", ValueError, match, EQUAL, y)


# What is survived.


def scaled(factor, X=EQUAL):
    return X * factor


def with_sequence(factor):
    return np.concatenate([EQUAL[:-1], np.full((1, 6, 3), factor)])


def with_constant_feature(value):
    X = EQUAL.copy()
    X[:, :, 1] = value
    return X


SURVIVED = [
    case("A5", with_sequence(1e18), {}),
    case("A5 not standardized", with_sequence(1e18), {"standardize": False}),
    case("A6 small", scaled(1e-12), {}),
    case("A6 large", scaled(1e6), {}),
    case("A6 large, not standardized", scaled(1e6), {"standardize": False}),
    case("A7", with_constant_feature(7.1), {}),
    case("A7 zero", with_constant_feature(0.0), {}),
    case("A7 all", np.full((N, 6, 3), 1e-3), {}),
    case("A12", scaled(1e-310), {}),
    case("A12 float32", scaled(1e-40).astype("float32"), {}),
    case("B6", EQUAL[:, :1], {}),
    case("B7", EQUAL[:1], {}),
    case("E11", EQUAL, {"batch_size": 1000}),
    case("E11 one", EQUAL[:8], {"batch_size": 1}),
]


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize(("X", "settings"), SURVIVED)
@pytest.mark.filterwarnings("error")
def test_survived(name, X, settings):
    before = joblib.hash(X)
    estimator = make(name, **settings)
    y = Y[name][: len(X)]
    for _ in range(2):
        assert np.isfinite(answers(estimator.fit(X, y), X)).all()
    assert joblib.hash(X) == before


@pytest.mark.parametrize("name", SUPERVISED)
def test_A5_one_huge_sequence_does_not_stop_learning(name):
    X = with_sequence(1e18)
    estimator = make(name, standardize=False, max_epochs=60)
    y = target(estimator, EQUAL)
    assert estimator.fit(X, y).score(EQUAL[:-1], y[:-1]) > 0.8


@pytest.mark.parametrize("name", SUPERVISED)
def test_A6_standardized_features_have_no_scale(name):
    expected = answers(fit(name, EQUAL), EQUAL)
    for factor in (2.0**-40, 2.0**20):
        X, y = scaled(factor), target(make(name), EQUAL)
        np.testing.assert_allclose(answers(make(name).fit(X, y), X), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", SUPERVISED)
def test_A12_subnormal_numbers_are_zero(name):
    y = Y[name]
    np.testing.assert_allclose(answers(make(name).fit(scaled(1e-310), y), EQUAL), answers(make(name).fit(scaled(0.0), y), EQUAL), atol=1e-6)


@pytest.mark.parametrize("value", [3.3, 0.0, -1e12, 1e300])
@pytest.mark.filterwarnings("error")
def test_A8_a_constant_target_is_predicted(value):
    np.testing.assert_allclose(make("RNNRegressor").fit(EQUAL, np.full(N, value)).predict(EQUAL), value, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"class_weight": "balanced"}])
@pytest.mark.parametrize("label", ["only", 7, False])
def test_D1_a_single_class_is_always_predicted(label, settings):
    estimator = make("RNNClassifier", **settings).fit(EQUAL, [label] * N)
    assert estimator.predict(EQUAL).tolist() == [label] * N
    np.testing.assert_array_equal(estimator.predict_proba(EQUAL), np.ones((N, 1)))
    np.testing.assert_array_equal(estimator.predict_log_proba(EQUAL), np.zeros((N, 1)))


@pytest.mark.parametrize("name", SUPERVISED)
def test_D3_a_column_vector_is_raveled(name):
    y = target(make(name), EQUAL)
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed when a 1d array was expected"):
        estimator = make(name).fit(EQUAL, y[:, None])
    np.testing.assert_array_equal(estimator.predict(EQUAL), fitted(name).predict(EQUAL))


def test_D12_a_class_that_is_given_but_absent_keeps_its_column():
    estimator = make("RNNClassifier").partial_fit(EQUAL, LABELS % 2, classes=[0, 1, 5])
    assert estimator.predict_proba(EQUAL).shape == (N, 3)
    np.testing.assert_array_equal(estimator.classes_, [0, 1, 5])


def memmap(X, folder):
    X.tofile(folder / "X")
    return np.memmap(folder / "X", X.dtype, "r", shape=X.shape)


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


# Zeros and ones, which every type holds.
BITS = np.random.default_rng(0).integers(0, 2, size=(N, 6, 3))
SAME = [
    case("C1", "float64", lambda X, folder: read_only(X)),
    case("C1 memmap", "float64", memmap),
    case("C1 memmap float32", "float32", memmap),
    case("C2", "float64", lambda X, folder: np.asfortranarray(X)),
    case("C2 strided", "float64", lambda X, folder: X.repeat(2, axis=1)[:, ::2]),
    case("C2 negative strides", "float64", lambda X, folder: X[:, ::-1].copy()[:, ::-1]),
    *(case(f"C3 {dtype}", "float32", lambda X, folder, dtype=dtype: X.astype(dtype)) for dtype in ("float16", "bool", "int8", "uint8", "int16")),
    *(case(f"C3 {dtype}", "float64", lambda X, folder, dtype=dtype: X.astype(dtype)) for dtype in ("int32", "uint32", "int64", "uint64")),
    *(case(f"C4 {dtype}", "float64", lambda X, folder, dtype=dtype: X.astype(dtype)) for dtype in (">f8", "longdouble", "object")),
    case("C4 >f4", "float32", lambda X, folder: X.astype(">f4")),
    case("C5", "float64", lambda X, folder: torch.tensor(X)),
    case("C5 requires grad", "float64", lambda X, folder: torch.tensor(X, requires_grad=True)),
    case("C5 bfloat16", "float32", lambda X, folder: torch.tensor(X).bfloat16()),
    case("C5 half", "float32", lambda X, folder: torch.tensor(X).half()),
    case("B13", "float64", lambda X, folder: list(X)),
    case("B13 lists", "float64", lambda X, folder: X.tolist()),
    case("B13 objects", "float64", lambda X, folder: objects(list(X))),
    case("B13 frames", "float64", lambda X, folder: [pd.DataFrame(x) for x in X]),
    case("B13 tensors", "float64", lambda X, folder: [torch.tensor(x) for x in X]),
]


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize(("dtype", "dress"), SAME)
@pytest.mark.filterwarnings("error")
def test_the_same_numbers_give_the_same_bits(name, dtype, dress, tmp_path):
    X = dress(BITS.astype(dtype), tmp_path)
    y, before = target(make(name), BITS.astype(dtype)), joblib.hash(X)
    expected = answers(make(name).fit(BITS.astype(dtype), y), BITS.astype(dtype))
    np.testing.assert_array_equal(answers(make(name).fit(X, y), X), expected)
    assert joblib.hash(X) == before  # C16


# Training that goes wrong.

WILD = {"learning_rate": 1e30, "clip_norm": None}


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::skrnn.training.DivergenceWarning")
def test_E3_training_that_cannot_be_saved_says_what_to_change(name):
    with pytest.raises(
        DivergenceError,
        match=r"infinite or NaN, or grew a thousandfold, in epoch .*learning_rate=1.25e\+29. Use a smaller learning_rate, .*clip_norm=1.0",
    ):
        fit(name, EQUAL, max_epochs=20, **WILD)


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::skrnn.training.DivergenceWarning")
def test_E3_training_that_cannot_be_saved_changes_nothing(name):
    for estimator in (make(name), fitted(name)):
        refuses(estimator.set_params(max_epochs=20, **WILD), "fit", DivergenceError, "infinite or NaN", EQUAL, target(estimator, EQUAL))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_E2_training_goes_on_from_the_best_weights():
    estimator = make("RNNRegressor", cell="elman", optimizer="sgd", learning_rate=0.3, schedule="constant", clip_norm=None, max_epochs=60)
    with pytest.warns(DivergenceWarning, match=r"restored the best weights so far, learning_rate 0.3 -> 0.15") as record:
        estimator.fit(EQUAL, target(estimator, EQUAL))
    assert {warning.filename for warning in record} == {__file__}
    assert estimator.n_iter_ == 60
    assert estimator.score(EQUAL, target(estimator, EQUAL)) > 0.9


@pytest.mark.parametrize("name", SUPERVISED)
def test_E4_a_loss_that_explodes_and_stays_finite_is_divergence(name):
    settings = {"learning_rate": 1e10, "clip_norm": None, "max_epochs": 8}
    with warnings.catch_warnings(action="ignore"):
        refuses(make(name, **settings), "fit", DivergenceError, "grew a thousandfold", EQUAL, Y[name])


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_A5_numbers_whose_square_overflows(name):
    refuses(make(name, dtype="float64"), "fit", ValueError, "X contains values too large to be standardised", scaled(1e200), Y[name])


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_A5_targets_whose_square_overflows():
    refuses(make("RNNRegressor"), "fit", ValueError, "y contains a value too large to be standardised", EQUAL, Y["RNNRegressor"] * 1e200)


@pytest.mark.parametrize("name", SUPERVISED)
def test_A3_too_large_after_standardisation(name):
    refuses(fit(name, scaled(1e-12)), "predict", ValueError, "too large", scaled(1e30))
