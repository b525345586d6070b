"""Complete the values of options in shells: names of targets, releases and profiles, and fixed words.

Values come from the modules that check them, so that a new target or profile needs no change here. Options that take a
file complete none: the shell completes files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from signer.errors import SignerError


def complete_values(parameter: Any) -> None:
    """Have a parameter of a Typer command complete its values, if they are known."""
    words = _words_of(parameter)
    if words is None:
        return

    def shell_complete(context: Any, incomplete: str) -> list[Any]:
        item = import_module("typer._click.shell_completion").CompletionItem
        return [item(word) for word in fitting(words(context), incomplete, lists="…" in (parameter.metavar or ""))]

    parameter.shell_complete = shell_complete


def fitting(words: Iterable[str], incomplete: str, *, lists: bool) -> list[str]:
    """Return the words that begin with `incomplete`, in any case; of a list with commas, complete the last item."""
    done, comma, begun = incomplete.rpartition(",") if lists else ("", "", incomplete)
    given = set(done.lower().split(","))
    found = [word for word in words if word.lower().startswith(begun.lower()) and word.lower() not in given]
    return [f"{done}{comma}{word}" for word in found]


def _words_of(parameter: Any) -> Callable[[Any], Iterable[str]] | None:
    """Return what computes the values of an option; None if the values are not known."""
    if parameter.param_type_name != "option":
        return None
    metavar = (parameter.metavar or "").strip()
    known = next((_VALUES[name, metavar] for name in parameter.opts if (name, metavar) in _VALUES), None)
    if known is None and "|" in metavar:
        return lambda context: metavar.split("|")
    return known


def _targets(context: Any) -> Iterable[str]:
    from signer.policy.targets import all_targets

    return [target.name for target in all_targets()]


def _stamped_architectures(context: Any) -> Iterable[str]:
    return ("x86", "amd64", "arm64")


def _os_names(context: Any) -> Iterable[str]:
    from catalogs.catalog.os_names import ALL

    return [one.option for one in ALL]


def _digests(context: Any) -> Iterable[str]:
    return ("sha256", "sha384", "sha512", "sha1")


def _key_kinds(context: Any) -> Iterable[str]:
    from testcerts.profiles import SELECTABLE_KEYS

    return [kind.value for kind in SELECTABLE_KEYS]


def _profiles(context: Any) -> Iterable[str]:
    """Return the profiles of test certificates for `certs create`, else those of the nearest drvsign.toml."""
    if "certs" in context.command_path.split():
        from testcerts.profiles import PROFILES

        return [*PROFILES, "all"]
    from signer.config import FILE_NAME, parse_profiles
    from signer.storage.files import read

    here = Path.cwd()
    named = context.params.get("config")
    places = [named] if isinstance(named, Path) else [folder / FILE_NAME for folder in (here, *here.parents)]
    for source in places:
        try:
            if source.is_file():
                return parse_profiles(read(source), source)
        except SignerError:  # the command reports what is wrong with the file
            return ()
    return ()


def _formats(context: Any) -> Iterable[str]:
    from signer.reports.renderers import RENDERERS

    return ["text", "json", *RENDERERS]


def _reports(context: Any) -> Iterable[str]:
    from signer.reports.renderers import RENDERERS

    return [f"{name}=" for name in ("json", *RENDERERS)]


def _shells(context: Any) -> Iterable[str]:
    from signer.cli.completion import SHELLS

    return SHELLS


_VALUES: Mapping[tuple[str, str], Callable[[Any], Iterable[str]]] = {
    ("--target", "NAME"): _targets,
    ("--arch", "NAME"): _stamped_architectures,
    ("--key", "KIND"): _key_kinds,
    ("--os", "NAME,…"): _os_names,
    ("--profile", "NAME"): _profiles,
    ("--format", "NAME"): _formats,
    ("--report", "FORMAT=FILE"): _reports,
    ("--digest", "ALG"): _digests,
    ("--timestamp-digest", "ALG"): _digests,
    ("--show-completion", "SHELL"): _shells,
}
"""What completes the values of an option with this name and metavar."""
