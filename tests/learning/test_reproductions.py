"""The figures of the documentation are those of the experiments that there are."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import reproductions

FIGURES = Path(__file__).parents[2] / "docs" / "reproductions.json"


def test_every_experiment_has_figures_in_the_documentation():
    kept = json.loads(FIGURES.read_text(encoding="utf-8"))
    assert [*kept] == [r.name for r in reproductions.REPRODUCTIONS]
    assert all({**kept[r.name], **r.text} == kept[r.name] and kept[r.name]["ours"] for r in reproductions.REPRODUCTIONS)


def test_what_is_run_again_replaces_its_row_alone(tmp_path, capsys):
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"memory-curve": {"ours": {}}, "plans": {"ours": {"symbols right": 1}}}))
    reproductions.main(["--only", "memory-curve", "--json", str(path)])
    assert "| memory-curve |" in capsys.readouterr().out
    plans, curve = json.loads(path.read_text(encoding="utf-8")).values()
    assert plans["ours"] == {"symbols right": 1}
    assert list(curve["ours"]) == ["centre at rate 1.0", "centre at rate 0.5", "centre at rate 0.3", "centre at rate 0.1"]


def test_an_experiment_without_its_file_is_left_out_and_its_figures_stay(tmp_path, capsys, monkeypatch):
    path = tmp_path / "figures.json"
    path.write_text('{"chorales": {"ours": {"nats a frame": 1}}}')
    missing = [replace(r, needs=tmp_path / "nothing.mat") for r in reproductions.REPRODUCTIONS if r.name == "chorales"]
    monkeypatch.setattr(reproductions, "REPRODUCTIONS", missing)
    reproductions.main(["--json", str(path)])
    assert json.loads(path.read_text(encoding="utf-8")) == {"chorales": {"ours": {"nats a frame": 1}}}
    assert "nothing.mat is not there" in capsys.readouterr().err


def test_an_unknown_experiment_is_refused(capsys):
    with pytest.raises(SystemExit):
        reproductions.main(["--only", "nothing"])
    assert "invalid choice: 'nothing'" in capsys.readouterr().err
