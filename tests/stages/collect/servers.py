"""Stand-ins for Hugging Face and GitHub: real HTTP on loopback, in the shapes that the two have on the wire.

    python -m tests.stages.collect.servers --port 8100

serves both on one port, to be named by MORNINGPOST_HUGGINGFACE_URL and MORNINGPOST_GITHUB_URL.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from app.core.clock import SystemClock
from tests.stages.collect.standin import Asked, Reply, StandIn
from tests.stages.collect.world import DAY, Repo, Repository, World, small_world

_HISTORY = re.compile(r"/repositories/(\d+)/stargazers/history")
_NUMBER = re.compile(r"/repositories/(\d+)")
_RELEASES = re.compile(r"/([^/]+/[^/]+)/releases\.atom")


def both(world: World, now: Callable[[], datetime], port: int = 0) -> StandIn:
    """One server with the routes of both."""

    lists = {"/api/models": "models", "/api/datasets": "datasets", "/api/spaces": "spaces"}

    def answer(asked: Asked) -> Reply:
        if asked.path in lists:
            return Reply(hub_list(getattr(world, lists[asked.path]), world, now(), asked))
        if asked.path == "/api/trending":
            return Reply(hub_trending(world, now(), asked))
        if asked.path == "/api/daily_papers":
            return Reply(daily_papers(world, now()))
        if asked.path == "/search/repositories":
            return Reply(search(world, now(), asked), headers={"X-RateLimit-Remaining": "9"})
        return graphql(world, now(), asked) if asked.path == "/graphql" else _repository(world, now(), asked)

    return StandIn(answer, port)


def hub_list(repos: Any, world: World, now: datetime, asked: Asked) -> list[dict[str, Any]]:
    """`GET /api/models`: an array, sorted by trendingScore, with only the properties that `expand[]` names."""
    days = world.days(now)
    items = [hub_item(one, days, world) for one in repos if one.growth.at(days) > 0]
    items.sort(key=lambda item: -item["trendingScore"])
    wanted = {"_id", "id", *asked.query.get("expand[]", [])}
    return [
        {name: value for name, value in item.items() if name in wanted and value is not None}
        for item in items[: int(asked.one("limit", "1000"))]
    ]


def hub_item(one: Repo, days: float, world: World) -> dict[str, Any]:
    likes = one.growth.at(days)
    # About the likes of the last week, and a float now and then, as on the real Hub.
    score: float = likes - one.growth.at(days - 7)
    if one.number % 2:
        score = round(score * 0.95, 1)
    return {
        "_id": one.database_id,
        "id": one.id,
        "modelId": one.id,
        "likes": likes,
        "downloads": 31 * likes,
        "trendingScore": score,
        "tags": [*one.tags, "region:us"],
        "pipeline_tag": one.pipeline_tag,
        "gated": "auto" if one.number % 3 == 0 else False,
        "cardData": {"license": ["mit"] if one.number % 2 else "mit"},
        "createdAt": f"{world.day(-30)}T08:25:31.000Z",
        "baseModels": one.base and {"relation": one.base[0], "models": [{"_id": "0" * 24, "id": one.base[1]}]},
    }


def hub_trending(world: World, now: datetime, asked: Asked) -> dict[str, Any]:
    """`GET /api/trending`: what the home page shows, without score, tags and date."""
    kinds = {"model": world.models, "dataset": world.datasets, "space": world.spaces}
    kind = asked.one("type")
    days = world.days(now)
    items = [hub_item(one, days, world) for one in kinds[kind] if one.growth.at(days) > 0]
    items.sort(key=lambda item: -item["trendingScore"])
    shown = ("id", "likes", "downloads", "gated", "pipeline_tag")
    return {
        "recentlyTrending": [
            {"repoType": kind, "repoData": {name: item[name] for name in shown if item[name] is not None}}
            for item in items[: int(asked.one("limit", "10"))]
        ]
    }


def daily_papers(world: World, now: datetime) -> list[dict[str, Any]]:
    """`GET /api/daily_papers`: the papers of the last fortnight that are on the list by now."""
    days = world.days(now)
    return [
        {
            "paper": {
                "id": one.arxiv,
                "authors": [{"_id": "0" * 24, "name": "A. N. Author", "hidden": False}],
                "publishedAt": f"{world.day(one.day - 2)}T00:00:00.000Z",
                "submittedOnDailyAt": f"{world.day(one.day)}T00:00:00.000Z",
                "title": one.title,
                "upvotes": one.upvotes,
                **({"githubRepo": one.repository, "githubStars": 100} if one.repository else {}),
            },
            "publishedAt": f"{world.day(one.day - 2)}T00:00:00.000Z",
            "title": one.title,
            "numComments": 1,
        }
        for one in world.papers
        if one.day <= days < one.day + 14
    ]


def search(world: World, now: datetime, asked: Asked) -> dict[str, Any]:
    """`GET /search/repositories`, as far as its query is used: topic and stars."""
    query = asked.one("q")
    topic = re.search(r"topic:(\S+)", query)
    words = re.match(r'"?([a-z ]+?)"? in:name,description', query)
    least = re.search(r"stars:>=(\d+)", query)
    born = re.search(r"created:>=(\S+)", query)
    assert topic or words, query
    assert least, query
    days = world.days(now)
    found = [
        search_item(one, days, world)
        for one in world.repositories
        if (topic[1] in one.topics if topic else words and words[1] in f"{one.full_name} {one.description}".lower())
        and one.growth.at(days) >= int(least[1])
        and one.born_day <= days
        and (born is None or str(world.day(one.born_day)) >= born[1])
        and not one.gone
    ]
    found.sort(key=lambda item: -item["stargazers_count"])
    return {"total_count": len(found), "incomplete_results": False, "items": found[: int(asked.one("per_page", "30"))]}


def search_item(one: Repository, days: float, world: World) -> dict[str, Any]:
    owner, name = one.full_name.split("/")
    stars = one.growth.at(days)
    return {
        "id": one.id,
        "node_id": f"R_{one.id}",
        "name": name,
        "full_name": one.full_name,
        "private": False,
        "owner": {"login": owner, "id": one.id * 7, "type": "Organization"},
        "html_url": f"https://github.com/{one.full_name}",
        "description": one.description,
        "fork": one.fork,
        "created_at": f"{world.day(one.born_day)}T11:20:39Z",
        "updated_at": f"{world.day(int(days))}T01:04:00Z",
        "pushed_at": f"{world.day(int(days) - 1)}T07:38:24Z",
        "homepage": None,
        "stargazers_count": stars,
        "watchers_count": stars,
        "forks_count": int(stars * one.forks_share),
        "open_issues_count": 12,
        "language": None,
        "license": None,
        "archived": one.archived,
        "disabled": False,
        "is_template": False,
        "topics": list(one.topics),
        "default_branch": "main",
        "score": 1.0,
    }


def graphql(world: World, now: datetime, asked: Asked) -> Reply:
    """`nodes(ids: …)`: null for what is gone, and an error that says where it stood."""
    if not asked.headers.get("authorization", "").startswith("Bearer "):
        return Reply({"message": "Requires authentication"}, 401)
    ids = json.loads(asked.body)["variables"]["ids"]
    by_node = {f"R_{one.id}": one for one in world.repositories if not one.gone}
    nodes = [_node(by_node[node], world, now) if node in by_node else None for node in ids]
    errors = [
        {"type": "NOT_FOUND", "path": ["nodes", place], "message": f"Could not resolve to a node with {ids[place]}"}
        for place, node in enumerate(nodes)
        if node is None
    ]
    return Reply({"data": {"nodes": nodes}, **({"errors": errors} if errors else {})})


def _node(one: Repository, world: World, now: datetime) -> dict[str, Any]:
    item = search_item(one, world.days(now), world)
    return {
        "id": item["node_id"],
        "databaseId": item["id"],
        "nameWithOwner": item["full_name"],
        "description": item["description"],
        "stargazerCount": item["stargazers_count"],
        "forkCount": item["forks_count"],
        "createdAt": item["created_at"],
        "isArchived": item["archived"],
        "isDisabled": False,
        "isFork": item["fork"],
        "isPrivate": False,
        "isMirror": False,
        "repositoryTopics": {"nodes": [{"topic": {"name": name}} for name in one.topics]},
    }


def _repository(world: World, now: datetime, asked: Asked) -> Reply:
    """A repository or its `stargazers/history` by number; its releases by name, as the web site has them."""
    there = {one.id: one for one in world.repositories if not one.gone}
    if (numbered := _HISTORY.fullmatch(asked.path)) and (one := there.get(int(numbered[1]))):
        weeks = history(one, world, now, int(asked.one("per_page", "30")))
        return Reply(weeks, headers={"X-RateLimit-Remaining": "41"})
    if (numbered := _NUMBER.fullmatch(asked.path)) and (one := there.get(int(numbered[1]))):
        return Reply(search_item(one, world.days(now), world))
    if named := _RELEASES.fullmatch(asked.path):
        found = [one for one in there.values() if one.full_name == named[1]]
        if found:
            return Reply(releases_atom(found[0], world, now), headers={"Content-Type": "application/atom+xml"})
    return _not_found()


def releases_atom(one: Repository, world: World, now: datetime) -> bytes:
    """`https://github.com/{name}/releases.atom`, the newest entry first; without one where nothing was released."""
    entries = "".join(
        f"<entry><id>tag:github.com,2008:Repository/{one.id}/v{day}</id><updated>{world.day(day)}T09:30:00Z</updated>"
        f'<link rel="alternate" type="text/html" href="https://github.com/{one.full_name}/releases/tag/v{day}"/>'
        f"<title>{escape(title)}</title></entry>"
        for day, title in sorted(one.releases, reverse=True)
        if day <= world.days(now)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" '
        f'xml:lang="en-US"><title>Release notes from {one.full_name}</title>{entries}</feed>'
    ).encode()


def _not_found() -> Reply:
    return Reply({"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}, 404)


def history(one: Repository, world: World, now: datetime, weeks: int) -> list[dict[str, Any]]:
    """Weeks from Sunday, the newest first; days to come are 0, and today is not over."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    sunday = midnight - timedelta(days=(midnight.weekday() + 1) % 7)
    rows = []
    for back in range(weeks):
        first = sunday - back * 7 * DAY
        days = [_day_gain(one, world, first + offset * DAY, now) for offset in range(7)]
        rows.append({"week": int(first.timestamp()), "total": sum(days), "days": days})
    return rows


def _day_gain(one: Repository, world: World, day: datetime, now: datetime) -> int:
    start, end = max(world.days(day), float(one.born_day)), world.days(min(day + DAY, now))
    return max(0, one.growth.at(end) - one.growth.at(start)) if end > start else 0


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves stand-ins for Hugging Face and GitHub on one port.")
    parser.add_argument("--port", type=int, default=8100)
    port = parser.parse_args().port
    clock = SystemClock()
    server = both(small_world(clock.now().date()), clock.now, port)
    # So that a shell can read the two settings.
    sys.stdout.write(f"MORNINGPOST_HUGGINGFACE_URL={server.url} MORNINGPOST_GITHUB_URL={server.url}\n")
    sys.stdout.flush()
    try:
        server.wait()
    except KeyboardInterrupt:
        server.close()


if __name__ == "__main__":
    main()
