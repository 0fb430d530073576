"""What a placement's visitors see: its codes, its poster, and a front page that carries it into the sign-up."""

import io
import re
from xml.etree import ElementTree

import pytest
import qrcode
from httpx import AsyncClient
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from sqlalchemy import select

from app.bootstrap import Container
from app.models import Consent
from app.stages.audience import placements
from app.stages.render.qr import QUIET
from tests.people import NOON

from .conftest import SITE, form

CODE = "spring-poster"
LINK = f"{SITE}/?src={CODE}"


@pytest.fixture(autouse=True)
async def _placed(container: Container) -> None:
    async with container.db.write() as session:
        await placements.create(session, CODE, "Poster, city library", NOON)


def modules_of(address: str) -> list[list[bool]]:
    """The dark modules of the code for `address`, by the library itself."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0)
    code.add_data(address)
    code.make(fit=True)
    modules: list[list[bool]] = code.modules
    return modules


def drawn(svg: str) -> list[list[bool]]:
    """The dark modules of an SVG of ours, within its quiet zone."""
    root = ElementTree.fromstring(svg)
    side = int(root.attrib["viewBox"].split()[2]) - 2 * QUIET
    dark = [[False] * side for _ in range(side)]
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1", root[1].attrib["d"]):
        for at in range(int(x), int(x) + int(length)):
            dark[int(y) - QUIET][at - QUIET] = True
    return dark


def photographed(png: bytes, side: int) -> list[list[bool]]:
    """The dark modules of a PNG of ours, read in the middle of each."""
    image = Image.open(io.BytesIO(png)).convert("L")
    scale = image.width // (side + 2 * QUIET)
    at = [(index + QUIET) * scale + scale // 2 for index in range(side)]
    return [[image.getpixel((x, y)) == 0 for x in at] for y in at]


@pytest.mark.parametrize(
    ("query", "address"), [("", SITE), ("?src=", SITE), (f"?src={CODE}", LINK), ("?src=SPRING-Poster", LINK)]
)
async def test_a_code_holds_the_address_of_its_placement(client: AsyncClient, query: str, address: str) -> None:
    """As SVG and as PNG, module by module; kept by browsers for a day and by no shared cache."""
    expected = modules_of(address)
    svg, png = await client.get(f"/qr.svg{query}"), await client.get(f"/qr.png{query}")
    assert drawn(svg.text) == expected
    assert photographed(png.content, len(expected)) == expected
    for answer in (svg, png):
        assert answer.headers["cache-control"] == "private, max-age=86400"


@pytest.mark.parametrize("path", ["/qr.svg", "/qr.png", "/qr"])
@pytest.mark.parametrize("src", ["nowhere", "-", "a b", "ä", "%00", "x" * 3000])
async def test_an_unknown_code_is_a_404_that_says_so(client: AsyncClient, path: str, src: str) -> None:
    """And is kept by nobody: it may be made a minute later."""
    answer = await client.get(f"{path}?src={src}")
    assert answer.status_code == 404
    assert "There is no placement with this code." in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_the_poster_shows_the_code_and_its_address_in_words(client: AsyncClient) -> None:
    """With the code of this placement, and no word of how the operator calls it."""
    page = await client.get(f"/qr?src={CODE}")
    assert page.status_code == 200
    assert f'src="/qr.svg?src={CODE}"' in page.text
    assert f'alt="QR code: post.test/?src={CODE}"' in page.text
    assert f"post.test/?src={CODE}" in page.text.replace("<wbr>", "")
    assert "city library" not in page.text
    assert page.text.count("<h1") == 1
    assert page.headers["cache-control"] == "no-store"


async def test_there_is_a_poster_without_a_placement(client: AsyncClient) -> None:
    page = (await client.get("/qr")).text
    assert 'src="/qr.svg"' in page
    assert 'alt="QR code: post.test"' in page


async def hidden(client: AsyncClient, path: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    page = (await client.get(path)).text
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))


async def test_the_front_page_carries_a_visitors_origin_into_the_form(
    client: AsyncClient, container: Container
) -> None:
    """Without a script or a cookie; what is posted is written down with the consent."""
    path = f"/?src={CODE}&utm_source=library&utm_medium=poster&source=a+wall&other=x"
    carried = await hidden(client, path)
    ours = {"timezone", "language", "form"}
    assert ours <= set(carried)
    told = {name: value for name, value in carried.items() if name not in ours}
    assert told == {"placement": CODE, "utm_source": "library", "utm_medium": "poster", "source": "a wall"}
    assert "set-cookie" not in (await client.get(path)).headers
    answer = await client.post("/subscribe", data={**form(container, email="ada@example.org"), **told})
    assert answer.status_code == 200
    async with container.db.read() as session:
        asked = (await session.scalars(select(Consent))).one()
    assert (asked.placement, asked.source) == (CODE, "a wall")
    assert asked.utm == {"utm_source": "library", "utm_medium": "poster"}


async def test_a_form_that_is_shown_again_carries_it_still(client: AsyncClient, container: Container) -> None:
    """After a slip in the address, and after a form that was too old."""
    told = {"placement": CODE, "utm_term": 'a&b"<c>'}
    slip = form(container, email="ada")
    old = {"email": "ada@example.org"}
    for fields in (slip, old):
        again = await client.post("/subscribe", data={**fields, **told})
        assert again.status_code == 422
        assert f'name="placement" value="{CODE}"' in again.text
        assert 'name="utm_term" value="a&amp;b&#34;&lt;c&gt;"' in again.text


async def test_no_cache_gives_one_placements_form_to_anothers_visitors(client: AsyncClient) -> None:
    """A page that carries anything is kept nowhere; the plain one is asked for again each time."""
    assert (await client.get("/")).headers["cache-control"] == "no-cache"
    assert (await client.get("/?other=x")).headers["cache-control"] == "no-cache"
    for query in (f"src={CODE}", "src=unknown", "utm_source=x", "source=x"):
        assert (await client.get(f"/?{query}")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "query", ["src=%00", "src=%ff%fe", "utm_source=%0d%0aX:%20y", "src=a&src=b", "src", "=&=&&", "%"]
)
async def test_an_odd_query_costs_nobody_the_front_page(client: AsyncClient, query: str) -> None:
    answer = await client.get(f"/?{query}")
    assert answer.status_code == 200
    assert 'action="/subscribe"' in answer.text


async def test_json_says_where_a_reader_came_from(client: AsyncClient, container: Container) -> None:
    """The same fields; and each that cannot be kept is named."""
    body = {"email": "ada@example.org", "placement": CODE, "source": "partner", "utm_campaign": "spring"}
    assert (await client.post("/subscribe", json=body)).status_code == 202
    async with container.db.read() as session:
        asked = (await session.scalars(select(Consent))).one()
    assert (asked.placement, asked.source, asked.utm) == (CODE, "partner", {"utm_campaign": "spring"})
    bad = {"email": "bob@example.org", "placement": "a b", "source": "x" * 121, "utm_campaign": "x" * 101}
    answer = await client.post("/subscribe", json=bad)
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} == {"placement", "source", "utm_campaign"}


async def test_a_hidden_field_that_cannot_be_kept_costs_nobody_the_sign_up(
    client: AsyncClient, container: Container
) -> None:
    """Whoever wrote the form is not the one who presses its button."""
    told = {"placement": "no such code", "source": "x" * 500, "utm_source": "a\r\nb"}
    answer = await client.post("/subscribe", data={**form(container, email="ada@example.org"), **told})
    assert answer.status_code == 200
    async with container.db.read() as session:
        asked = (await session.scalars(select(Consent))).one()
    assert (asked.placement, asked.source, asked.utm) == (None, "x" * 120, {"utm_source": "ab"})
