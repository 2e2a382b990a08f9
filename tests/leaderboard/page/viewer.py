"""What a person does with the page, and what the browser noticed meanwhile."""

import json
from typing import Any

from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

SECONDS = 30
"""How long a change may take on a busy machine; only a failing test waits so long."""


class Viewer:
    def __init__(self, browser: Chrome, url: str) -> None:
        self.browser, self.url = browser, url
        self.set_media("light")
        self.set_size(1280, 1000)

    def open(self, address: str = "") -> None:
        """Load the page anew; the logs begin with it, and no theme is remembered."""
        self.browser.get("about:blank")
        self.browser.get_log("browser")
        self.browser.get_log("performance")
        self.browser.get(self.url + address)
        self.script("localStorage.clear()")

    def require_quiet(self) -> None:
        """Nothing but the file itself was asked for, and the console is empty."""
        assert self.browser.get_log("browser") == []
        assert self.requests() == {self.url.split("#")[0]}
        assert self.script("return window.hacked") is None

    def requests(self) -> set[str]:
        """Addresses of all requests since the page was opened, those that a policy stopped too."""
        messages = [
            json.loads(e["message"])["message"] for e in self.browser.get_log("performance")
        ]
        return {
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        }

    def script(self, code: str, *arguments: Any) -> Any:
        return self.browser.execute_script(code, *arguments)

    def find(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def key(self, name: str) -> WebElement:
        """The control of that data-key."""
        return self.find(f'[data-key="{name}"]')

    def texts(self, selector: str) -> list[str]:
        code = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return list(self.script(code, selector))

    def column(self, number: int) -> list[str]:
        """What the rows show in a column, counted from 1."""
        return self.texts(f"#table tbody tr > :nth-child({number})")

    def names(self) -> list[str]:
        return self.texts("#table tbody .open")

    def headers(self) -> list[str]:
        code = "return [...document.querySelectorAll('thead button')].map((b) => b.dataset.key)"
        return [key.removeprefix("sort ") for key in self.script(code)]

    def choose(self, name: str, value: str) -> None:
        """Choose in a select as a person does: the browser tells the page."""
        code = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))"
        self.script(code, self.key(name), value)

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self.browser).send_keys(key).perform()

    def tab_to(self, name: str) -> None:
        """Go on with the tabulator until the control of that data-key has the focus."""
        for _ in range(60):
            if self.focused() == name:
                return
            self.press(Keys.TAB)
        raise AssertionError(f"the tabulator never comes to {name}")

    def focused(self) -> str | None:
        return self.script("return document.activeElement?.dataset?.key ?? null")

    def wait(self, code: str) -> None:
        """Until an expression of JavaScript holds."""
        WebDriverWait(self.browser, SECONDS).until(lambda _: self.script(f"return {code}"))

    def set_media(self, scheme: str) -> None:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def set_size(self, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def colour(self) -> str:
        return str(self.script("return getComputedStyle(document.body).backgroundColor"))
