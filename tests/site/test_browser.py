"""The site in a real browser: on a phone and on a desktop, by day and by night."""

import pytest

from tests.leaderboard.page.viewer import Viewer

PAGES = ("index", "start", "faq", "api/mapping", "environments/README", "comparison/report")
WHITE, DARK = "rgb(255, 255, 255)", "rgb(19, 20, 22)"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_a_phone_and_asks_no_other_host(site, browser, page):
    viewer = Viewer(browser, (site / "docs" / f"{page}.html").as_uri())
    viewer.set_size(390, 844)
    viewer.open()
    assert viewer.requests()
    assert all(address.startswith(("file:", "data:")) for address in viewer.requests())
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert viewer.script(wide) == 0


@pytest.mark.parametrize(("scheme", "colour"), [("light", WHITE), ("dark", DARK)])
def test_it_is_light_or_dark_as_the_reader_likes(site, browser, scheme, colour):
    viewer = Viewer(browser, (site / "docs" / "index.html").as_uri())
    viewer.set_media(scheme)
    viewer.open()
    assert viewer.colour() == colour


def test_the_first_page_leads_to_the_docs(site, browser):
    viewer = Viewer(browser, (site / "index.html").as_uri())
    viewer.open()
    viewer.wait("location.pathname.endsWith('/docs/index.html')")
