"""Ephemeral keys with the unmodified openai package: made with a server's key, used by a client that has no other."""

import pytest
from openai import AsyncOpenAI, BadRequestError, PermissionDeniedError, AuthenticationError

from asking import PAGE_KEY, SERVER_KEY, locked_gateway
from client_turns import SPEECH
from conversation import Conversation, audio_of, types
from processes import provider
from providers import GEMINI_MODEL, OPENAI_MODEL, added_by
from spoken import ENVIRONMENT as ENGINE

MODELS = {"gemini": GEMINI_MODEL, "openai": OPENAI_MODEL, "local": None}


@pytest.fixture(scope="module")
def server(tmp_path_factory, standin):
    folder = tmp_path_factory.mktemp("ephemeral")
    providers = {
        "gemini": provider("gemini-live", standin.ports["gemini"], GEMINI_MODEL),
        "openai": provider("openai", standin.ports["openai"], OPENAI_MODEL),
        "local": {"kind": "local"},
    }
    with locked_gateway(folder, standin, ENGINE, providers=providers) as running:
        yield running


def client(server, key: str) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{server.http}/v1", api_key=key, max_retries=0)


@pytest.mark.parametrize("name", MODELS)
async def test_a_client_secret_of_the_sdk_opens_a_spoken_turn(server, name):
    session = {"type": "realtime", "instructions": "Be kind."}
    if MODELS[name]:
        session["model"] = MODELS[name]
    async with client(server, SERVER_KEY) as backend:
        secret = await backend.realtime.client_secrets.create(
            session=session,
            expires_after={"anchor": "created_at", "seconds": 60},
            extra_query={"provider": name},
        )
    assert secret.value.startswith("ek_") and secret.session.type == "realtime"
    assert secret.session.instructions == "Be kind."
    model = MODELS[name] or secret.session.model
    assert secret.session.model == model
    async with client(server, secret.value) as page, page.realtime.connect(model=model) as connection:
        talk = Conversation(connection, added_by(name))
        created = await talk.next()
        assert created["session"]["instructions"] == "Be kind." and created["session"]["model"] == model
        await talk.append(SPEECH)
        events = await talk.until("response.done")
        assert audio_of(events) and "conversation.item.added" in types(events)


@pytest.mark.parametrize("seconds, is_good", [(9, False), (10, True), (7200, True), (7201, False)])
async def test_a_secret_lives_from_10_to_7200_seconds(server, seconds, is_good):
    async with client(server, SERVER_KEY) as backend:
        order = backend.realtime.client_secrets.create(expires_after={"anchor": "created_at", "seconds": seconds})
        if is_good:
            made = await order
            assert made.expires_at and made.value.startswith("ek_")
        else:
            with pytest.raises(BadRequestError) as refused:
                await order
            assert refused.value.param == "expires_after.seconds"


async def test_a_transcription_secret_opens_a_session_that_only_listens(server):
    async with client(server, SERVER_KEY) as backend:
        secret = await backend.realtime.client_secrets.create(
            session={"type": "transcription", "audio": {"input": {"transcription": {"model": "whisper-1"}}}},
            extra_query={"provider": "openai"},
        )
    assert secret.session.type == "transcription"
    async with client(server, secret.value) as page, page.realtime.connect() as connection:
        created = await Conversation(connection, added_by("openai")).next()
        assert created["session"]["type"] == "transcription"


async def test_the_old_calls_of_the_sdk_make_secrets_too(server):
    # They send `OpenAI-Beta: assistants=v2`, which says nothing of the dialect.
    async with client(server, SERVER_KEY) as backend:
        made = await backend.beta.realtime.sessions.create(
            model="gpt-realtime", voice="echo", instructions="Be kind.", modalities=["text", "audio"]
        )
        heard = await backend.beta.realtime.transcription_sessions.create(
            input_audio_format="pcm16", input_audio_transcription={"model": "whisper-1"}
        )
    assert made.client_secret.value.startswith("ek_") and made.instructions == "Be kind." and made.voice == "echo"
    assert heard.client_secret.value.startswith("ek_") and heard.input_audio_format == "pcm16"
    async with client(server, made.client_secret.value) as page:
        async with page.realtime.connect(model="gpt-realtime") as connection:
            talk = Conversation(connection, added_by("openai"))
            created = await talk.next()
            assert created["session"]["audio"]["output"]["voice"] == "echo"
            await talk.text_turn()
    async with client(server, heard.client_secret.value) as page, page.realtime.connect() as connection:
        created = await Conversation(connection, added_by("openai")).next()
        assert created["session"]["type"] == "transcription"


async def test_what_the_sdk_is_refused_it_raises_by_its_own_names(server):
    async with client(server, "hyb_nobody") as backend:
        with pytest.raises(AuthenticationError) as refused:
            await backend.realtime.client_secrets.create()
        assert refused.value.code == "invalid_api_key"
    async with client(server, PAGE_KEY) as backend:
        with pytest.raises(PermissionDeniedError):
            await backend.models.list()
    async with client(server, SERVER_KEY) as backend:
        with pytest.raises(BadRequestError) as wrong:
            await backend.realtime.client_secrets.create(
                session={"type": "realtime", "audio": {"output": {"speed": 9.0}}}
            )
        assert wrong.value.param == "session.audio.output.speed"
        with pytest.raises(BadRequestError) as large:
            await backend.realtime.client_secrets.create(session={"type": "realtime", "instructions": "x" * 9000})
        assert large.value.code == "session_too_large" and large.value.param == "session"
