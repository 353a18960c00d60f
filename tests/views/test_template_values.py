"""Names of the values with which a template computes, so that no skeleton has a placeholder for them."""

import pytest
from django.template import Engine

from kordless_booking.views.template_values import ComputedNames, find_computed_names

ENGINE = Engine(
    builtins=[
        "django.templatetags.i18n",
        "django.templatetags.static",
        "kordless_booking.templatetags.kordless_text",
    ]
)


def computed(*texts: str) -> ComputedNames:
    """Return the names with which these templates compute."""
    return find_computed_names([ENGINE.from_string(text) for text in texts])


@pytest.mark.parametrize(
    "text",
    [
        "{{ a }} {{ a.b }}",
        "{% if a and not a.b or c.0 %}{{ a }}{% endif %}",
        "{{ a|default:b }}",
        "{% for each in many %}{{ each.url }}{% empty %}{{ a }}{% endfor %}",
        '{% include "x.html" with url=a.url kind="" %}',
        "{% with b=a.url %}{{ b }}{% endwith %}",
        "{% blocktranslate with when=a.b %}It is {{ when }} at {{ c }}{% endblocktranslate %}",
        '{% translate "Text" as title %}{% block one %}{{ title }}{% endblock %}{# a|upper #}',
        '{% static "a.js" %}',
        "{{ a|whole }} {{ b|whole_with_dot:c.d }}",
    ],
)
def test_text_that_is_inserted_or_tested_for_being_empty_is_not_computed_with(text: str):
    """A placeholder may stand for it."""
    assert computed(text) == ComputedNames(frozenset(), frozenset())


@pytest.mark.parametrize(
    ("text", "variables", "attributes"),
    [
        ("{{ a|upper }} {{ b|add:c.d }}", {"a", "b"}, {"d"}),
        ("{% if a == 'x' %}{% elif 'y' in b.c %}{% endif %}", {"a"}, {"c"}),
        ("{% if x and not a.b == c.d %}{% endif %}", set(), {"b", "d"}),
        ("{% if a|length %}{% endif %}", {"a"}, set()),
        ("{% for each in a.many|slice:':2' %}{{ each }}{% endfor %}", set(), {"many"}),
        ("{% for each in a.many %}{% if each == b %}{% endif %}{% endfor %}", {"each", "b"}, {"many"}),
        ("{{ a.texts.0|upper }}", set(), {"texts"}),
        ("{% include a.template with b=c.d|upper %}", set(), {"template", "d"}),
        ("{% extends a.layout %}", set(), {"layout"}),
        ("{% blocktranslate count n=a.b %}one{% plural %}{{ n }}{% endblocktranslate %}", set(), {"b"}),
        ("{% translate a %}{% static b.c %}", {"a"}, {"c"}),
        ("{% firstof a b.c %}", {"a"}, {"c"}),
        ("{% autoescape off %}{{ a }}{% if b %}{{ b.c }}{% endif %}{% endautoescape %}", {"a"}, {"c"}),
    ],
)
def test_text_that_decides_on_the_output_is_computed_with(text: str, variables: set[str], attributes: set[str]):
    """Comparisons, filters, tags that are not known, and places without escaping all need the real value."""
    found = computed(text)
    assert variables <= found.variables
    assert attributes <= found.attributes


def test_a_value_is_followed_through_the_names_that_tags_give_it():
    """Included templates compare under another name than the context has."""
    found = computed(
        '{% include "b.html" with one=page.state %}{{ other.kind }}',
        "{% with two=one %}{% for three in two %}{{ three }}{% endfor %}{% endwith %}",
        "{% if three == 'x' %}{% endif %}",
    )
    assert found == ComputedNames(frozenset({"one", "two", "three"}), frozenset({"state"}))


def test_an_attribute_is_not_taken_for_a_variable_of_its_name():
    """An icon is chosen by the variable `name`, so a host's name may vary all the same."""
    assert computed("{% if name == 'back' %}{% endif %}{{ host.name }}") == ComputedNames(
        frozenset({"name"}), frozenset()
    )
