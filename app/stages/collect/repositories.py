"""Reads GitHub's search results: which repositories are ours to print, and what to say of them. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from app.models.counts import Row
from app.stages.collect import values
from app.stages.collect.words import one_line

SITE = "https://github.com"
_FULL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[\w.-]{1,100}", re.ASCII)

CORE_TOPICS = frozenset({
    "agentic-ai", "ai-agent", "ai-agents", "automatic-speech-recognition", "autonomous-agents", "chatglm",
    "computer-vision", "deep-learning", "deep-neural-networks", "deep-reinforcement-learning", "diffusion",
    "diffusion-models", "embeddings", "fine-tuning", "foundation-models", "generative-ai", "genai", "gpt", "jax",
    "keras", "langchain", "large-language-model", "large-language-models", "llama", "llm", "llm-agents",
    "llm-inference", "llm-serving", "llmops", "llms", "lora", "machine-learning", "machine-learning-algorithms",
    "ml", "mlops", "multi-agent-systems", "multimodal", "natural-language-processing", "neural-network",
    "neural-networks", "nlp", "object-detection", "pytorch", "question-answering", "rag", "reinforcement-learning",
    "retrieval-augmented-generation", "rlhf", "scikit-learn", "speech-recognition", "speech-synthesis",
    "stable-diffusion", "tensorflow", "text-generation", "text-to-image", "text-to-speech", "text-to-video",
    "transformer", "transformers", "vision-language-model", "vlm", "whisper",
})  # fmt: skip
"""At least one of these makes a repository AI or machine learning. `ai`, `mcp`, `agents` and `automation` alone do
not: they stand on tools of every trade."""

_TRADE = re.compile(
    r"\b(llms?|(large |small |vision )?language models?|(ai|llm|coding|autonomous) agents?|gpt|transformers?|diffusion"
    r"|machine learning|deep learning|neural networks?|fine[- ]tun(e|ed|ing)|embeddings?|inference|rag"
    r"|reinforcement learning|computer vision|speech (recognition|synthesis)|text to (speech|image|video))\b",
    re.IGNORECASE,
)
"""For young repositories that have set no topic yet."""

_LISTS = re.compile(r"\bawesome\b", re.IGNORECASE)
"""In a name only: a description may call anything awesome."""
_NOT_NEWS = re.compile(
    r"\bawesome lists?\b|\b(curated|ranked|hand-picked) (list|collection)\b"
    r"|\b(cheat|crack|keygen|exploit|aimbot|nulled|leaked)s?\b",
    re.IGNORECASE,
)


def row_of(item: Any, *, known: bool = False) -> Row | None:
    """One search result as a row; None where it is not one we print, or not one we can read.

    Left out: forks, mirrors, archived and disabled ones, lists of links, cheats and exploits, those that say too
    little of themselves, and those without a topic of the trade. Where no topic is set at all, the words of the
    trade must stand in the name or the description. What is `known` was found to be of the trade before.
    """
    fields = values.mapping(item)
    external_id, stars = values.count(fields.get("id")), values.count(fields.get("stargazers_count"))
    name = values.matching(_FULL_NAME, fields.get("full_name"))
    detail = one_line(values.text(fields.get("description")))
    if not external_id or stars is None or name is None or closed(fields) or _left_out(fields, name, detail):
        return None
    if not known and not _of_the_trade(fields, name, detail):
        return None
    return Row(
        external_id=str(external_id),
        name=name,
        url=f"{SITE}/{name}",
        detail=detail,
        count=stars,
        forks=values.count(fields.get("forks_count")),
        created_at=values.instant(fields.get("created_at")),
        node_id=values.text(fields.get("node_id"))[:64],
    )


def closed(fields: Mapping[str, Any]) -> bool:
    """Archived, disabled or private: it is no news any more."""
    return any(fields.get(flag) for flag in ("archived", "disabled", "private"))


def _left_out(fields: Mapping[str, Any], name: str, detail: str) -> bool:
    if any(fields.get(flag) for flag in ("fork", "mirror_url")):
        return True
    title = name.partition("/")[2].replace("-", " ").replace("_", " ")
    return not _says_enough(detail) or bool(_LISTS.search(title) or _NOT_NEWS.search(f"{title} {detail}"))


def _of_the_trade(fields: Mapping[str, Any], name: str, detail: str) -> bool:
    topics = {topic.lower() for topic in values.strings(fields.get("topics"))}
    if topics:
        return not CORE_TOPICS.isdisjoint(topics)
    return bool(_TRADE.search(f"{name.partition('/')[2].replace('-', ' ').replace('_', ' ')} {detail}"))


def _says_enough(detail: str) -> bool:
    """Three words; or twelve characters of a script that writes without spaces."""
    return len(detail.split()) >= 3 or (not detail.isascii() and len(detail) >= 12)
