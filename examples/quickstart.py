import asyncio
import base64
import math
import struct

from openai import AsyncOpenAI

# On loopback without configured keys, any key will do.
client = AsyncOpenAI(base_url="http://127.0.0.1:8787/v1", api_key="unused")

# 16-bit mono PCM at 24 kHz: half a second that is loud enough to be speech, then 1.2 seconds of silence.
LOUD = b"".join(struct.pack("<h", int(8000 * math.sin(n / 17))) for n in range(12_000))
SPEECH = LOUD + bytes(2 * 28_800)


async def print_answer(connection):
    audio = b""
    async for event in connection:
        if event.type == "response.output_audio.delta":
            audio += base64.b64decode(event.delta)
        elif event.type == "response.output_audio_transcript.done":
            print("  answer:", event.transcript)
        elif event.type == "error":
            raise RuntimeError(event.error.message)
        elif event.type == "response.done":
            print(f"  {event.response.status}, {len(audio) / 48_000:.1f} s of audio")
            return


async def main():
    for provider in ("gemini", "openai"):
        async with client.realtime.connect(extra_query={"provider": provider}) as connection:
            print(f"{provider}: a text turn")
            await connection.conversation.item.create(
                item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello there"}]}
            )
            await connection.response.create()
            await print_answer(connection)

            print(f"{provider}: an audio turn")
            for start in range(0, len(SPEECH), 960):  # 20 ms each
                chunk = base64.b64encode(SPEECH[start : start + 960]).decode()
                await connection.input_audio_buffer.append(audio=chunk)
            await print_answer(connection)


asyncio.run(main())
