"""Which objects of ours the Hypothesis tests exercise, found in the tests' own source.

A test counts if it has `@given` or belongs to a `RuleBasedStateMachine`. It exercises what it names
itself, and what the functions, constants and fixtures of its file that it names do in turn. Names
are resolved to the objects that they import, so another function of the same name does not count.
"""

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).parents[1]


@dataclass
class TestFile:
    """A test file: what it imports, and the names that each of its definitions uses."""

    imports: dict[str, object] = field(default_factory=dict)
    uses: dict[str, set[str]] = field(default_factory=dict)
    attributes: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    properties: set[str] = field(default_factory=set)

    def exercised(self) -> Iterator[object]:
        """Objects that a property of this file reaches."""
        reached, waiting = set[str](), set(self.properties)
        while waiting:
            name = waiting.pop()
            reached.add(name)
            waiting |= {use for use in self.uses.get(name, ()) if use not in reached}
        for name in reached:
            if name in self.imports:
                yield self.imports[name]
            for owner, attribute in self.attributes.get(name, ()):
                if (found := getattr(self.imports.get(owner), attribute, None)) is not None:
                    yield found


def read(path: Path) -> TestFile:
    """The definitions of a test file."""
    file = TestFile()
    for statement in ast.parse(path.read_text()).body:
        match statement:
            case ast.ImportFrom(module=str(module), names=names):
                file.imports.update(imported(module, names))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                define(file, [name], statement)
                if any(named(decorator) == "given" for decorator in statement.decorator_list):
                    file.properties.add(name)
            case ast.ClassDef(name=name, bases=bases):
                define(file, [name], statement)
                if any(named(base) == "RuleBasedStateMachine" for base in bases):
                    file.properties.add(name)
            case ast.Assign(targets=targets):
                define(file, [n for target in targets if (n := named(target))], statement)
            case ast.AnnAssign(target=target):
                define(file, [named(target) or ""], statement)
            case _:
                pass
    return file


def define(file: TestFile, names: list[str], statement: ast.stmt) -> None:
    nodes = list(ast.walk(statement))
    for name in names:
        file.uses[name] = {node.id for node in nodes if isinstance(node, ast.Name)}
        file.attributes[name] = {
            (node.value.id, node.attr)
            for node in nodes
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        }


def named(node: ast.expr) -> str | None:
    """`given` of `given`, `given(...)`, `hypothesis.given(...)`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return named(function)
        case _:
            return None


def imported(module: str, names: list[ast.alias]) -> Iterator[tuple[str, object]]:
    """What `from module import names` binds, for modules of ours."""
    if not module.startswith("cybervein_"):
        return
    for alias in names:
        try:
            found = getattr(importlib.import_module(module), alias.name)
        except AttributeError:
            found = importlib.import_module(f"{module}.{alias.name}")
        yield alias.asname or alias.name, found


def everything_exercised() -> set[int]:
    """Identities of all objects that some Hypothesis test reaches."""
    return {id(found) for path in TESTS.rglob("test_*.py") for found in read(path).exercised()}
