"""The sources we suggest: houses with news of their own, people who explain it, papers, and what is talked of.

Feeds that answered when a public list of them was probed in October 2026; an operator adds and removes as they like.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_ARXIV = (
    "https://export.arxiv.org/api/query?sortBy=submittedDate&sortOrder=descending&max_results=100&search_query=cat:"
)
_HACKERNEWS = "https://hn.algolia.com/api/v1/search_by_date?tags=story&query="


def _feed(name: str, url: str, section: str, weight: float = 1.0, most: int = 20) -> Mapping[str, Any]:
    return {"kind": "feed", "name": name, "url": url, "section": section, "weight": weight, "most": most}


DEFAULTS: Sequence[Mapping[str, Any]] = (
    _feed("OpenAI", "https://openai.com/news/rss.xml", "lead", 1.5),
    _feed("Google DeepMind", "https://deepmind.google/blog/rss.xml", "lead", 1.5),
    _feed("Google Research", "https://research.google/blog/rss/", "deep_dive", 1.2),
    _feed("Microsoft Research", "https://www.microsoft.com/en-us/research/feed/", "deep_dive"),
    _feed("NVIDIA", "https://blogs.nvidia.com/feed/", "tools", 0.7),
    _feed("Hugging Face", "https://huggingface.co/blog/feed.xml", "tools", 1.2),
    _feed("Sakana AI", "https://sakana.ai/feed.xml", "deep_dive"),
    _feed("Berkeley AI Research", "https://bair.berkeley.edu/blog/feed.xml", "deep_dive", 1.2),
    _feed("Lil’Log", "https://lilianweng.github.io/index.xml", "deep_dive", 1.5),
    _feed("Ahead of AI", "https://magazine.sebastianraschka.com/feed", "deep_dive", 1.2),
    _feed("Interconnects", "https://www.interconnects.ai/feed", "opinion", 1.2),
    _feed("Latent Space", "https://www.latent.space/feed", "opinion"),
    _feed("The Gradient", "https://thegradient.pub/rss/", "weekend"),
    _feed("Last Week in AI", "https://lastweekin.ai/feed", "weekend", 0.8),
    _feed("AI Alignment Forum", "https://www.alignmentforum.org/feed.xml", "opinion", 0.8),
    *(
        {"kind": "arxiv", "name": "arXiv", "url": _ARXIV + category, "section": "deep_dive", "weight": 0.5, "most": 10}
        for category in ("cs.CL", "cs.LG", "cs.AI")
    ),
    *(
        {
            "kind": "hackernews",
            "name": "Hacker News",
            "url": f"{_HACKERNEWS}{words}&numericFilters=points>=50",
            "section": section,
            "weight": 0.5,
            "most": 15,
        }
        for words, section in (("LLM", "tools"), ("AI", "opinion"))
    ),
)
