"""What importing the package brings along."""

import subprocess
import sys

import lg_toolroute.testing as package


def test_import_brings_no_provider_and_no_agent():
    code = (
        "import sys, lg_toolroute.testing; "
        "print(*sorted({n.split('.')[0] for n in sys.modules} & {'openai', 'anthropic', 'langchain_openai', 'langchain_anthropic', 'langchain', "
        "'ollama', 'mistralai', 'groq', 'uvicorn', 'starlette', 'langgraph'}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def test_every_public_name_is_there_and_documented():
    for name in package.__all__:
        assert getattr(package, name).__doc__, name
    assert sorted(package.__all__, key=str.lower) == sorted(set(package.__all__), key=str.lower)
