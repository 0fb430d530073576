"""Pictures of a page as readers see it, by the Chromium of this machine where there is one.

Chromium takes a picture of its window, not of the page; so the window is taller than any paper, and what is empty below
the page is cut off.
"""

import asyncio
import os
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops

from app.core.errors import MorningPostError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
SECONDS = 60
"""At most for one picture."""
_HEIGHTS = (9_000, 16_000)
_DARK, _NO_IMAGES = "preferredColorScheme=0", "imagesEnabled=false"
_INVERTED = "forceDarkModeEnabled=true"
_FLAGS = (
    "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-crash-reporter",
    "--disable-dev-shm-usage", "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # a page that is looked at fetches nothing
)  # fmt: skip


class NoPicture(MorningPostError):
    """Chromium took no picture; the sentence says why."""


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a page; `settings` are Blink's own."""

    name: str
    width: int
    settings: tuple[str, ...] = ()


VIEWS = (
    View("desktop", 700),
    View("phone", 390),
    View("dark", 700, (_DARK,)),
    View("phone-dark", 390, (_DARK,)),
    View("images-off", 700, (_NO_IMAGES,)),
    View("phone-images-off", 390, (_NO_IMAGES,)),
    View("inverted", 700, (_INVERTED,)),
)
"""`inverted` is what a mail program does that knows no dark mode of ours and turns the colours itself."""


def program() -> str | None:
    """Where Chromium is; None where this machine has none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


async def take(chromium: str, page: Path, view: View, to: Path, *, seconds: float = SECONDS) -> None:
    """Writes a PNG of the HTML file `page`. Raises NoPicture where Chromium fails or takes longer than `seconds`."""
    with tempfile.TemporaryDirectory(prefix="morningpost-camera-", ignore_cleanup_errors=True) as folder:
        raw = Path(folder) / "picture.png"
        for height in _HEIGHTS:
            await _run(chromium, _arguments(page, view, height, raw), seconds)
            if not raw.is_file():
                raise NoPicture(f"{chromium} ended without a picture of {page.name}.")
            if await asyncio.to_thread(_crop, raw, to):
                return
    raise NoPicture(f"{page.name} is taller than {_HEIGHTS[-1]:,} pixels, so no picture holds it.")


def _arguments(page: Path, view: View, height: int, raw: Path) -> list[str]:
    own = [f"--blink-settings={','.join(view.settings)}"] if view.settings else []
    # Chromium refuses its sandbox to root, as in a container. The page is ours, and cleaned of scripts.
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    where = [f"--user-data-dir={raw.parent / 'profile'}", f"--window-size={view.width},{height}", f"--screenshot={raw}"]
    return [*_FLAGS, *own, *root, *where, page.resolve().as_uri()]


async def _run(chromium: str, arguments: list[str], seconds: float) -> None:
    process = await asyncio.create_subprocess_exec(
        chromium,
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        raise NoPicture(f"{chromium} took longer than {seconds:g} seconds.") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)  # its children too
            await process.wait()


def _crop(raw: Path, to: Path) -> bool:
    """Writes `raw` up to the last row that is not empty, in 256 colours; False where it has no empty row below."""
    with Image.open(raw) as opened:
        image = opened.convert("RGB")
    paper = Image.new("RGB", image.size, image.getpixel((0, image.height - 1)))
    box = ImageChops.difference(image, paper).getbbox()
    end = min(box[3] + 40, image.height) if box else image.height
    if end == image.height:
        return False
    # Coverage keeps what is rare, and red is rare here; the median would turn it brown.
    small = image.crop((0, 0, image.width, end)).quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(to, "PNG", optimize=True)
    return True
