"""Published experiments run again: what the paper found, what comes out here, and the CPU seconds that it took.

With ``--json`` the figures go into the file from which the page "Reproductions" of the documentation is made; rows that were not run stay.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from skrnn.cells import GRU, LSTM, Elman, Skip
from skrnn.engine import limit_threads

from . import _experiments as experiments
from . import _history_experiments as history
from . import _memory_experiments as memory
from . import _story_experiments as stories
from . import _text_experiments as text
from ._guessing import guess_parity
from ._lstm_1997 import solve
from ._timing import machine, progress, table

Figures = dict[str, float]


@dataclass(frozen=True)
class Reproduction:
    """An experiment of a paper: ``published`` is what the paper says, ``run`` gives our figures by name, from a file if it ``needs`` one."""

    name: str
    paper: str
    system: str
    published: str
    run: Callable[[], Figures]
    needs: Path | None = None

    @property
    def text(self) -> dict[str, str]:
        return {"paper": self.paper, "system": self.system, "published": self.published}


def _xor_in_time() -> Figures:
    first, xor, second = np.mean([experiments.xor_in_time(seed) for seed in range(10)], axis=0)
    return {"error at XOR bits, mean of 10": xor, "at random bits": (first + second) / 2}


def _reber(cell: LSTM, hidden_size: int, most: int, batch_size: int) -> Figures:
    counts = np.array([experiments.strings_until_solved(cell, hidden_size, most, seed, batch_size) for seed in range(10)])
    solved = np.isfinite(counts)
    return {"runs of 10 solved": solved.sum(), "strings, mean of those": counts[solved].mean(), "most": counts[solved].max()}


def _temporal_order_6a() -> Figures:
    n, wrong = np.array([solve(seed) for seed in range(20)]).T
    solved = n < 100_000
    return {
        "runs of 20 solved within 100,000": solved.sum(),
        "sequences, mean of those": n[solved].mean(),
        "least": n[solved].min(),
        "most": n[solved].max(),
        "wrong of 2,560, mean of those": wrong[solved].mean(),
    }


def _temporal_order_50() -> Figures:
    means = {name: np.mean([experiments.temporal_order(cell, seed) for seed in range(3)]) for name, cell in experiments.ORDERS.items()}
    return {f"accuracy, {name}, mean of 3": mean for name, mean in means.items()}


def _adding(cell: Any, n_steps: int, n_seeds: int) -> Figures:
    errors = [experiments.adding_with_gates(cell, n_steps, seed) for seed in range(n_seeds)]
    return {"sequences": 5000 * (10 if n_steps == 50 else 15), f"squared error, worst of {n_seeds}": max(errors)}


def _adding_rectified() -> Figures:
    return {"sequences": 5000 * 20, "squared error": experiments.adding_with_rectified_units(0)}


def _continual() -> Figures:
    outer = experiments.outer_letters_of_a_stream
    return {"outer letters right, forget gate": outer("gate"), "without": outer("none")}


def _counting(n_letters: int) -> Figures:
    return {"right to n": experiments.counts_to(n_letters)}


def _recall() -> Figures:
    return {
        "right after 30 steps, Skip(Elman(), delay=15)": experiments.delayed_recall(Skip(Elman(), delay=15)),
        "Elman": experiments.delayed_recall(Elman()),
    }


def _memory() -> Figures:
    return {f"centre at rate {a}": np.mean([experiments.centre(experiments.memory_curve(a, seed)) for seed in range(5)]) for a in experiments.RATES}


def _waveform() -> Figures:
    worst, best = max(experiments.waveform(experiments.OCTAVES, 64, s) for s in range(2)), min(experiments.waveform(Elman(), 48, s) for s in range(2))
    return {"squared error, clockwork, worse of 2": worst, "Elman of as many weights, better of 2": best}


def _gru_variants() -> Figures:
    return {f"accuracy, {gates}": experiments.digits_by_rows(gates) for gates in ("full", "gru1", "gru2", "gru3")}


def _plans() -> Figures:
    return {"symbols right, worst of 5": min(experiments.plans(seed) for seed in range(5))}


def _delayed_xor() -> Figures:
    return {"right": experiments.delayed_xor()}


def _sorting(n_numbers: int) -> Figures:
    return {f"right, seed {seed}": experiments.sorted_right(n_numbers, seed) for seed in range(3)}


def _hull() -> Figures:
    return {f"right, seed {seed}": experiments.hulls_right(seed) for seed in range(3)}


def _rhythms(algorithm: str) -> Figures:
    clusters, bits = zip(*(experiments.rhythms_found(seed, algorithm) for seed in range(3)), strict=True)
    return {f"NMI of clusters and kinds, seed {seed}": found for seed, found in enumerate(clusters)} | {"of bits and factors, worst": min(bits)}


def _crowds() -> Figures:
    return {f"NMI of groups and kinds, seed {seed}": experiments.rhythms_crowd(seed) for seed in range(3)}


def _stories(task: str, hops: tuple[int, ...]) -> Figures:
    figures = {f"errors, {n} hop{'s' * (n > 1)}, seed {seed}": stories.story_error(task, seed, n_hops=n) for n in hops for seed in range(3)}
    return figures | {"LSTM on the flat text": stories.flat_story_error(task, 0)}


def _formulas() -> Figures:
    depth_4, depth_6 = np.min([experiments.formulas_right(seed) for seed in range(3)], axis=0)
    of_nodes = np.min([experiments.formulas_right(seed, per_node=True) for seed in range(3)], axis=0)
    rows = experiments.formulas_right_as_rows(0)
    return {
        "right at depth 4, worst of 3": depth_4,
        "at depth 6": depth_6,
        "learned from all nodes, at depth 4": of_nodes[0],
        "from all nodes, at depth 6": of_nodes[1],
        "LSTM over the words, depth 4": rows[0],
        "LSTM, depth 6": rows[1],
    }


def _parity(name: str) -> Figures:
    trials, right = zip(*(guess_parity(name, seed) for seed in range(20)), strict=True)
    return {"trials, mean of 20": np.mean(trials), "median": np.median(trials), "right on 100 others, least": min(right)}


def _markov() -> Figures:
    bits = {cell: text.bits_beside_entropy(cell) for cell in ("lstm", "gru")}
    return {f"bits a symbol, {cell.upper()}": found for cell, (found, _) in bits.items()} | {"entropy": bits["lstm"][1]}


def _phonemes() -> Figures:
    figures = {}
    for name, bidirectional in {"both directions": True, "one direction": False}.items():
        errors = np.array([text.phoneme_errors(seed, bidirectional) for seed in range(5)])
        figures[f"labels wrong after 400 updates, {name}, mean of 5"] = errors[:, -1].mean()
        figures[f"updates until 5 %, {name}, mean of 5"] = np.mean([text.updates_until_five_percent(run) for run in errors])
    return figures


def _text_lines() -> Figures:
    return {"lines without an error, worst of 3": min(text.lines_read(seed) for seed in range(3))}


def _noisy_lines() -> Figures:
    means = np.mean([text.noisy_lines(seed) for seed in range(3)], axis=0)
    return {f"labels wrong, {way}, mean of 3": mean for way, mean in zip(("greedy", "beam", "beam and language model"), means, strict=True)}


def _chorales() -> Figures:
    return {"nats a frame": text.chorales()}


def _copying() -> Figures:
    worst, best = min(text.appointments_exact(True, seed) for seed in range(3)), max(text.appointments_exact(False, seed) for seed in range(3))
    return {"exact with copying, worst of 3": worst, "without, best of 3": best}


def _first_of_22() -> Figures:
    surprises, accuracies, came_back = zip(*(history.first_of_22_symbols(seed) for seed in range(5)), strict=True)
    return {"surprises a string, most of 5": max(surprises), "right, worst of 5": min(accuracies), "runs in which all came back": sum(came_back)}


def _first_of_1200() -> Figures:
    fewer, accuracies, came_back = zip(*(history.first_of_1200_steps(seed) for seed in range(5)), strict=True)
    alone = max(history.first_of_1200_steps_by_one_network(seed) for seed in range(5))
    figures = {"times fewer steps, least of 5": min(fewer), "right, worst of 5": min(accuracies), "runs in which all came back": sum(came_back)}
    return figures | {"right by one Elman network, best of 5": alone}


def _automatizer() -> Figures:
    return {
        f"nats at the last symbol, {name}": np.mean([history.surprise_at_the_end(seed, distill=distill) for seed in range(3)])
        for name, distill in {"alone, mean of 3": False, "with what the level above knows": True}.items()
    }


def _overlaps(rule: str, loads: tuple[float, ...], flipped: tuple[float, ...] = (0.0,)) -> Figures:
    figures = {}
    for load in loads:
        for share in flipped:
            start = "the patterns" if share == 0 else f"{share:.0%} flipped"
            figures[f"overlap at load {load}, from {start}, mean of 5"] = np.mean([experiments.overlap(rule, load, seed, share) for seed in range(5)])
    return figures


def _one_step() -> Figures:
    return {f"relative error at β = {beta}, worst of 5": max(experiments.error_of_one_step(beta, seed) for seed in range(5)) for beta in (1.0, 0.1)}


def _bits(task: Callable[[int, memory.Network], float], machine: memory.Network, lstm: memory.Network, n_seeds: int) -> Figures:
    return {
        f"bits, {name}{f', mean of {n_seeds}' if n_seeds > 1 else ''}": np.mean([task(seed, network) for seed in range(n_seeds)])
        for name, network in {"NTM": machine, "LSTM of as many weights": lstm}.items()
    }


def _copy_memory() -> Figures:
    figures = {}
    for name, network in {"NTM": memory.MACHINE, "LSTM of as many weights": memory.LSTM}.items():
        found = np.array([memory.copies(seed, network) for seed in range(5)])
        worst = found.max(0) if network is memory.MACHINE else found.min(0)
        which = "worst" if network is memory.MACHINE else "best"
        figures |= {f"{what}, {name}, {which} of 5": value for what, value in zip(("bits", "wrong at 8", "wrong at 10"), worst, strict=True)}
    return figures


def _dynamic_ngrams() -> Figures:
    least, error = memory.least_bits_of_ngrams()
    return _bits(memory.dynamic_ngrams, memory.MACHINE, memory.LSTM, 1) | {"Bayes": least, "its standard error": error}


HOCHREITER = "Hochreiter & Schmidhuber (1997)"
ORDER_MATTERS = "Vinyals, Bengio & Kudlur (2016)"
CHUNKING = "Schmidhuber (1992)"
UNSUPERVISED = "Klapper-Rybicka, Schraudolph & Schmidhuber (2001)"
GRAVES = "Graves et al. (2014)"
GUESSING = "Schmidhuber & Hochreiter (1996)"
REPRODUCTIONS = [
    Reproduction("markov", "Shannon (1948)", "RNNLanguageModel: source of order two", "none below the entropy of the source", _markov),
    Reproduction(
        "hopfield",
        "Hopfield (1982)",
        "HopfieldNetwork: random patterns of 500 units",
        "some 0.15 n are remembered before errors are severe; 0.138 n in theory",
        partial(_overlaps, "hebb", (0.05, 0.12, 0.138, 0.18)),
    ),
    Reproduction(
        "pseudo-inverse",
        "Personnaz et al. (1985)",
        "HopfieldNetwork, pinv: random patterns of 500 units",
        "up to n patterns are kept without an error",
        partial(_overlaps, "pinv", (0.2, 0.8)),
    ),
    Reproduction("plans", "Jordan (1986)", "Jordan: 8 plans unroll into 8 strings", "it learns them", _plans),
    Reproduction("delayed-xor", "Williams & Zipser (1989)", "FullyRecurrent by RTRL: XOR of two steps ago", "it learns it", _delayed_xor),
    Reproduction(
        "xor-in-time", "Elman (1990)", "Elman: every third bit is the XOR of two", "error falls at every third bit only (figure)", _xor_in_time
    ),
    Reproduction(
        "letters", "Elman (1990)", "Elman by copy-back: syllables", "low error at vowels and in bit 1, high in bit 4 (figures)", experiments.letters
    ),
    Reproduction(
        "first-of-22",
        CHUNKING,
        "HistoryCompressor, Elman, 3 steps of gradient: the first of 21 symbols",
        "13 of 17 runs within 5,000 strings, all within 35,000; one network: none in 1,000,000",
        _first_of_22,
    ),
    Reproduction("first-of-1200", CHUNKING, "HistoryCompressor, Elman: the first of 1,200 symbols", "no such experiment", _first_of_1200),
    Reproduction(
        "automatizer", CHUNKING, "HistoryCompressor, LSTM, distill=True: the last of 22 symbols", "the lower network learns it alone", _automatizer
    ),
    Reproduction("skip", "Lin et al. (1996)", "Skip: recall after 30 steps", "connections over several steps bridge longer gaps", _recall),
    Reproduction("parity-A1", GUESSING, "guessing, A1: parity of 500–600 steps", "2,906 trials", partial(_parity, "A1")),
    Reproduction("parity-A2", GUESSING, "guessing, A2: parity of 500–600 steps", "2,797 trials", partial(_parity, "A2")),
    Reproduction("parity-A2-plain", GUESSING, "guessing, A2 without self-connections", "250 trials", partial(_parity, "A2 without self-connections")),
    Reproduction(
        "reber",
        HOCHREITER,
        "LSTM without forget gate, 8 cells: embedded Reber",
        "9,500 strings (4 cells), 97 % of runs",
        partial(_reber, experiments.CELL_OF_1997, 8, 12_000, 1),
    ),
    Reproduction(
        "reber-blocks",
        HOCHREITER,
        "LSTM, 3 blocks of 2 cells: embedded Reber",
        "8,440 strings, 100 % of runs",
        partial(_reber, experiments.BLOCKS_OF_1997, 6, 40_000, 4),
    ),
    Reproduction("adding-lstm", HOCHREITER, "LSTM: adding over 100 steps", "74,000 sequences", partial(_adding, LSTM(), 100, 5)),
    Reproduction(
        "storkey",
        "Storkey (1997)",
        "HopfieldNetwork, storkey: random patterns of 500 units",
        "more than by Hebb's rule: n / √(2 ln n), 0.28 n here",
        partial(_overlaps, "storkey", (0.2, 0.35), (0.0, 0.1)),
    ),
    Reproduction(
        "temporal-order-6a",
        HOCHREITER,
        "LSTM of 1997 by its own rule: order of two symbols",
        "31,390 sequences, 1 of 2,560 wrong",
        _temporal_order_6a,
    ),
    Reproduction(
        "temporal-order-50", HOCHREITER, "LSTM and Elman with Adam: order over 50 steps", "LSTM learns it, others do not", _temporal_order_50
    ),
    Reproduction("continual-reber", "Gers et al. (2000)", "LSTM with and without forget gate: a stream", "only with forget gates", _continual),
    Reproduction("counting-2", "Gers & Schmidhuber (2001)", "LSTM with peepholes: aⁿbⁿ from n ≤ 10", "right far beyond", partial(_counting, 2)),
    Reproduction("counting-3", "Gers & Schmidhuber (2001)", "LSTM with peepholes: aⁿbⁿcⁿ from n ≤ 10", "right beyond", partial(_counting, 3)),
    Reproduction(
        "bingo-local",
        UNSUPERVISED,
        "BingoCluster, local rule: pulses of 2 × 2 kinds",
        "rhythms are told apart",
        partial(_rhythms, "local"),
    ),
    Reproduction(
        "bingo-joint",
        UNSUPERVISED,
        "BingoCluster, joint codes: pulses of 2 × 2 kinds",
        "rhythms are told apart",
        partial(_rhythms, "joint"),
    ),
    Reproduction("neo", UNSUPERVISED, "NeoTransformer, k-means: pulses of 2 × 2 kinds", "rhythms are told apart", _crowds),
    Reproduction(
        "phonemes",
        "Graves et al. (2006)",
        "SequenceTranscriber, LSTM: generated phonemes",
        "speech read without an alignment, in both directions",
        _phonemes,
    ),
    Reproduction("memory-curve", "Jaeger et al. (2007)", "Leaky: delay about which memory lies", "a smaller rate remembers longer", _memory),
    Reproduction(
        "text-lines", "Graves et al. (2009)", "SequenceTranscriber, Conv1d, LSTM: lines of text", "handwriting, read without cutting it", _text_lines
    ),
    Reproduction("waveform", "Koutník et al. (2014)", "Clockwork: a wave of four sines", "less error than the others", _waveform),
    Reproduction("adding-gru", "Cho et al. (2014)", "GRU: adding over 100 steps", "no such experiment", partial(_adding, GRU(), 100, 1)),
    Reproduction(
        "chorales",
        "Chung et al. (2014)",
        "RNNLanguageModel, LSTM of 36: Bach's chorales",
        "8.67 nats a frame; Bai et al. (2018): 8.45 with more weights",
        _chorales,
        text.CHORALES,
    ),
    Reproduction(
        "ntm-copy",
        GRAVES,
        "NeuralTuringMachine: copy of 1 to 6 vectors, then of 8 and 10",
        "copies of 120 after learning 20; an LSTM fails beyond 20",
        _copy_memory,
    ),
    Reproduction(
        "ntm-repeat-copy",
        GRAVES,
        "NeuralTuringMachine: repeat copy, up to 4 vectors 4 times",
        "learned sooner than by an LSTM",
        partial(_bits, memory.repeat_copy, memory.MACHINE, memory.LSTM, 3),
    ),
    Reproduction(
        "ntm-recall",
        GRAVES,
        "NeuralTuringMachine: associative recall, 2 to 6 items",
        "near 0 after 30,000 sequences; an LSTM not after a million",
        partial(_bits, memory.associative_recall, memory.WITH_ROOM_FOR_ITEMS, memory.LSTM_BESIDE_ROOM, 1),
    ),
    Reproduction(
        "ntm-ngrams", GRAVES, "NeuralTuringMachine: dynamic 6-grams of 200 bits", "nearer to the optimum than an LSTM (figure)", _dynamic_ngrams
    ),
    Reproduction(
        "ntm-sort",
        GRAVES,
        "NeuralTuringMachine, feed-forward, four heads: the first 4 of 6 vectors",
        "fewer bits than an LSTM (figure)",
        partial(_bits, memory.priority_sort, memory.WITH_FOUR_HEADS, memory.LSTM_BESIDE_FOUR_HEADS, 3),
    ),
    Reproduction(
        "noisy-lines",
        "Hannun et al. (2014)",
        "SequenceTranscriber: beam and language model on noisy lines",
        "with a language model speech is read with far fewer errors",
        _noisy_lines,
    ),
    Reproduction(
        "adding-irnn",
        "Le et al. (2015)",
        "Elman, rectified, from the identity: adding over 50 steps",
        "solved for 150 to 400 steps",
        _adding_rectified,
    ),
    Reproduction(
        "adding-cifg",
        "Greff et al. (2017)",
        "LSTM, coupled gates: adding over 100 steps",
        "no such experiment",
        partial(_adding, LSTM(forget="coupled"), 100, 1),
    ),
    Reproduction(
        "convex-hull", "Vinyals et al. (2015)", "PointerNetwork: convex hulls of 5 to 10 points", "trained on 5 to 50: 92 % of 5, 87 % of 10", _hull
    ),
    Reproduction("formulas", "Tai et al. (2015)", "TreeClassifier, NAryLSTM: Boolean formulas of depth 2 to 4", "no such experiment", _formulas),
    Reproduction(
        "tree-levels",
        "Tai et al. (2015)",
        "NAryLSTM: level by level and node by node",
        "their code goes node by node",
        experiments.levels_beside_nodes,
    ),
    Reproduction("sorting-5", ORDER_MATTERS, "PointerNetwork: sorting 5 numbers", "81 % after 10,000 updates", partial(_sorting, 5)),
    Reproduction("sorting-10", ORDER_MATTERS, "PointerNetwork: sorting 10 numbers", "8 % after 10,000 updates", partial(_sorting, 10)),
    Reproduction(
        "one-fact",
        "Sukhbaatar et al. (2015)",
        "MemoryNetworkClassifier: stories, one fact, 1,000 questions",
        "errors 0.1 %; LSTM 50 %, on bAbI",
        partial(_stories, "one_fact", (3,)),
    ),
    Reproduction(
        "two-facts",
        "Sukhbaatar et al. (2015)",
        "MemoryNetworkClassifier: stories, two facts, 1,000 questions",
        "errors 8.2 %; LSTM 80 %, on bAbI",
        partial(_stories, "two_facts", (3, 1)),
    ),
    Reproduction("copying", "See et al. (2017)", "Seq2SeqTranslator: names that are in no vocabulary", "written by a pointer, not without", _copying),
    Reproduction(
        "modern-hopfield",
        "Ramsauer et al. (2021)",
        "ModernHopfield: 200 noisy patterns of 64 numbers, one step",
        "one update is enough where patterns lie apart",
        _one_step,
    ),
    Reproduction("gru-variants", "Dey & Salem (2017)", "GRU1–3: digits by rows", "GRU1 and GRU2 as good as GRU, GRU3 worse", _gru_variants),
]


def _run(asked: Reproduction) -> dict[str, Any]:
    with limit_threads(1):
        begin = process_time()
        figures = {name: round(float(value), 4) for name, value in asked.run().items()}
        return {**asked.text, "ours": figures, "seconds": round(process_time() - begin)}


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reproductions", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[r.name for r in REPRODUCTIONS], help="some of the experiments")
    parser.add_argument("--json", type=Path, help="also write the figures into this file, beside those of earlier runs")
    parser.add_argument("--list", action="store_true", help="print the names, and run nothing")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Print a table of what was asked for."""
    asked = _arguments(argv)
    chosen = [r for r in REPRODUCTIONS if asked.only is None or r.name in asked.only]
    if asked.list:
        print("\n".join(r.name for r in chosen))
        return
    rows = []
    for reproduction in chosen:
        if reproduction.needs is not None and not reproduction.needs.exists():
            progress({"name": reproduction.name, "skipped": f"{reproduction.needs.name} is not there; SKRNN_DATA may name its folder"})
            continue
        row = _run(reproduction)
        if asked.json:
            _keep(asked.json, reproduction.name, row)
        rows.append({"name": reproduction.name, **row, "ours": "; ".join(f"{k}: {v:g}" for k, v in row["ours"].items())})
        progress(rows[-1])
    if rows:
        print(machine() + "\n\n" + table(rows))


def _keep(path: Path, name: str, row: dict[str, Any]) -> None:
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept[name] = row
    ordered = {r.name: kept[r.name] | r.text for r in REPRODUCTIONS if r.name in kept}
    path.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
