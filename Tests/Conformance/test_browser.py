"""A page in a real browser, from another origin than the server's: examples/token.html, with the flow of R105."""

import base64
import contextlib
import json
import typing

import pytest
from aiohttp import web

from asking import ADMIN_KEY, PAGE_KEY, ask, locked_gateway
from cdp import Page, browser
from client_turns import SPEECH
from processes import ROOT
from sound import chunks

BY_QUERY = "openSession(`${made.wsUrl}?token=${made.token}`)"
BY_SUBPROTOCOL = "openSession(made.wsUrl, ['realtime', `openai-insecure-api-key.${made.token}`])"
# Rejected promises become text, so that the test can look at them.
TRYING = "(async () => {{ try {{ return {0}; }} catch (error) {{ return String(error); }} }})()"


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin):
    with locked_gateway(tmp_path_factory.mktemp("browser"), standin) as running:
        yield running


@pytest.fixture(scope="module")
def chromium():
    with browser() as running:
        yield running


class Visit(typing.NamedTuple):
    page: Page
    origin: str


@pytest.fixture
def visiting(server, chromium):
    """A visit to the example, from an origin of its own."""

    @contextlib.asynccontextmanager
    async def visit(key: str = PAGE_KEY):
        app = web.Application()
        app.router.add_static("/", ROOT / "examples")
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        try:
            async with chromium.page() as page:
                await page.visit(f"http://localhost:{port}/token.html?server={server.http}&key={key}")
                yield Visit(page, f"http://localhost:{port}")
        finally:
            await runner.cleanup()

    return visit


@pytest.mark.parametrize("opening", [BY_QUERY, BY_SUBPROTOCOL], ids=["query", "subprotocol"])
async def test_R084_R105_a_browser_page_gets_a_token_and_talks(visiting, opening):
    async with visiting() as (page, _):
        protocol = await page.run(f"fetchToken().then(async (made) => (window.call = await {opening}).protocol)")
        assert protocol == ("realtime" if "realtime" in opening else "")
        typed = await page.run("ask(window.call, 'Say hello.')")
        assert typed["words"] == "You said: Say hello." and typed["soundBytes"] > 0
        said = [base64.b64encode(chunk).decode() for chunk in chunks(SPEECH)]
        heard = await page.run(
            f"""(() => {{
              const heard = answer(window.call);
              for (const audio of {json.dumps(said)}) {{
                window.call.send(JSON.stringify({{ type: "input_audio_buffer.append", audio }}));
              }}
              return heard;
            }})()"""
        )
        assert "input_audio_buffer.speech_started" in heard["types"] and heard["soundBytes"] > 0
        ending = "new Promise((done) => { call.onclose = (event) => done(event.code); call.close(1000); })"
        assert await page.run(ending) == 1000


async def test_the_button_of_the_example_asks_and_shows_the_answer(visiting):
    async with visiting() as (page, _):
        await page.run("document.getElementById('ask').click()")
        shown = await page.run(
            """new Promise((done) => { const look = setInterval(() => {
              const text = document.getElementById('log').textContent;
              if (text) { clearInterval(look); done(text); }
            }, 50); })"""
        )
        assert shown.startswith("You said: what time is it. (") and "s of sound" in shown


async def test_R105_what_a_page_is_refused_it_can_read(visiting):
    async with visiting(key="vkey_wrong") as (page, _):
        assert "The API key is not valid" in await page.run(TRYING.format("await fetchToken()"))
    async with visiting() as (page, _):
        assert "provider" in await page.run(TRYING.format("await fetchToken({ provider: 'nobody' })"))


async def test_fault_row_19_a_static_key_opens_a_session_from_a_listed_page_only(server, visiting):
    async with visiting() as (page, origin):
        for name, origins, opens in (("unlisted", ["https://app.example"], False), ("listed", [origin], True)):
            order = {"name": name, "origins": origins}
            key = ask(server, "POST", "/api/v1/keys", order, key=ADMIN_KEY).json["key"]
            for protocols in (f"[], '?token={key}'", f"['realtime', 'openai-insecure-api-key.{key}'], ''"):
                offered, query = protocols.rsplit(", ", 1)
                script = f"(await openSession('{server.ws}/v1/realtime' + {query}, {offered})).readyState"
                result = await page.run(TRYING.format(script))
                assert result == (1 if opens else "Error: closed with 1006 before it was open"), (name, result)


async def test_fault_row_19_a_pinned_token_is_for_its_page_alone(visiting):
    async with visiting() as (page, origin), visiting() as (other, _):
        made = await page.run(f"fetchToken({{ origin: {json.dumps(origin)} }})")
        for visited, opens in ((page, True), (other, False)):
            result = await visited.run(
                f"(async (made) => {TRYING.format(f'(await {BY_SUBPROTOCOL}).readyState')})({json.dumps(made)})"
            )
            assert result == (1 if opens else "Error: closed with 1006 before it was open"), result
