#!/usr/bin/env python3
"""Asks a question in writing and saves the spoken answer as answer.wav, with the openai package alone.

Usage: ask.py [QUESTION]
"""

import asyncio
import base64
import sys
import wave

from openai import AsyncOpenAI

# On loopback without configured keys, any key will do.
client = AsyncOpenAI(base_url="http://127.0.0.1:8787/v1", api_key="unused")


async def main():
    question = " ".join(sys.argv[1:]) or "what time is it"
    audio = b""
    async with client.realtime.connect() as connection:
        await connection.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": question}]}
        )
        await connection.response.create()
        async for event in connection:
            if event.type == "response.output_audio.delta":
                audio += base64.b64decode(event.delta)
            elif event.type == "response.output_audio_transcript.done":
                print(event.transcript)
            elif event.type == "error":
                sys.exit(event.error.message)
            elif event.type == "response.done":
                break
    with wave.open("answer.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(audio)
    print(f"{len(audio) / 48_000:.1f} s of speech are in answer.wav")


asyncio.run(main())
