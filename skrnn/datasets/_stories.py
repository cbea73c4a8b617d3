"""Stories of a small world, and questions about them whose answers take one fact or several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from sklearn.utils import check_random_state

from ._recall import _at_least

_PEOPLE = ("Ada", "Ben", "Cleo", "Dan")
_PLACES = ("attic", "cellar", "garage", "garden", "kitchen", "library")
_THINGS = ("apple", "book", "lamp")
_GOES = ("{} went to the {}.", "{} walked to the {}.", "{} ran to the {}.", "{} returned to the {}.")
_TAKES = ("{} took the {}.", "{} picked up the {}.", "{} grabbed the {}.")
_DROPS = ("{} dropped the {}.", "{} put down the {}.", "{} left the {} there.")
_NUMBERS = ("none", "one", "two", "three")
_QUESTIONS_A_STORY = 5
_WAYS = {"north": (0, 1), "east": (1, 0), "south": (0, -1), "west": (-1, 0)}


class Asked(NamedTuple):
    """A question, what is right, and the sentences of the story so far from which it follows."""

    question: str
    answer: str
    facts: list[int]


class Stay(NamedTuple):
    """Where a thing has been: the place, the sentence by which somebody came there, and that by which the thing was taken along or left."""

    place: str
    came: int
    held: int


@dataclass
class World:
    """Who is where and carries what; what has been told of it, sentence by sentence. Nobody's place is known before they go somewhere."""

    rng: Any
    sentences: list[str] = field(default_factory=list)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)  # of people, and the sentence that told it
    carriers: dict[str, str] = field(default_factory=dict)
    stays: dict[str, list[Stay]] = field(default_factory=dict)  # of things that somebody has taken, the last at the end
    handled: dict[str, list[int]] = field(default_factory=dict)  # the sentences in which somebody took or left something

    def one_of(self, some: Any) -> Any:
        return some[self.rng.randint(len(some))]

    def tell(self, forms: tuple[str, ...], who: str, what: str) -> int:
        """The number of the sentence."""
        self.sentences.append(self.one_of(forms).format(who, what))
        return len(self.sentences) - 1

    def go(self) -> None:
        """Somebody goes somewhere else, with all that they carry."""
        who = self.one_of(_PEOPLE)
        place = self.one_of([p for p in _PLACES if p != self.places.get(who, ("",))[0]])
        told = self.tell(_GOES, who, place)
        self.places[who] = place, told
        for thing in self.carried_by(who):
            self.stays[thing].append(Stay(place, told, self.stays[thing][-1].held))

    def take(self, who: str, thing: str) -> None:
        told = self.tell(_TAKES, who, thing)
        place, came = self.places[who]
        self.carriers[thing] = who
        past = self.stays.setdefault(thing, [])
        past[len(past) - 1 if past else 0 :] = [Stay(place, came, told)]
        self.handled.setdefault(who, []).append(told)

    def drop(self, who: str, thing: str) -> None:
        told = self.tell(_DROPS, who, thing)
        del self.carriers[thing]
        self.stays[thing][-1] = self.stays[thing][-1]._replace(held=told)
        self.handled.setdefault(who, []).append(told)

    def carried_by(self, who: str) -> list[str]:
        return [thing for thing, carrier in self.carriers.items() if carrier == who]

    def act(self) -> None:
        """Somebody goes somewhere, as often as not; takes what lies there, or what nobody has seen yet; or leaves what they carry."""
        within_reach = [
            (who, thing)
            for who, (place, _) in self.places.items()
            for thing in _THINGS
            if thing not in self.carriers and (thing not in self.stays or self.stays[thing][-1].place == place)
        ]
        choice = self.rng.rand()
        if choice < 0.3 and within_reach:
            self.take(*self.one_of(within_reach))
        elif choice < 0.45 and self.carriers:
            thing = self.one_of(sorted(self.carriers))
            self.drop(self.carriers[thing], thing)
        else:
            self.go()


Telling = Iterator[tuple[list[str], Asked]]


def _told(rng: Any, act: Callable[[World], None], ask: Callable[[World], Asked | None], most: int) -> Telling:
    """A story that goes on for 2 up to ``most`` sentences, or until there is something to ask, before each of its questions."""
    world = World(rng)
    for _ in range(_QUESTIONS_A_STORY):
        for _ in range(rng.randint(2, most + 1)):
            act(world)
        while (asked := ask(world)) is None:
            act(world)
        yield [*world.sentences], asked


def _where_is_somebody(world: World) -> Asked:
    who = world.one_of(sorted(world.places))
    place, told = world.places[who]
    return Asked(f"Where is {who}?", place, [told])


def _where_is_something(world: World) -> Asked | None:
    if not world.stays:
        return None
    thing = world.one_of(sorted(world.stays))
    stay = world.stays[thing][-1]
    return Asked(f"Where is the {thing}?", stay.place, [stay.held, stay.came])


def _where_was_something(world: World) -> Asked | None:
    """Before it came to where it is, or was the last time."""
    asked = []
    for thing, stays in world.stays.items():
        last = {stay.place: k for k, stay in enumerate(stays)}
        asked += [(thing, stays[k - 1], stays[k]) for k in sorted(last.values()) if k]
    if not asked:
        return None
    thing, before, after = world.one_of(asked)
    return Asked(f"Where was the {thing} before the {after.place}?", before.place, [before.held, after.came, before.came])


def _is_somebody_there(world: World) -> Asked:
    who = world.one_of(sorted(world.places))
    place, told = world.places[who]
    there = world.rng.rand() < 0.5
    named = place if there else world.one_of([p for p in _PLACES if p != place])
    return Asked(f"Is {who} in the {named}?", "yes" if there else "no", [told])


def _how_many_things(world: World) -> Asked | None:
    """All numbers are asked for about as often, as far as there are such people."""
    if not world.handled:
        return None
    held = {who: len(world.carried_by(who)) for who in sorted(world.handled)}
    n = world.one_of(sorted(set(held.values())))
    who = world.one_of([person for person, number in held.items() if number == n])
    return Asked(f"How many things is {who} carrying?", _NUMBERS[n], [*world.handled[who]])


def _directions(rng: Any) -> Telling:
    """Five places next to each other, told in any order, and a way of two steps between two of them."""
    places = [str(place) for place in rng.permutation(_PLACES)[:5]]
    spots, links = {places[0]: (0, 0)}, []
    while len(spots) < len(places):
        place, base, way = places[len(spots)], places[rng.randint(len(spots))], [*_WAYS][rng.randint(4)]
        spot = spots[base][0] + _WAYS[way][0], spots[base][1] + _WAYS[way][1]
        if spot not in spots.values():
            spots[place] = spot
            links.append((place, way, base))
    links = [links[k] for k in rng.permutation(len(links))]
    steps = [(a, b, way, k) for k, (b, way, a) in enumerate(links)] + [(b, a, _opposite(way), k) for k, (b, way, a) in enumerate(links)]
    ways = [(one, two) for one in steps for two in steps if one[1] == two[0] and one[0] != two[1]]
    one, two = ways[rng.randint(len(ways))]
    sentences = [f"The {place} is {way} of the {base}." for place, way, base in links]
    yield sentences, Asked(f"How do you go from the {one[0]} to the {two[1]}?", f"{one[2]} {two[2]}", [one[3], two[3]])


def _opposite(way: str) -> str:
    ways = [*_WAYS]
    return ways[(ways.index(way) + 2) % 4]


_TASKS: dict[str, Callable[[Any], Telling]] = {
    "one_fact": lambda rng: _told(rng, World.go, _where_is_somebody, 2),
    "two_facts": lambda rng: _told(rng, World.act, _where_is_something, 6),
    "three_facts": lambda rng: _told(rng, World.act, _where_was_something, 10),
    "yes_no": lambda rng: _told(rng, World.go, _is_somebody_there, 2),
    "counting": lambda rng: _told(rng, World.act, _how_many_things, 6),
    "path": _directions,
}


def make_stories(task: str = "one_fact", n_questions: int = 1000, *, return_facts: bool = False, random_state: Any = None) -> tuple[Any, ...]:
    """Stories about people who go about a house, and questions about them, in the manner of the bAbI tasks (Weston et al., 2015).

    Parameters
    ----------
    task : {"one_fact", "two_facts", "three_facts", "yes_no", "counting", "path"}, default="one_fact"
        What the answer takes: where somebody went last; where somebody is who carries a thing, or left it; where a thing was before it came to a
        place, who carried it there, and when; whether somebody is in a place; how many things somebody carries; and a way of two steps through
        places that lie beside each other.
    n_questions : int, default=1000
        Five are asked about a story one after the other while it goes on, but in "path", where each has a story of its own.
    return_facts : bool, default=False
        Whether to give the facts as well.
    random_state : int, RandomState instance or None, default=None
        Source of everything.

    Returns
    -------
    X : list of (story, question)
        The story is a list of sentences, all that was told before the question, the oldest first; the question is a string.
    y : list of str
        A place, "yes" or "no", "none" to "three", or two directions, as "north east".
    facts : list of list of int
        Places of the sentences that say it, counted from 0, in the order in which one leads to the next. In "counting" these are all in which
        somebody took or left a thing. Only with ``return_facts=True``.

    Notes
    -----
    Question and answer of "one_fact" are as often about each of four people and six places; who answers with the likeliest place is right once in
    six times. Stories of "two_facts" have about 14 sentences, those of "three_facts" about 24. Use another ``random_state`` for the questions that a
    model is tested on, as neighbours ask about the same story.

    References
    ----------
    J. Weston, A. Bordes, S. Chopra, A. M. Rush, B. van Merriënboer, A. Joulin, T. Mikolov, "Towards AI-complete question answering: a set of
    prerequisite toy tasks", arXiv:1502.05698, 2015. World, words and code are ours.

    Examples
    --------
    >>> from skrnn.datasets import make_stories
    >>> X, y = make_stories("one_fact", 2, random_state=0)
    >>> X[0]
    (['Ada went to the library.', 'Dan returned to the garden.'], 'Where is Dan?')
    >>> y[0]
    'garden'
    """
    if task not in _TASKS:
        raise ValueError(f"task must be one of {list(_TASKS)}; got {task!r}")
    _at_least("n_questions", n_questions, 1)
    rng = check_random_state(random_state)

    def endless() -> Telling:
        while True:
            yield from _TASKS[task](rng)

    asked = [*islice(endless(), n_questions)]
    X, y = [(sentences, one.question) for sentences, one in asked], [one.answer for _, one in asked]
    return (X, y, [one.facts for _, one in asked]) if return_facts else (X, y)
