import pytest

from divekit import book, models, recipes
from divekit.data import DATA_SETS
from divekit.errors import UsageError

# How many sections the book's contents list has in each chapter.
SECTIONS = {
    2: 7, 3: 7, 4: 10, 5: 6, 6: 6, 7: 7, 8: 7, 9: 8, 10: 7, 11: 11,
    12: 7, 13: 14, 14: 10, 15: 7, 16: 10, 17: 2, 18: 11, 19: 7,
}  # fmt: skip
# How many sections may be without a script. It is only ever lowered.
PLANNED = 101


def test_every_section_of_the_contents_list_has_a_row():
    expected = [
        f"{chapter}.{n}" for chapter, count in SECTIONS.items() for n in range(1, count + 1)
    ]
    assert [section.number for section in book.sections()] == expected


def test_the_number_of_planned_sections_only_falls():
    planned = sum(section.shown == "planned" for section in book.sections())
    assert planned <= PLANNED, "a section lost its script"


def test_rows_name_only_what_exists():
    for section in book.sections():
        if section.script:
            assert book.script_path(section).is_file(), section.number
        assert set(section.data) <= set(DATA_SETS), section.number


def test_every_script_has_a_row():
    named = {book.script_path(section) for section in book.sections() if section.script}
    assert set(book.rows.SECTIONS.glob("*/*.py")) == named


def test_a_script_stands_under_the_number_of_its_section():
    for section in book.sections():
        if section.script:
            chapter, number = section.number.split(".")
            path = book.script_path(section)
            assert path.name.startswith(f"{int(number):02d}_")
            assert path.parent.name.startswith(f"{int(chapter):02d}_")
            assert path.read_text().startswith(f"# %% [markdown]\n# # {section.number} ")


def test_every_model_and_every_recipe_is_reached_by_a_section():
    assert {name for section in book.sections() for name in section.models} == set(models.__all__)
    assert {name for section in book.sections() for name in section.recipes} == set(recipes.RECIPES)


def test_a_section_that_trains_nothing_says_how_to_sabotage_it():
    for section in book.sections():
        if section.script and not section.recipes:
            assert section.sabotage, f"{section.number} needs sabotage=((text, replacement),)"


def test_an_unknown_section_suggests_the_nearest():
    with pytest.raises(UsageError, match=r"did you mean .*3\.7"):
        book.find("3.77")


def test_a_planned_section_says_so():
    with pytest.raises(UsageError, match=r"17\.2 .* is planned"):
        book.script_path(book.find("17.2"))
