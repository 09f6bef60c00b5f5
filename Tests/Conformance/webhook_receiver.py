"""A receiver of usage as CloudEvents, that answers as a test wants it to."""

import contextlib
import http.server
import json
import threading
import typing


class Received(typing.NamedTuple):
    headers: dict[str, str]  # by names in lower case
    events: list[dict]
    status: int  # that was answered


class WebhookReceiver:
    """Listens from the beginning. `answer` says what a batch is answered: a status, or a status and headers."""

    def __init__(self, port: int = 0):
        self.received: list[Received] = []
        self.answer = lambda events: 200
        self._lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = receiver.answer(json.loads(body))
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                with receiver._lock:
                    fields = {name.lower(): value for name, value in self.headers.items()}
                    receiver.received.append(Received(fields, json.loads(body), status))
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in {"Content-Length": "0", **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/usage"

    @property
    def taken(self) -> list[dict]:
        """The events that were answered with 2xx, in the order in which they came."""
        with self._lock:
            return [event for received in self.received if received.status < 300 for event in received.events]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def webhook_receiver(port: int = 0):
    receiver = WebhookReceiver(port)
    try:
        yield receiver
    finally:
        receiver.stop()
