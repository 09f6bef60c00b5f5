"""The providers of the test server that answer: each service of the stand-ins, quick and paced."""

# The services of the OpenAI wire beside OpenAI's own.
FAMILY: list[str] = []
STANDINS = ["gemini", "openai", *FAMILY]
# And the voice engine, which is another server's.
PROVIDERS = ["local", *STANDINS]
SLOW = [f"{name}-slow" for name in STANDINS]
