"""A gateway whose configuration the tests change while it runs."""

import pathlib
import time

from asking import ADMIN_KEY, Answer, ask, greeting
from processes import Gateway, StandIn, provider
from providers import GEMINI_MODEL, OPENAI_MODEL

WAIT_SECONDS = 15.0
MODELS = {"gemini": GEMINI_MODEL, "openai": OPENAI_MODEL}


class ConfiguredGateway(Gateway):
    """Two stand-ins and the voice engine; the runtime file is in the test's folder."""

    def __init__(self, folder: pathlib.Path, standin: StandIn, runtime: str | None = None, **environment: str):
        folder.mkdir(exist_ok=True)
        self.runtime = folder / "runtime.yaml"
        if runtime is not None:
            self.runtime.write_text(runtime)
        self.routes = {
            "default": "gemini",
            "providers": {
                "gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL),
                "openai": provider("openai", standin.ports["openai"], OPENAI_MODEL),
                "local": {"kind": "local"},
            },
        }
        named = {"RUNTIME_CONFIG_PATH": str(self.runtime), "ENGINE_API_KEY": ADMIN_KEY}
        # Nothing of the developer's own shell: a stage without a key is the machine's.
        unset = {name: "" for name in ("GROQ_API_KEY", "DEEPGRAM_API_KEY", "OPENROUTER_API_KEY", "LLM_BASE_URL")}
        super().__init__(folder, self.routes, {**unset, **named, **environment})

    def admin(self, method: str, target: str, body: object = None, headers: dict | None = None) -> Answer:
        return ask(self, method, target, body, key=ADMIN_KEY, headers=headers)

    def shown(self) -> dict:
        answer = self.admin("GET", "/config")
        assert answer.status == 200, answer
        return answer.json

    def put(self, patch: object, query: str = "") -> dict:
        answer = self.admin("PUT", f"/config{query}", patch)
        assert answer.status == 200, answer
        return answer.json

    async def default_model(self) -> str:
        """Of a new session that names neither a model nor a provider."""
        return (await greeting(f"{self.ws}/v1/realtime"))["session"]["model"]

    def metric(self, name: str) -> float:
        """A sample of /metrics, by its name with its labels."""
        text = ask(self, "GET", "/metrics").body.decode()
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " "))


def eventually(condition, what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)
