"""Stories: the answer follows from the facts, and from what was told before the question."""

import re

import pytest

from skrnn.datasets import make_stories

TASKS = ["one_fact", "two_facts", "three_facts", "yes_no", "counting", "path"]
GOES = re.compile(r"(\w+) (?:went|walked|ran|returned) to the (\w+)\.")
TAKES = re.compile(r"(\w+) (?:took|picked up|grabbed) the (\w+)\.")
DROPS = re.compile(r"(\w+) (?:dropped|put down|left) the (\w+)(?: there)?\.")
LIES = re.compile(r"The (\w+) is (\w+) of the (\w+)\.")
STEPS = {"north": (0, 1), "east": (1, 0), "south": (0, -1), "west": (-1, 0)}
NUMBERS = ["none", "one", "two", "three"]


class Reader:
    """Follows a story sentence by sentence, by rules that know nothing of how it was made."""

    def __init__(self, sentences):
        self.place, self.carrier, self.trail = {}, {}, {}
        for sentence in sentences:
            if match := GOES.fullmatch(sentence):
                who, place = match.groups()
                assert self.place.get(who) != place
                self.place[who] = place
                for thing, carrier in self.carrier.items():
                    if carrier == who:
                        self.trail[thing].append(place)
            elif match := TAKES.fullmatch(sentence):
                who, thing = match.groups()
                assert thing not in self.carrier
                trail = self.trail.setdefault(thing, [self.place[who]])
                assert trail[-1] == self.place[who]
                self.carrier[thing] = who
            else:
                who, thing = DROPS.fullmatch(sentence).groups()
                assert self.carrier.pop(thing) == who


def answer(task, sentences, question):
    words = re.findall(r"\w+", question)
    if task == "path":
        spots = way_of(sentences)
        (x, y), (u, v) = spots[words[6]], spots[words[9]]
        return (u - x, v - y)
    reader = Reader(sentences)
    if task == "one_fact":
        return reader.place[words[2]]
    if task == "two_facts":
        return reader.trail[words[3]][-1]
    if task == "three_facts":
        trail = reader.trail[words[3]]
        return trail[len(trail) - 2 - trail[::-1].index(words[6])]
    if task == "yes_no":
        return "yes" if reader.place[words[1]] == words[4] else "no"
    return NUMBERS[sum(who == words[4] for who in reader.carrier.values())]


def way_of(sentences):
    links = [LIES.fullmatch(sentence).groups() for sentence in sentences]
    spots = {links[0][2]: (0, 0)}
    while len(spots) <= len(links):
        for place, way, base in links:
            x, y = STEPS[way]
            if base in spots:
                spots[place] = (spots[base][0] + x, spots[base][1] + y)
            elif place in spots:
                spots[base] = (spots[place][0] - x, spots[place][1] - y)
    return spots


@pytest.mark.parametrize("task", TASKS)
def test_the_answer_follows_from_the_story(task):
    X, y = make_stories(task, 300, random_state=0)
    assert len(X) == len(y) == 300
    for (sentences, question), right in zip(X, y, strict=True):
        found = answer(task, sentences, question)
        if task == "path":
            one, two = (STEPS[way] for way in right.split())
            right = (one[0] + two[0], one[1] + two[1])
        assert found == right


@pytest.mark.parametrize("task", ["one_fact", "two_facts", "three_facts", "yes_no", "path"])
def test_the_answer_follows_from_the_facts_alone(task):
    X, y, facts = make_stories(task, 300, return_facts=True, random_state=1)
    n = {"one_fact": 1, "two_facts": 2, "three_facts": 3, "yes_no": 1, "path": 2}[task]
    for (sentences, question), right, places in zip(X, y, facts, strict=True):
        assert len(set(places)) == len(places) == n
        assert (
            re.findall(r"\w+", question)[{"two_facts": 3, "three_facts": 3, "path": 6}.get(task, -1 if task == "one_fact" else 1)]
            in sentences[places[0]]
        )
        told = {word for k in places for word in re.findall(r"\w+", sentences[k])}
        words = re.findall(r"\w+", question)
        of_task = {"one_fact": [2], "two_facts": [3], "three_facts": [3, 6], "yes_no": [1], "path": [6, 9]}[task]
        assert {words[k] for k in of_task} <= told
        assert task in ("yes_no", "path") or right in told


def test_facts_of_counting_are_all_that_somebody_took_or_left():
    X, _, facts = make_stories("counting", 100, return_facts=True, random_state=0)
    for (sentences, question), places in zip(X, facts, strict=True):
        who = question.split()[4]
        assert places == [k for k, s in enumerate(sentences) if s.startswith(who + " ") and not GOES.fullmatch(s)]


@pytest.mark.parametrize("task", TASKS)
def test_stories_come_from_the_seed_alone(task):
    assert make_stories(task, 12, random_state=3) == make_stories(task, 12, random_state=3)
    assert make_stories(task, 12, random_state=3) != make_stories(task, 12, random_state=4)
    assert make_stories(task, 7, random_state=3)[0] == make_stories(task, 12, random_state=3)[0][:7]


def test_no_answer_is_much_more_frequent_than_another():
    for task, most in [("one_fact", 0.25), ("two_facts", 0.25), ("three_facts", 0.25), ("yes_no", 0.55), ("counting", 0.6), ("path", 0.15)]:
        _, y = make_stories(task, 1000, random_state=0)
        assert max(y.count(name) for name in set(y)) / len(y) < most


def test_what_cannot_be_told_is_refused():
    with pytest.raises(ValueError, match=r"task must be one of .*'one_fact'.*; got 'four_facts'"):
        make_stories("four_facts")
    with pytest.raises(ValueError, match="n_questions must be"):
        make_stories(n_questions=0)
