"""Stand-ins for Hugging Face and GitHub: real HTTP on loopback, in the shapes that the two have on the wire.

    python -m tests.stages.collect.servers --port 8100

serves both on one port, to be named by MORNINGPOST_HUGGINGFACE_URL and MORNINGPOST_GITHUB_URL.
"""

import argparse
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from app.core.clock import SystemClock
from tests.stages.collect.standin import Asked, Reply, StandIn
from tests.stages.collect.world import DAY, Repo, Repository, World, small_world

_HISTORY = re.compile(r"/repos/([^/]+/[^/]+)/stargazers/history")
_NUMERIC = re.compile(r"/repositories/(\d+)/stargazers/history")


def both(world: World, now: Callable[[], datetime], port: int = 0) -> StandIn:
    """One server with the routes of both."""

    def answer(asked: Asked) -> Reply:
        match asked.path:
            case "/api/models":
                return Reply(hub_list(world.models, world, now(), asked))
            case "/api/datasets":
                return Reply(hub_list(world.datasets, world, now(), asked))
            case "/search/repositories":
                return Reply(search(world, now(), asked), headers={"X-RateLimit-Remaining": "9"})
            case _:
                return _history(world, now(), asked)

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


def search(world: World, now: datetime, asked: Asked) -> dict[str, Any]:
    """`GET /search/repositories`, as far as its query is used: topic and stars."""
    query = asked.one("q")
    topic = re.search(r"topic:(\S+)", query)
    least = re.search(r"stars:>=(\d+)", query)
    assert topic is not None, query
    days = world.days(now)
    found = [
        search_item(one, days, world)
        for one in world.repositories
        if topic[1] in one.topics and one.growth.at(days) >= int(least[1] if least else 0) and one.born_day <= days
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
        "forks_count": stars // 8,
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


def _history(world: World, now: datetime, asked: Asked) -> Reply:
    """`stargazers/history`, by name or by number; an old name is sent on to the number, as after a rename."""
    if numbered := _NUMERIC.fullmatch(asked.path):
        found = [one for one in world.repositories if one.id == int(numbered[1])]
        return Reply(history(found[0], world, now, int(asked.one("per_page", "30")))) if found else _not_found()
    named = _HISTORY.fullmatch(asked.path)
    found = [one for one in world.repositories if named and one.full_name == named[1]]
    if not found:
        return _not_found()
    location = f"/repositories/{found[0].id}/stargazers/history?per_page={asked.one('per_page', '30')}"
    if found[0].id % 5 == 0:  # some were renamed a moment ago
        return Reply({"message": "Moved Permanently"}, 301, {"Location": location})
    return Reply(
        history(found[0], world, now, int(asked.one("per_page", "30"))), headers={"X-RateLimit-Remaining": "41"}
    )


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
