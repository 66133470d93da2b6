"""The page as bytes: data through the template, previews inside, never larger than its bound.

The one file that knows Jinja2. Autoescape is on, an undefined name is an error, and the page's own security policy
forbids scripts and every outside resource; the style sheet is allowed by its digest.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from stages.pipeline.errors import ConfigError
from stages.pipeline.manifests import TopicManifest
from stages.pipeline.run_directory import RunDirectory
from stages.pipeline.staleness.page import PageInputs
from stages.report.previews import draw_previews
from stages.report.summary import page_view
from stages.report.view import PageView
from stages.report.words import shown as visible

FOLDER = Path(__file__).parent
# How many scenes are shown, tried in this order. All of them, but for stories longer than any that is written here.
MOST_SCENES = (10_000, 400, 100, 25, 5, 1)
# Room that pictures leave free: attributes around them, and rounding.
MARGIN_BYTES = 20_000
# From disk, browsers that follow the letter give a page no origin that 'self' could mean; `file:` says it in full.
POLICY = (
    "default-src 'none'; img-src data:; media-src 'self' file: data:; style-src 'sha256-{digest}'; "
    "base-uri 'none'; form-action 'none'"
)


def lay_out(run: RunDirectory, topic: TopicManifest, shown: PageInputs) -> bytes:
    """`index.html`, UTF-8, at most `settings.report.max_page_bytes`."""
    settings = topic.settings.report
    for most in MOST_SCENES:
        view = page_view(run, topic, shown, most)
        room_bytes = settings.max_page_bytes - len(render(view)) - MARGIN_BYTES
        if room_bytes > 0:
            page = render(_with_previews(view, settings.preview_width, room_bytes))
            if len(page) <= settings.max_page_bytes:
                return page
    raise ConfigError(
        f"the page of {run.path} does not fit report.max_page_bytes = {settings.max_page_bytes}; raise it in pipeline.toml"
    )


def render(view: PageView, template: str = "page.html.j2") -> bytes:
    """The template filled with `view`."""
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    text = (
        _environment()
        .get_template(template)
        .render(
            page=view,
            style=Markup(style),  # noqa: S704 - a file of this program
            policy=POLICY.format(digest=digest),
        )
    )
    return text.encode("utf-8")


def _environment() -> Environment:
    """Jinja2, strict: everything printed is first made visible, then escaped."""
    finalize: Any = visible
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _with_previews(view: PageView, width: int, room_bytes: int) -> PageView:
    """The same page with every picture drawn that can be; the cover comes first."""
    pictures = [picture for picture in (view.cover, *(scene.picture for scene in view.scenes)) if picture]
    drawn = iter(draw_previews([picture.source for picture in pictures], width, room_bytes))
    cover = replace(view.cover, preview=next(drawn)) if view.cover else None
    scenes = tuple(
        replace(scene, picture=replace(scene.picture, preview=next(drawn))) if scene.picture else scene
        for scene in view.scenes
    )
    return replace(view, cover=cover, scenes=scenes)
