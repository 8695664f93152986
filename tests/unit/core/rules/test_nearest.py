"""Did you mean, and what counts as a slip of the pen."""

import pytest

from lg_toolroute.core.rules.nearest import did_you_mean, is_slip, nearest


def test_the_nearest_word_is_found_in_any_case():
    assert nearest("Web_Serach", ["edit", "web_search"]) == "web_search"
    assert nearest("EDIT", ["edit", "Edit"]) == "edit"
    assert nearest("zzz", ["edit"]) is None
    assert did_you_mean("zzz", ["edit"], "write edit") == "write edit"


SLIPS = {"modle": "model", "helth": "health", "tols": "tools", "defualts": "defaults", "agnet": "agents", "crom": "cron", "timouts": "timeouts"}
OTHERS = {"toolset": "tools", "modal": "tools", "transport": "timeouts", "node": "model", "hooks": "tools"}


@pytest.mark.parametrize("word", SLIPS)
def test_a_wrong_missing_or_swapped_letter_is_a_slip(word):
    assert is_slip(word, SLIPS[word])


@pytest.mark.parametrize("word", OTHERS)
def test_another_word_is_no_slip(word):
    assert not is_slip(word, OTHERS[word])
