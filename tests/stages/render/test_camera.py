"""Pictures of a page, by a real Chromium; and what is said where it has a bad day."""

import asyncio
import base64
import os
from pathlib import Path

import pytest
from PIL import Image

from app.stages.render import camera
from app.stages.render.charts import drawn

PAPER, NIGHT, RED = (251, 251, 248), (21, 23, 26), (163, 22, 31)
VIEWS = {view.name: view for view in camera.VIEWS}
PAGE = f"""<!DOCTYPE html><html lang="en"><head><title>x</title><meta name="color-scheme" content="light dark">
<style>body{{margin:0;background:#FBFBF8}}i{{display:block;width:30px;height:30px;background:#A3161F}}
@media (prefers-color-scheme:dark){{body{{background:#15171A}}}}</style></head><body>
<i></i><p style="height:600px">words</p>
<img width="192" height="60" alt="" src="data:image/png;base64,{base64.b64encode(drawn((5,) * 14)[1]).decode()}">
<img src="https://spy.example.net/x.png" alt=""></body></html>"""


@pytest.fixture
def chromium() -> str:
    found = camera.program()
    if found is None:
        assert os.environ.get("CI", "").lower() in ("", "0", "false"), "there is no Chromium on this machine"
        pytest.skip("there is no Chromium on this machine")
    return found


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text(PAGE)
    return path


def fake(folder: Path, script: str) -> str:
    """A program that does as `script` says; $picture is the file that is asked for."""
    path = folder / "chromium"
    find = 'for word in "$@"; do case $word in --screenshot=*) picture=${word#--screenshot=};; esac; done\n'
    path.write_text(f"#!/bin/sh\n{find}{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("view", "width", "paper"), [("desktop", 700, PAPER), ("phone", 390, PAPER), ("dark", 700, NIGHT)]
)
async def test_a_view_is_what_a_reader_sees(
    chromium: str, page: Path, view: str, width: int, paper: tuple[int, int, int]
) -> None:
    """As wide as the window, as tall as the page; the rare colour is kept."""
    to = page.with_suffix(".png")
    await camera.take(chromium, page, VIEWS[view], to)
    image = Image.open(to).convert("RGB")
    assert image.width == width
    assert 660 < image.height < 900
    assert image.getpixel((width - 1, 5)) == paper
    assert image.getpixel((10, 10)) == RED


async def test_images_can_be_off_and_colours_turned(chromium: str, page: Path) -> None:
    """By a switch of the browser, as mail programs do it."""
    shown = {}
    for name in ("desktop", "images-off", "inverted"):
        await camera.take(chromium, page, VIEWS[name], page.with_suffix(".png"))
        shown[name] = Image.open(page.with_suffix(".png")).convert("RGB")
    assert shown["images-off"].height < shown["desktop"].height
    corner = shown["inverted"].getpixel((690, 5))
    assert isinstance(corner, tuple)
    assert max(corner) < 60


async def test_a_program_that_takes_no_picture_is_told_of(page: Path, tmp_path: Path) -> None:
    """It ends well or badly; there is no file."""
    for script in ("exit 0", "exit 3"):
        with pytest.raises(camera.NoPicture, match=r"ended without a picture of page\.html"):
            await camera.take(fake(tmp_path, script), page, VIEWS["phone"], tmp_path / "to.png")
    assert not (tmp_path / "to.png").exists()


async def test_a_program_that_hangs_is_ended_with_its_children(page: Path, tmp_path: Path) -> None:
    """Nobody waits for it, and nothing of it stays."""
    script = f"sleep 77 & echo $! > {tmp_path}/child; wait"
    with pytest.raises(camera.NoPicture, match="took longer than 5 seconds"):
        await camera.take(fake(tmp_path, script), page, VIEWS["phone"], tmp_path / "to.png", seconds=5)
    child = int((tmp_path / "child").read_text())
    for _ in range(300):
        if not Path(f"/proc/{child}").exists() or " Z " in Path(f"/proc/{child}/stat").read_text():
            return
        await asyncio.sleep(0.1)
    pytest.fail("its child lives on")


async def test_a_page_that_is_too_tall_is_told_of(page: Path, tmp_path: Path) -> None:
    """Half a page would look like a whole one."""
    Image.effect_noise((390, 60), 90).save(tmp_path / "noise.png")
    with pytest.raises(camera.NoPicture, match=r"taller than 16,000 pixels"):
        await camera.take(fake(tmp_path, f'cp {tmp_path}/noise.png "$picture"'), page, VIEWS["phone"], tmp_path / "to")


def test_a_machine_without_chromium_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And one under any of its names has."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert camera.program() is None
    assert fake(tmp_path, "exit 0") == camera.program()
