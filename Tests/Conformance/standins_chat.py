"""Strict stand-in of OpenAI-compatible chat servers: the paths of OpenAI, Groq and OpenRouter, and of vLLM-Omni.

Every request is judged by `CompletionCreateParams` of the official package, fields that it does not declare included,
and by what services refuse beyond types: calls without results, results without calls, a choice of tools without tools.
"""

import asyncio
import base64
import dataclasses
import json
import re

from aiohttp import web
from openai.types import Model
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

from sound import tone
from standins_services import Exchange, Refused, Service, speech_of_wav, wav, write_oddly
from strict_types import TypeFault, judge

# Fields beyond OpenAI's that the vendors document.
DOCUMENTED = {
    "/openai/v1": frozenset({"include_reasoning", "reasoning_format"}),
    "/api/v1": frozenset({"include_reasoning", "models", "provider", "reasoning", "route", "transforms", "usage"}),
    "/v1": frozenset(),
}
# OpenAI's fields that Groq answers with 400.
REFUSED_BY_GROQ = {"logit_bias", "logprobs", "top_logprobs"}
CHUNK_EXTRAS = frozenset({"x_groq", "provider", "modality"})


@dataclasses.dataclass
class Answer:
    """A stream of words, calls and thoughts."""

    words: str = "The café — yes, the 🎈 one — opens at nine. Shall I book a table?"
    # Seconds between chunks.
    pause: float = 0.0
    # Name and JSON arguments each.
    calls: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    # Some servers send a call in one piece, without type, all with index 0, and finish with stop.
    calls_are_crude: bool = False
    # Streamed in this field before the words.
    thoughts: str = ""
    thoughts_field: str = "reasoning"
    finish: str | None = None
    line_end: bytes = b"\n"
    field_end: bytes = b": "
    comments: bool = False
    # How it ends early: an object sent as data, or bytes that are the last ones.
    broken_by: dict | bytes | None = None
    # The connection ends, and not only the body.
    breaks_off: bool = False
    has_done: bool = True
    # After the first words nothing comes any more.
    stalls: bool = False


@dataclasses.dataclass
class Refusal:
    """An answer that is no stream."""

    status: int
    body: dict | str
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    content_type: str = "application/json"


@dataclasses.dataclass
class Silence:
    """The request is taken, and nothing ever comes."""


def pieces_of(text: str) -> list[str]:
    """Word by word, as tokens come."""
    return re.findall(r"\s*\S+", text)


class ChatServer(Service):
    name = "chat"
    key = "chat-key-0123456789"
    models = ["test-model", "openai/gpt-oss-20b", "some-vendor/some-model:free"]
    # Where each vendor's API begins.
    bases = ("/v1", "/openai/v1", "/api/v1")

    def __init__(self):
        super().__init__()
        self._calls = 0

    def routes(self) -> list[web.RouteDef]:
        found = []
        for base in self.bases:
            found += [web.post(f"{base}/chat/completions", self._complete), web.get(f"{base}/models", self._list)]
        return found

    async def _list(self, request: web.Request) -> web.Response:
        models = [{"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "test"} for name in self.models]
        return web.json_response({"object": "list", "data": [self.own(model, Model) for model in models]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        try:
            exchange = self.open(request)
            body = await self.json_body(request, exchange)
            self.check(request, body)
        except Refused as refused:
            error = {"message": str(refused), "type": "invalid_request_error", "param": None, "code": None}
            return web.json_response({"error": error}, status=refused.status)
        except TypeFault as fault:
            self.fault(str(fault))
            error = {"message": str(fault), "type": "invalid_request_error", "param": None, "code": None}
            return web.json_response({"error": error}, status=400)
        async with self.following(exchange):
            return await self.answer(request, exchange, self.planned(self.plain()))

    def plain(self):
        return Answer()

    # Judging.

    def check(self, request: web.Request, body: dict) -> None:
        base = request.path.removesuffix("/chat/completions")
        judge(self.known_parts(body), CompletionCreateParamsStreaming, extra=self.extra_fields(base))
        if body["model"] not in self.models:
            self.fault(f"there is no model {body['model']!r}")
            raise Refused(404, f"The model `{body['model']}` does not exist.")
        if base == "/openai/v1" and (strange := sorted(REFUSED_BY_GROQ & set(body))):
            raise TypeFault(f"Groq does not take {strange}")
        if not 0 <= body.get("temperature", 0) <= 2:
            raise TypeFault(f"temperature {body['temperature']}")
        for name in ("max_tokens", "max_completion_tokens"):
            if body.get(name) is not None and body[name] < 1:
                raise TypeFault(f"{name} {body[name]}")
        self._check_tools(body)
        self._check_order(body["messages"])

    def extra_fields(self, base: str) -> frozenset[str]:
        return DOCUMENTED[base]

    def known_parts(self, body: dict) -> dict:
        """The body without content that only this server knows."""
        return body

    def _check_tools(self, body: dict) -> None:
        tools = body.get("tools")
        if tools is None:
            for name in ("tool_choice", "parallel_tool_calls"):
                if name in body:
                    raise TypeFault(f"{name} without tools")
            return
        if not tools:
            raise TypeFault("an empty list of tools")
        names = [tool["function"]["name"] for tool in tools]
        if len(set(names)) != len(names) or not all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names):
            raise TypeFault(f"tools are called {names}")
        for tool in tools:
            if tool["function"].get("parameters", {"type": "object"}).get("type") != "object":
                raise TypeFault(f"the parameters of {tool['function']['name']} are no object")

    def _check_order(self, messages: list[dict]) -> None:
        """Each call is answered at once, by its id, and nothing else is."""
        if not messages:
            raise TypeFault("no messages")
        open_calls: set[str] = set()
        for index, message in enumerate(messages):
            where = f"messages[{index}]"
            if message["role"] == "tool":
                if message["tool_call_id"] not in open_calls:
                    raise TypeFault(f"{where} answers no call")
                open_calls.remove(message["tool_call_id"])
                continue
            if open_calls:
                raise TypeFault(f"{where} comes before the results of {sorted(open_calls)}")
            calls = message.get("tool_calls")
            if calls is not None and not calls:
                raise TypeFault(f"{where}.tool_calls is empty")
            for call in calls or []:
                open_calls.add(call["id"])
                if not isinstance(json.loads(call["function"]["arguments"]), dict):
                    raise TypeFault(f"{where}: arguments are no object")
            if message["role"] == "assistant" and not calls and not message.get("content"):
                raise TypeFault(f"{where} says nothing and calls nothing")
        if open_calls:
            raise TypeFault(f"no results of {sorted(open_calls)}")

    # Answering.

    async def answer(self, request: web.Request, exchange: Exchange, plan) -> web.StreamResponse:
        if isinstance(plan, Silence):
            await asyncio.sleep(3600)
        if isinstance(plan, Refusal):
            text = plan.body if isinstance(plan.body, str) else json.dumps(plan.body)
            return web.Response(status=plan.status, text=text, content_type=plan.content_type, headers=plan.headers)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        if plan.comments:
            await write_oddly(response, b": OPENROUTER PROCESSING" + plan.line_end * 2)
        for chunk in self.chunks(exchange.body, plan):
            await self._send(response, plan, chunk)
            if plan.comments:
                await response.write(b": OPENROUTER PROCESSING" + plan.line_end * 2)
            await asyncio.sleep(3600 if plan.stalls else plan.pause)
        if isinstance(plan.broken_by, dict):
            await self._send(response, plan, plan.broken_by)
        elif isinstance(plan.broken_by, bytes):
            await response.write(plan.broken_by)
            if plan.breaks_off:
                request.transport.close()
            return response
        if plan.has_done:
            await write_oddly(response, b"data" + plan.field_end + b"[DONE]" + plan.line_end * 2)
        return response

    async def _send(self, response: web.StreamResponse, plan: Answer, chunk: dict) -> None:
        line = json.dumps(chunk, ensure_ascii=False).encode()
        await write_oddly(response, b"data" + plan.field_end + line + plan.line_end * 2, largest=4093)

    def chunks(self, body: dict, plan: Answer) -> list[dict]:
        """What is streamed, each chunk as the package's type declares it."""
        deltas = [{"role": "assistant", "content": ""}]
        deltas += [{plan.thoughts_field: piece} for piece in pieces_of(plan.thoughts)]
        deltas += [{"content": piece} for piece in pieces_of(plan.words)]
        deltas += self._call_deltas(plan)
        found = [self.chunk(body, delta) for delta in deltas]
        if plan.broken_by is not None or plan.stalls:
            return found
        usual = "tool_calls" if plan.calls and not plan.calls_are_crude else "stop"
        found.append(self.chunk(body, {}, plan.finish or usual))
        if body.get("stream_options", {}).get("include_usage"):
            usage = {"prompt_tokens": 41, "completion_tokens": 17, "total_tokens": 58}
            found.append(self.own({**self.chunk(body, {}), "choices": [], "usage": usage}, ChatCompletionChunk))
        return found

    def _call_deltas(self, plan: Answer) -> list[dict]:
        found = []
        for index, (name, arguments) in enumerate(plan.calls):
            self._calls += 1
            start = {"index": index, "id": f"call_{self._calls}", "type": "function"}
            if plan.calls_are_crude:
                call = {"index": 0, "id": start["id"], "function": {"name": name, "arguments": arguments}}
                found.append({"tool_calls": [call]})
                continue
            found.append({"tool_calls": [{**start, "function": {"name": name, "arguments": ""}}]})
            for at in range(0, len(arguments), 3):
                piece = {"index": index, "function": {"arguments": arguments[at : at + 3]}}
                found.append({"tool_calls": [piece]})
        return found

    def chunk(self, body: dict, delta: dict, finish: str | None = None, **extra) -> dict:
        chunk = {
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": body["model"],
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }  # fmt: skip
        declared = {**chunk, "choices": [{**chunk["choices"][0], "delta": dict(delta)}]}
        for field in ("reasoning", "reasoning_content"):
            # Sent by the services, not declared by the package.
            declared["choices"][0]["delta"].pop(field, None)
        self.own(declared, ChatCompletionChunk)
        return {**chunk, **extra}


class OmniServer(ChatServer):
    """vLLM-Omni serving Qwen2.5-Omni: hears the turn as a WAV, answers with words and then with one WAV."""

    name = "omni"
    key = None
    bases = ("/v1",)
    models = ["Qwen/Qwen2.5-Omni-3B"]
    speakers = {"Chelsie", "Ethan"}
    prompt = "You are Qwen, a virtual human developed by the Qwen Team"
    hertz = 523.0

    def __init__(self):
        super().__init__()
        # The samples of each turn that was heard.
        self.heard: list[bytes] = []

    def extra_fields(self, base: str) -> frozenset[str]:
        return frozenset({"speaker", "sampling_params_list", "mm_processor_kwargs"})

    def known_parts(self, body: dict) -> dict:
        messages = []
        for message in body.get("messages", []):
            content = message.get("content")
            if message.get("role") == "user" and isinstance(content, list):
                content = [self._known_part(part) for part in content]
            messages.append({**message, "content": content} if "content" in message else message)
        return {**body, "messages": messages}

    def _known_part(self, part: dict) -> dict:
        if part.get("type") != "audio_url":
            return part
        url = part.get("audio_url", {}).get("url", "") if set(part) == {"type", "audio_url"} else ""
        prefix = "data:audio/wav;base64,"
        if not url.startswith(prefix) or set(part["audio_url"]) != {"url"}:
            raise TypeFault(f"audio_url is {json.dumps(part)[:120]}")
        self.heard.append(speech_of_wav(base64.b64decode(url[len(prefix) :], validate=True)))
        return {"type": "text", "text": "(speech)"}

    def check(self, request: web.Request, body: dict) -> None:
        super().check(request, body)
        if body.get("speaker", "Chelsie") not in self.speakers:
            raise TypeFault(f"there is no speaker {body['speaker']!r}")
        first = body["messages"][0]
        text = first["content"] if isinstance(first["content"], str) else first["content"][0]["text"]
        if first["role"] != "system" or not text.startswith(self.prompt):
            raise TypeFault("without its own system prompt the model does not speak")

    def chunks(self, body: dict, plan: Answer) -> list[dict]:
        modalities = body.get("modalities") or ["text", "audio"]
        deltas = [{"role": "assistant", "content": ""}]
        deltas += [{"content": piece} for piece in pieces_of(plan.words)]
        found = [self.chunk(body, delta, modality="text") for delta in deltas]
        found.append(self.chunk(body, {"content": ""}, "stop", modality="text"))
        if "audio" in modalities:
            sound = wav(tone(self.hertz, 900), 24_000)
            spoken = {"content": base64.b64encode(sound).decode()}
            found.append(self.chunk(body, spoken, modality="audio"))
            found.append(self.chunk(body, {"content": ""}, "stop", modality="audio"))
        usage = {"prompt_tokens": 41, "completion_tokens": 17, "total_tokens": 58}
        if body.get("stream_options", {}).get("include_usage"):
            found.append({**self.chunk(body, {}), "choices": [], "usage": usage})
        return found
