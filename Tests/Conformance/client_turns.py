"""What the tests of all client libraries say to the stand-ins, and what these answer."""

from sound import RATE, silence
from spoken import speech

SPEECH = silence(300) + speech("What time is it?") + silence(1_200)
# Whoever interrupts goes on speaking while that is noticed.
OPENING, REST = SPEECH[: RATE * 2 * 700 // 1000], SPEECH[RATE * 2 * 700 // 1000 :]
HEARD = "what time is it"  # what the stand-ins understand, whatever is said

STORY = "Tell me a long story."
CALLS = 'call get_weather {"city":"Oslo"} and get_time {"city":"Rome"}'

# Bytes of PCM16 at 24 kHz.
TONE_BYTES = 19_200  # of every answer
STORY_BYTES = 480_000
LEAD_BYTES = {"gemini": 4_800, "xai": TONE_BYTES}  # of "One moment.", which these say before they call
