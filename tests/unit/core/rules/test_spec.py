"""Model specs, and sizes that names tell."""

import pytest

from lg_toolroute.core.rules.spec import ModelSpec, canonical, model_size, parse_spec


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("openai:gpt-5", "openai/gpt-5"),
        ("ollama/gpt-oss:20b", "ollama/gpt-oss:20b"),
        ("ollama:gpt-oss:20b", "ollama/gpt-oss:20b"),
        ("openrouter/deepseek/deepseek-v4:free", "openrouter/deepseek/deepseek-v4:free"),
        ("  OpenAI/GPT-5 ", "openai/GPT-5"),
    ],
)
def test_the_first_slash_or_colon_splits_and_the_provider_is_lower_case(text, spec):
    assert canonical(text) == spec
    assert canonical(canonical(text)) == spec


def test_a_spec_is_its_text():
    assert str(parse_spec("a/b/c")) == "a/b/c"
    assert parse_spec("a/b/c") == ModelSpec("a", "b/c")


@pytest.mark.parametrize("text", ["", " ", "gpt-5", "/x", "x/", ":x", "a/b c", "a/b\tc", "a/\x00"])
def test_what_is_no_spec_is_refused_with_a_remedy(text):
    with pytest.raises(ValueError, match="write"):
        parse_spec(text)


@pytest.mark.parametrize(
    ("name", "total", "active"),
    [
        ("gpt-oss:20b", 20, None),
        ("qwen3:0.6b", 0.6, None),
        ("mixtral-8x7b-instruct", 56, None),
        ("qwen3-235b-a22b", 235, 22),
        ("qwen3-coder-480B-A35B", 480, 35),
        ("smollm-500m", 0.5, None),
        ("kimi-k2-1t", 1000, None),
        ("qwen2.5-7b-instruct-1m", 7, None),
        ("llama3.1:70b_q4", 70, None),
    ],
)
def test_a_size_is_read_from_the_name(name, total, active):
    size = model_size(name)
    assert (size.total_b, size.active_b) == (total, active)


@pytest.mark.parametrize("name", ["claude-haiku-4-5", "gpt-5-mini", "gemini-1m", "kimi-k2.5", "gemma3n:e4b", "model-20250514b", "", "a22b"])
def test_a_name_that_tells_no_size_tells_none(name):
    assert model_size(name) is None


def test_a_size_is_shown_with_its_active_part():
    assert str(model_size("qwen3-235b-a22b")) == "235B (22B active)"
    assert str(model_size("x-500m")) == "0.5B"
