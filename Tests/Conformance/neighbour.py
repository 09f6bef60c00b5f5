"""A session that runs beside every fault, and whose stream has to stay the same to the bit."""

import base64
import json
import threading
import typing

from websockets.sync.client import connect

from upstream_record import await_record

WORDS = "one after another, whatever happens beside us"
ANSWER_SECONDS = 20.0


class Neighbour:
    """Speaks and is answered again and again, in a thread of its own; every answer is held against the first."""

    def __init__(self, gateway, provider: str):
        self._address = f"{gateway.ws}/v1/realtime?provider={provider}"
        self._changed = threading.Condition()
        self._answers: list[tuple[bytes, str]] = []
        self._fault: BaseException | None = None
        self._is_stopping = False
        self.appended: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def answers(self) -> int:
        return len(self._answers)

    def await_answers(self, count: int) -> None:
        """Waits until so many answers have come in all, and judges every one of them."""
        with self._changed:
            came = self._changed.wait_for(
                lambda: self._fault or len(self._answers) >= count, ANSWER_SECONDS
            )
            assert not self._fault, self._fault
            assert came, "the neighbour is not answered any more"
            assert len(set(self._answers)) == 1, "the neighbour heard something else than before"

    def stop(self) -> None:
        self._is_stopping = True
        self._thread.join(ANSWER_SECONDS)
        assert not self._fault, self._fault

    def check_upstream(self, record, service: str) -> None:
        """What the provider got from this session is what it said: every piece, once, in order."""

        def arrived(found) -> list[str]:
            marks = found.connections(service, lambda message: message.get("audio") == self.appended[0])
            return [
                message["audio"]
                for number in marks
                for message in found.received(service, number)
                if message["type"] == "input_audio_buffer.append"
            ]

        assert arrived(await_record(record, lambda found: arrived(found) == self.appended)) == self.appended

    def _run(self) -> None:
        try:
            with connect(self._address) as socket:
                self._send(socket, "session.update", session={
                    "type": "realtime", "audio": {"input": {"turn_detection": None}},
                })  # fmt: skip
                item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": WORDS}]}
                while not self._is_stopping:
                    number = len(self.appended)
                    piece = b"".join((number * 1_000 + index).to_bytes(4, "little") for index in range(480))
                    self.appended.append(base64.b64encode(piece).decode())
                    self._send(socket, "input_audio_buffer.append", audio=self.appended[-1])
                    self._send(socket, "input_audio_buffer.clear")
                    self._send(socket, "response.create", response={"conversation": "none", "input": [item]})
                    answer = self._answer(socket)
                    with self._changed:
                        self._answers.append(answer)
                        self._changed.notify_all()
        except BaseException as fault:
            with self._changed:
                self._fault = fault
                self._changed.notify_all()

    @staticmethod
    def _send(socket, kind: str, **fields: typing.Any) -> None:
        socket.send(json.dumps({"type": kind, **fields}))

    @staticmethod
    def _answer(socket) -> tuple[bytes, str]:
        """The audio and the words of a response, in the order of their coming."""
        audio, words = b"", ""
        while True:
            event = json.loads(socket.recv(ANSWER_SECONDS))
            assert event["type"] != "error", event
            if event["type"] == "response.output_audio.delta":
                audio += base64.b64decode(event["delta"], validate=True)
            elif event["type"] == "response.output_audio_transcript.delta":
                words += event["delta"]
            elif event["type"] == "response.done":
                assert event["response"]["status"] == "completed", event
                return audio, words
