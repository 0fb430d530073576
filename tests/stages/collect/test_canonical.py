"""One address for one thing, whoever links it and whatever was hung on the link."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidInput
from app.models import SourceKind
from app.models.content import Section
from app.stages.collect import sourcing
from app.stages.collect.canonical import LONGEST, canonical, names_one_thing, site_of, web_address
from app.stages.collect.sourcing import SourceFields
from app.stages.collect.stories import StoryFields

SAME = [
    ("https://example.org/a", "http://www.Example.org:80/a/"),
    ("https://example.org/a", "https://example.org/a?utm_source=x&UTM_Medium=y&fbclid=1&ref=hn#part"),
    ("https://example.org/a?b=1&c=2", "https://example.org/a?c=2&utm_campaign=z&b=1"),
    ("https://example.org", "https://example.org/"),
    ("https://example.org/~ada/%C3%A9", "https://example.org/%7eada/%c3%a9"),
    ("https://example.org/b", "https://example.org/a/../b/."),
    ("https://example.org/a%2Fb", "https://example.org/a%2fb"),
    ("https://xn--mnchen-3ya.example", "https://MÜNCHEN.example/"),
    ("https://medium.com/@ada/a-piece-1", "https://medium.com/@ada/a-piece-1?source=rss-1------2"),
    ("https://arxiv.org/abs/2606.13677", "http://arxiv.org/abs/2606.13677v3"),
    ("https://arxiv.org/abs/2606.13677", "https://arxiv.org/pdf/2606.13677v1.pdf"),
    ("https://arxiv.org/abs/2606.13677", "https://export.arxiv.org/abs/2606.13677"),
    ("https://arxiv.org/abs/2606.13677", "https://huggingface.co/papers/2606.13677"),
    ("https://arxiv.org/abs/2606.13677", "https://www.alphaxiv.org/abs/2606.13677v2"),
    ("https://arxiv.org/abs/2606.13677", "https://doi.org/10.48550/arXiv.2606.13677"),
    ("https://arxiv.org/abs/math.GT/0309136", "https://arxiv.org/abs/math.GT/0309136v1"),
    ("https://github.com/quoin/quoin", "https://github.com/Quoin/quoin.git"),
    ("https://github.com/quoin/quoin", "https://github.com/quoin/quoin/tree/main?tab=readme-ov-file#quoin"),
]
DIFFERENT = [
    ("https://example.org/a", "https://example.org/b"),
    ("https://example.org/a?id=1", "https://example.org/a?id=2"),
    ("https://example.org/watch?v=a", "https://example.org/watch?v=b"),
    ("https://example.org/A", "https://example.org/a"),
    ("https://example.org/?source=a", "https://example.org/?source=b"),
    ("https://arxiv.org/abs/2606.13677", "https://arxiv.org/abs/2606.13678"),
    ("https://github.com/quoin/quoin", "https://github.com/quoin/quoin/releases/tag/v2"),
    ("https://github.com/topics/llm", "https://github.com/topics/rag"),
    ("https://huggingface.co/papers/2606.13677", "https://huggingface.co/quoin/model"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_thing_has_one_address(one: str, other: str) -> None:
    """However it is linked."""
    assert canonical(one) == canonical(other) == one


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_things_keep_different_addresses(one: str, other: str) -> None:
    """A parameter that names the thing is no decoration."""
    assert canonical(one) is not None
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "url",
    ["", "example.org/a", "ftp://example.org/a", "javascript:alert(1)", "https://", "https://localhost/a",
     "https://user@example.org/", "https://openai.com@example.org/", "https://[::1]/a", "https://exa mple.org/",
     "https://example.org:99999/", "data:text/html,x", "https://" + "a" * 70 + ".example/",
     "https://example.org/" + "a" * LONGEST],
)  # fmt: skip
def test_what_is_no_public_web_address_has_none(url: str) -> None:
    """Nor has one that was made to look like another's."""
    assert canonical(url) is None


@given(
    st.builds(
        "{}://{}{}/{}?{}#{}".format,
        st.sampled_from(["http", "HTTPS"]),
        st.sampled_from(
            ["example.org", "www.example.org", "www.www.example.org", "arxiv.org", "github.com", "BÜCHER.example"]
        ),
        st.sampled_from(["", ":443", ":8080"]),
        st.text(alphabet="ab/.%2fFE~ü Ä&=+?;v1", max_size=30),
        st.text(alphabet="ab=&;%20+utm_ref?/é", max_size=30),
        st.text(max_size=5),
    )
    | st.text(max_size=60)
)
def test_making_it_canonical_twice_changes_nothing(url: str) -> None:
    """It is a key: printable ASCII, short, and stable."""
    key = canonical(url)
    if key is not None:
        assert canonical(key) == key
        assert key.isascii()
        assert key.isprintable()
        assert len(key) <= LONGEST
        assert " " not in key


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), max_size=5), st.randoms())
def test_the_order_of_parameters_is_nothing(pairs: list[tuple[str, str]], chance: object) -> None:
    """Two links that differ in it lead to one thing."""
    shuffled = list(pairs)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    one, other = ("&".join(f"{name}={value}" for name, value in some) for some in (pairs, shuffled))
    assert canonical(f"https://example.org/?{one}") == canonical(f"https://example.org/?{other}")


def test_papers_and_repositories_are_things_of_their_own() -> None:
    """Two of them are never one, however alike their names."""
    assert names_one_thing("https://arxiv.org/abs/2606.13677")
    assert names_one_thing("https://github.com/quoin/quoin")
    assert not names_one_thing("https://github.com/quoin/quoin/releases/tag/v2")
    assert not names_one_thing("https://example.org/a")


def test_a_site_is_named_as_readers_know_it() -> None:
    """For a link that came without the name of who wrote it."""
    assert site_of("https://WWW.Example.org:8443/a") == "example.org"
    assert site_of("mailto:a") == site_of("https://[") == ""


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("https://a.example/a b?c=d e#f g", "https://a.example/a%20b?c=d%20e#f%20g"),
        (" https://a.example/a\n", "https://a.example/a"),
        ("https://a.example/a\tb\nc", "https://a.example/abc"),
        ("https://a.example/caf\u00e9\u00a0noir", "https://a.example/caf\u00e9%C2%A0noir"),
        ("https://a.example/\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "https://a.example/\u0645\u06cc%E2%80%8C\u062e\u0648\u0627\u0647\u0645"),
        ("https://a.example/a%20b", "https://a.example/a%20b"),
        ("https://b\u00fccher.example/", "https://b\u00fccher.example/"),
    ],
)  # fmt: skip
def test_an_address_that_somebody_gives_is_read_as_browsers_do(given: str, read: str) -> None:
    """Of a story or a source, by hand, in a file or through the API."""
    assert web_address(given, 1000) == read
    assert StoryFields(section=Section.TOOLS, headline="One", standfirst="x", url=given).url == read
    assert SourceFields(kind=SourceKind.FEED, name="One", url=given).url == read


@pytest.mark.parametrize("url", ["a.example", "ftp://a.example/", "https:///a", "https://a b.example/", "https://[::1/",
                                 "https://a.example:port/", "https://a.example/" + " " * 500 + "x"])  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"web address|at most 1000 characters"):
        web_address(url, 1000)
    with pytest.raises(InvalidInput):
        sourcing.parse({"url": url, "name": "One"})
