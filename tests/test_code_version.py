import pytest

from clustering import code_version as module
from clustering.code_version import code_version


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    (tmp_path / "package").mkdir()
    (tmp_path / "stage.py").write_text("import polars\nfrom package.a import thing\n")
    (tmp_path / "other.py").write_text("from package import b\n")
    (tmp_path / "package/a.py").write_text("import package.c\n")
    (tmp_path / "package/b.py").write_text("x = 1\n")
    (tmp_path / "package/c.py").write_text("from package.a import thing\n")
    monkeypatch.setattr(module, "SCRIPTS", tmp_path)
    return tmp_path


@pytest.mark.parametrize("file", ["stage.py", "package/a.py", "package/c.py"])
def test_an_edit_of_a_script_or_of_what_it_imports_is_another_version(scripts, file):
    before = code_version("stage.py"), code_version("other.py")
    (scripts / file).write_text((scripts / file).read_text() + "# edited\n")
    assert code_version("stage.py") != before[0]
    assert code_version("other.py") == before[1]


def test_an_edit_of_what_a_script_does_not_import_is_none(scripts):
    before = code_version("stage.py"), code_version("other.py")
    (scripts / "package/b.py").write_text("x = 2\n")
    assert code_version("stage.py") == before[0]
    assert code_version("other.py") != before[1]


def test_a_touch_is_no_other_version(scripts):
    before = code_version("stage.py")
    (scripts / "package/a.py").touch()
    assert code_version("stage.py") == before


def test_swapping_the_text_of_two_modules_is_another_version(scripts):
    before = code_version("stage.py")
    a, c = scripts / "package/a.py", scripts / "package/c.py"
    text = a.read_text(), c.read_text()
    a.write_text(text[1])
    c.write_text(text[0])
    assert code_version("stage.py") != before
