"""What a fault of a service does to a turn of the voice engine: the client is told why, and the next turn works."""

import pytest

from conversation import audio_of, conversation, of_type
from remote_engine import cascade, failed_turn, manual, outcome, question_audio, transcript_of  # noqa: F401
from standins_chat import Answer, Refusal, Silence
from standins_speech import Speech, Transcript, running_standins, standins  # noqa: F401

# Faults of the language model: the turn fails with the reason, the next one works.

OPENAI_ERROR = {"message": "Something of the service.", "type": "server_error", "param": None, "code": None}
GROQ_LIMIT = {"message": "Rate limit reached for model.", "type": "tokens", "code": "rate_limit_exceeded"}
LOADING = {"code": 503, "message": "Loading model", "type": "unavailable_error"}
UNPROCESSABLE = [{"loc": ["body", "model"], "msg": "field required", "type": "value_error.missing"}]
PAGE = "<html><body>Bad Gateway</body></html>"
GONE = {
    "id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "provider": "p",
    "error": {"code": "server_error", "message": "Provider disconnected"},
    "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
}  # fmt: skip
# What the service does, the code of the failed response, and words of its reason.
FAULTS = {
    "401": (Refusal(401, {"error": {**OPENAI_ERROR, "code": "invalid_api_key"}}), "llm_refused", "Something of the"),
    "404 with detail": (Refusal(404, {"detail": "Not Found"}), "llm_refused", "Not Found"),
    "400 with a text": (Refusal(400, {"error": "model is required"}), "llm_refused", "model is required"),
    "422 of FastAPI": (Refusal(422, {"detail": UNPROCESSABLE}), "llm_refused", "field required"),
    "429 of Groq": (Refusal(429, {"error": GROQ_LIMIT}, {"retry-after": "7"}), "rate_limit_exceeded", "Rate limit"),
    "500 in plain text": (Refusal(500, "Server Error", content_type="text/plain"), "llm_refused", "500"),
    "502 of a proxy": (Refusal(502, PAGE, content_type="text/html"), "llm_refused", "502"),
    "503 while loading": (Refusal(503, {"error": LOADING}), "llm_refused", "Loading model"),
    "200 with an error": (Refusal(200, {"error": OPENAI_ERROR}), "llm_refused", "Something of the service."),
    "200 with a page": (Refusal(200, PAGE, content_type="text/html"), "llm_protocol_error", "stream"),
    "an error at once": (Answer(words="", broken_by={"error": OPENAI_ERROR}), "llm_refused", "Something of the"),
    "an error in the stream": (Answer(broken_by={"error": {"code": 502, "message": "Died"}}), "llm_refused", "Died"),
    "vLLM's error": (Answer(broken_by={"object": "error", "message": "OOM", "code": 500}), "llm_refused", "OOM"),
    "finish_reason error": (Answer(broken_by=GONE), "llm_refused", "Provider disconnected"),
    "no JSON in the stream": (Answer(broken_by=b"data: {nonsense\n\ndata: [DONE]\n\n"), "llm_protocol_error", "JSON"),
    "half a line": (Answer(broken_by=b'data: {"id":"x","choi'), "llm_protocol_error", "The chat server"),
    "an end without a finish": (Answer(broken_by=b""), "llm_protocol_error", "in the middle"),
    "a connection broken off": (
        Answer(broken_by=b"", breaks_off=True),
        "llm_protocol_error",
        "broke the connection off",
    ),
    "no answer at all": (Silence(), "llm_timeout", "did not answer within 1.5 seconds"),
}


@pytest.mark.parametrize("plan, code, reason", FAULTS.values(), ids=FAULTS)
async def test_a_fault_of_the_chat_server_fails_the_turn_and_the_next_works(cascade, standins, plan, code, reason):
    async with conversation(cascade, None) as talk:
        standins.chat.plan(plan)
        await failed_turn(talk, {code}, reason)
        events = await talk.text_turn("And now?")
        assert outcome(events)["status"] == "completed"
        assert "opens at nine" in transcript_of(events)


async def test_a_chat_server_that_is_down_fails_the_turn_and_the_next_works(cascade, standins):
    async with conversation(cascade, None) as talk:
        with standins.services.without(standins.chat):
            await failed_turn(talk, {"llm_unreachable"}, "cannot be reached")
        assert outcome(await talk.text_turn())["status"] == "completed"


# Faults of the other services.

HEARING_FAULTS = {
    "401": Refusal(401, {"error": OPENAI_ERROR}),
    "422 of FastAPI": Refusal(422, {"detail": UNPROCESSABLE}),
    "an error that is text": Refusal(400, {"error": "no 'file' field in the request"}),
    "429": Refusal(429, {"error": GROQ_LIMIT}),
    "500 in plain text": Refusal(500, "oops", content_type="text/plain"),
    "200 without a text": Refusal(200, {"task": "transcribe"}),
}


@pytest.mark.parametrize("plan", HEARING_FAULTS.values(), ids=HEARING_FAULTS)
async def test_a_fault_of_the_transcriber_is_told_and_the_next_turn_is_heard(cascade, standins, question_audio, plan):
    async with conversation(cascade, None) as talk:
        await manual(talk)
        standins.hearing.plan(plan)
        for kind in ("failed", "completed"):
            await talk.append(question_audio)
            await talk.connection.input_audio_buffer.commit()
            # A limit is told as an error of the session, too.
            events = await talk.until(f"conversation.item.input_audio_transcription.{kind}", accept_errors=True)
            assert {event["error"]["code"] for event in of_type(events, "error")} <= {"rate_limit_exceeded"}
        assert events[-1]["transcript"] == Transcript().text


SPEECH_FAULTS = {
    "400 of Kokoro": Refusal(
        400, {"detail": {"error": "validation_error", "message": "No", "type": "invalid_request_error"}}
    ),
    "429": Refusal(429, {"error": GROQ_LIMIT}),
    "500": Refusal(500, "oops", content_type="text/plain"),
    "JSON instead of sound": Refusal(200, {"error": OPENAI_ERROR}),
    "an end in the middle": Speech(milliseconds=900, breaks_after=250),
}


@pytest.mark.parametrize("plan", SPEECH_FAULTS.values(), ids=SPEECH_FAULTS)
async def test_a_fault_of_the_speech_server_fails_the_turn_and_the_next_is_spoken(cascade, standins, plan):
    standins.speaking.plan(plan)
    async with conversation(cascade, None) as talk:
        await failed_turn(talk, {"tts_refused", "tts_unreachable", "tts_protocol_error", "rate_limit_exceeded"})
        assert audio_of(await talk.text_turn())
