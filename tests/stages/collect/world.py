"""An invented world of models, datasets and repositories whose likes and stars grow day by day, by formula.

The same instant always gives the same counts, so a morning, a week and a month can be played in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Growth:
    """`start` at the world's beginning, `pace` a day, and `burst` a day more from day `burst_day` on."""

    start: int
    pace: float
    burst: float = 0.0
    burst_day: int = 0

    def at(self, days: float) -> int:
        return int(self.start + self.pace * days + self.burst * max(0.0, days - self.burst_day))


@dataclass(frozen=True)
class Repository:
    id: int
    full_name: str
    growth: Growth
    description: str | None = "A tool that does one thing, and says which."
    topics: tuple[str, ...] = ("llm",)
    born_day: int = -900
    """Days after the world's beginning; not there before."""
    fork: bool = False
    archived: bool = False
    gone: bool = False
    """Deleted, or private: it answers 404."""
    forks_share: float = 0.125
    """Forks a star."""
    releases: tuple[tuple[int, str], ...] = ()
    """(day of the world, title)."""


@dataclass(frozen=True)
class Repo:
    """A model or dataset."""

    number: int
    id: str
    growth: Growth
    tags: tuple[str, ...] = ()
    pipeline_tag: str | None = None
    base: tuple[str, str] | None = None
    """(relation, name)."""

    @property
    def database_id(self) -> str:
        return f"{self.number:024x}"


@dataclass(frozen=True)
class Paper:
    arxiv: str
    title: str
    day: int
    """Day of the world on which it was put on the list."""
    upvotes: int
    repository: str = ""


@dataclass
class World:
    """All there is. `began` is midnight UTC of its first day."""

    began: datetime
    models: Sequence[Repo] = ()
    datasets: Sequence[Repo] = ()
    spaces: Sequence[Repo] = ()
    papers: Sequence[Paper] = ()
    repositories: Sequence[Repository] = field(default_factory=list)

    def days(self, at: datetime) -> float:
        return (at - self.began) / DAY

    def day(self, number: int) -> date:
        return (self.began + number * DAY).date()

    def rename(self, repository_id: int, full_name: str) -> None:
        self.change(repository_id, full_name=full_name)

    def change(self, repository_id: int, **more: Any) -> None:
        """From now on the repository is otherwise."""
        self.repositories = [replace(one, **more) if one.id == repository_id else one for one in self.repositories]


def small_world(today: date, age: int = 60) -> World:
    """A world that began `age` days before `today`, whose last week had some news in it."""
    began = datetime.combine(today, datetime.min.time(), UTC) - age * DAY
    week, wick = age - 7, "lanternworks/wick-12b"
    return World(
        began,
        models=(
            Repo(1, "lanternworks/wick-12b", Growth(2_400, 20, 160, week), ("license:apache-2.0",), "text-generation"),
            Repo(2, "lanternworks/wick-12b-gguf", Growth(40, 2, 60, week), (f"base_model:quantized:{wick}",)),
            Repo(3, "copperleaf/wick-12b-awq", Growth(10, 1, 30, week), (), None, ("quantized", wick)),
            Repo(4, "murmuration/starling-asr", Growth(900, 110), (), "automatic-speech-recognition"),
            Repo(5, "saltglaze/kiln-vl", Growth(3_100, 60, 55, week), (), "image-text-to-text"),
            Repo(6, "oldstyle", Growth(9_000, 50), (), "fill-mask"),
            Repo(7, "fernbank/frond-tts", Growth(0, 0, 131, week + 1), (), "text-to-speech"),
            Repo(8, "tidemark/ebb-embed", Growth(700, 35), (), "sentence-similarity"),
        ),
        datasets=(
            Repo(21, "fernbank/hedgerow-audio", Growth(300, 30), ("modality:audio",)),
            Repo(22, "copperleaf/ledger-lines", Growth(120, 12, 50, week), ("modality:tabular", "modality:text")),
            Repo(23, "murmuration/dawn-chorus", Growth(800, 25), ()),
            Repo(24, "saltglaze/cracked-pots", Growth(60, 9), ("modality:image",)),
        ),
        spaces=(
            Repo(31, "fernbank/frond-tts", Growth(50, 12)),
            Repo(32, "saltglaze/kiln-studio", Growth(400, 6)),
        ),
        papers=(
            Paper("2611.00102", "Stepping Offline: Agents without a Network", age - 3, 41,
                  "https://github.com/Halyard-io/halyard"),
            Paper("2611.00315", "On Small Parsers", age - 1, 9),
        ),
        repositories=[
            Repository(101, "gristmill/grist", Growth(61_000, 420), "Grinds long documents into short answers."),
            Repository(102, "halyard-io/halyard", Growth(4_200, 90, 1_400, week), "Runs agents offline, step by step.",
                       ("ai-agents", "automation")),
            Repository(103, "quoin/quoin", Growth(18_500, 60), "Checks a model's sums. 🚀 :sparkles: Ready for use.",
                       ("machine-learning",)),
            Repository(104, "bellwether/bell", Growth(33_000, 210, 35, week), "A scheduler for idle GPUs.",
                       ("deep-learning", "llm-inference")),
            Repository(105, "sallow/withy", Growth(1_500, 40, 600, week + 2), "Weaves retrieval into any pipeline.",
                       ("rag",), born_day=age - 40),
            Repository(106, "plover/plover-nlp", Growth(7_700, 15), "Small parsers for large languages.", ("nlp",)),
            Repository(107, "quoin/awesome-quoin", Growth(90_000, 500), "A curated list of links to links.", ("llm",)),
            Repository(108, "treadle/treadle", Growth(120_000, 300), "Connects office tools to each other, simply.",
                       ("mcp", "automation")),
            Repository(109, "driftnet/driftnet", Growth(22_000, 75), None, ("llm",)),
            Repository(110, "mirrorlake/grist", Growth(5_000, 10), "Grinds long documents too.", ("llm",), fork=True),
            Repository(111, "slowworm/adder", Growth(41_000, 5), "Sums it all up.", ("llm",), archived=True),
        ],
    )  # fmt: skip
