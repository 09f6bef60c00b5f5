"""The Gemini stand-in beside Google's own client and Google's own types.

A stand-in that only its makers' proxy has ever talked to could share the proxy's mistakes. Here google-genai, unmodified
but for the address that it dials, holds conversations with it, and every frame that it sends is read by Google's types.
"""

import contextlib
import json

import pytest
from google import genai
from google.genai import _live_converters, errors, types
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from event_types import _camel, gemini_server_message
from processes import StandIn
from upstream_record import await_record

AI_STUDIO = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
VERTEX = "/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent"
KEY = "key-of-the-tests"


@contextlib.contextmanager
def running(folder, name: str, *options: str):
    standin = StandIn(folder, name, ["--gemini-story-frames", "4", "--gemini-story-interval-ms", "0", *options])
    standin.await_ready()
    try:
        yield standin
    finally:
        assert standin.stop() == 0


def client(standin: StandIn, vertex: bool = False) -> genai.Client:
    options = types.HttpOptions(api_version="v1beta1" if vertex else "v1beta")
    made = genai.Client(api_key=KEY, vertexai=vertex, http_options=options)
    # The package dials TLS only, whatever the base address says.
    made._api_client._websocket_ssl_ctx = {}
    made._api_client._websocket_base_url = lambda options=None: f"ws://127.0.0.1:{standin.ports['gemini']}"
    return made


async def words(session) -> str:
    """What the model says in one turn, by its transcript."""
    heard = ""
    async for message in session.receive():
        content = message.server_content
        if content and content.output_transcription:
            heard += content.output_transcription.text or ""
    return heard


async def say(session, text: str) -> str:
    await session.send_client_content(turns=types.Content(role="user", parts=[types.Part(text=text)]))
    return await words(session)


WEATHER = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="get_weather",
            behavior=types.Behavior.BLOCKING,
            parameters=types.Schema(type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}),
        )
    ]
)


async def tool_round(session) -> tuple[types.FunctionCall, str]:
    turn = types.Content(role="user", parts=[types.Part(text='call get_weather {"city":"Oslo"}')])
    await session.send_client_content(turns=turn)
    call = None
    while call is None:
        message = await session._receive()
        call = message.tool_call.function_calls[0] if message.tool_call else None
    response = types.FunctionResponse(id=call.id, name=call.name, response={"output": "7 C"})
    await session.send_tool_response(function_responses=[response])
    return call, await words(session)


async def test_googles_client_talks_calls_and_speaks(folder):
    with running(folder, "genai", "--gemini-key", KEY, "--gemini-transcription", "what did I say") as standin:
        config = types.LiveConnectConfig(
            response_modalities=[types.Modality.AUDIO],
            output_audio_transcription=types.AudioTranscriptionConfig(),
            tools=[WEATHER],
        )
        async with client(standin).aio.live.connect(model="gemini-3.8-live", config=config) as session:
            assert await say(session, "hello") == "You said: hello."
            call, answer = await tool_round(session)
            assert call.args == {"city": "Oslo"} and call.id
            assert answer == "The result of get_weather is 7 C."
            loud = b"\x00\x20\x00\xe0" * 4_000
            await session.send_realtime_input(audio=types.Blob(data=loud, mime_type="audio/pcm;rate=16000"))
            await session.send_realtime_input(audio_stream_end=True)
            assert await words(session) == 'I heard: hello; call get_weather {"city":"Oslo"}.'


async def test_googles_client_resumes_a_session_after_go_away(folder):
    with running(folder, "genai-resumed", "--gemini-time-left", "50") as standin:
        config = types.LiveConnectConfig(
            response_modalities=[types.Modality.AUDIO],
            output_audio_transcription=types.AudioTranscriptionConfig(),
            session_resumption=types.SessionResumptionConfig(),
        )
        google = client(standin)
        handle, left = None, None
        async with google.aio.live.connect(model="gemini-3.8-live", config=config) as session:
            await session.send_client_content(turns=types.Content(role="user", parts=[types.Part(text="go away")]))
            with pytest.raises(errors.APIError) as ended:
                while True:
                    message = await session._receive()
                    if message.session_resumption_update and message.session_resumption_update.new_handle:
                        handle = message.session_resumption_update.new_handle
                    if message.go_away:
                        left = message.go_away.time_left
        assert ended.value.code == 1006, "the service ends the connection without a close frame"
        assert left == "0.050s" and handle
        config.session_resumption.handle = handle
        async with google.aio.live.connect(model="gemini-3.8-live", config=config) as session:
            assert await say(session, "what did I say") == "I heard: go away."


async def test_googles_client_on_vertex(folder):
    with running(folder, "genai-vertex", "--gemini-vertex", "--gemini-key", KEY) as standin:
        config = types.LiveConnectConfig(
            response_modalities=[types.Modality.AUDIO],
            output_audio_transcription=types.AudioTranscriptionConfig(),
            tools=[WEATHER],
        )
        async with client(standin, vertex=True).aio.live.connect(
            model="gemini-live-2.5-flash", config=config
        ) as session:
            call, bare = await tool_round(session)
            assert call.id is None
            assert bare == "", "the turn of the call ends first"
            assert await words(session) == "The result of get_weather is 7 C."


TEXTS = [
    "hello", "call nothing", "tell me a long story", "say nothing", "end with RESPONSE_REJECTED",
    "end with NEED_MORE_INPUT", "speak and end with GENERATED_OTHER", "think hard", "interrupt yourself",
    "what was said", "what are your tools", "call f and g",
]  # fmt: skip


@pytest.mark.parametrize(
    "model, vertex, options",
    [
        ("gemini-3.8-live", False, ["--shows-thoughts", "--voice-activity", "--gemini-unsolicited"]),
        ("gemini-3.8-live", False, ["--gemini-usage", "alone", "--gemini-interruption", "complete-first"]),
        ("gemini-3.1-flash-live-preview", False, ["--gemini-interim", "--gemini-transcript", "during"]),
        ("gemini-2.5-flash-native-audio-latest", False, ["--gemini-usage", "late", "--gemini-transcript", "after"]),
        ("gemini-3.8-live-extended-thinking", False, ["--gemini-interruption", "together"]),
        ("gemini-live-2.5-flash", True, ["--gemini-usage", "early"]),
        ("gemini-3.8-live", True, ["--gemini-call-ids", "--voice-activity"]),
    ],
)
def test_every_frame_is_valid_by_googles_types(folder, model, vertex, options):
    platform = ["--gemini-vertex"] if vertex else []
    name = f"frames-{model}{'-'.join([*platform, *options])}"
    with running(folder, name, *platform, *options) as standin:
        prefix = "publishers/google/models/" if vertex else "models/"
        generation = {"responseModalities": ["AUDIO"]}
        if "thinking" in model:
            generation["thinkingConfig"] = {"thinkingLevel": "LOW"}
        tools = [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]
        if "2.5" not in model:
            tools.append({"googleSearch": {}})
        setup = {
            "model": prefix + model, "generationConfig": generation, "tools": tools, "sessionResumption": {},
            "inputAudioTranscription": {}, "outputAudioTranscription": {},
        }  # fmt: skip
        with connect(f"ws://127.0.0.1:{standin.ports['gemini']}{VERTEX if vertex else AI_STUDIO}") as socket:
            socket.send(json.dumps({"setup": setup}))
            while "setupComplete" not in json.loads(socket.recv()):
                pass
            loud, quiet = "ACAA4AAgAOAAIADg" * 800, "AAAA" * 10_000
            for data in (loud, quiet):
                blob = {"mimeType": "audio/pcm;rate=16000", "data": data}
                socket.send(json.dumps({"realtimeInput": {"audio": blob}}))
            for text in TEXTS:
                socket.send(json.dumps({"realtimeInput": {"text": text}}))
            calls = []
            while not calls:
                calls = json.loads(socket.recv(timeout=10)).get("toolCall", {}).get("functionCalls", [])
            results = [{**{key: call[key] for key in call if key != "args"}, "response": {"n": 1}} for call in calls]
            socket.send(json.dumps({"toolResponse": {"functionResponses": results}}))
            socket.send(json.dumps({"realtimeInput": {"text": "drop the line"}}))
            with contextlib.suppress(ConnectionClosed):
                while True:
                    socket.recv(timeout=10)
        record = await_record(standin.record, lambda record: True)
    sent = [frame for frame in record.frames if not frame.received]
    assert len(sent) > 60
    for frame in sent:
        message = frame.message
        if vertex and "usageMetadata" in message:
            read = _live_converters._UsageMetadata_from_vertex(message["usageMetadata"], {})
            assert len(read) == len(message["usageMetadata"]), message
            message["usageMetadata"] = _camel(read)
        gemini_server_message(json.dumps(message))
