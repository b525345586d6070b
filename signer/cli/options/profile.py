"""--profile: signing settings from `drvsign.toml` and the environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signer.cli.param_types import to_file
from signer.errors import ConfigError, UsageError
from signer.records import dataclass
from signer.storage.files import exists, read

if TYPE_CHECKING:
    from signer.config import Profile, Settings

PANEL = "Profile"
_CREATE = "Create one with drvsign init, or name it with --config FILE."


@dataclass(frozen=True)
class ResolvedProfile:
    """The settings of a profile and the environment."""

    settings: Settings
    profile: Profile | None = None

    @property
    def is_release(self) -> bool:
        """Whether a release profile was chosen."""
        return self.profile is not None and self.profile.is_release


@dataclass(frozen=True)
class ProfileOptions:
    """The options --profile and --config."""

    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME",
            help="A profile in drvsign.toml, such as release. Options and DRVSIGN_… variables override it.",
            rich_help_panel=PANEL,
        ),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="The configuration file. Default: drvsign.toml in the folder of the driver or the nearest parent.",
            rich_help_panel=PANEL,
            parser=to_file,
        ),
    ] = None

    def load(self, beside: Path, certs: Path | None = None) -> ResolvedProfile:
        """Load the settings for a driver in the folder `beside`. Raises UsageError, ConfigError, FileError.

        `certs` is the folder of the test certificates that the call names.
        """
        import os

        from signer.config import Settings, find_profile, from_environment, merged, parse_profiles

        said = merged(Settings(certs=certs), from_environment(os.environ))
        name = self.profile or os.environ.get("DRVSIGN_PROFILE")
        if not name:
            if self.config is not None:
                raise UsageError("--config requires --profile", hint="Add --profile NAME.")
            return ResolvedProfile(merged(said, Settings()))
        config = os.environ.get("DRVSIGN_CONFIG")
        source = self.config or (Path(config) if config else _nearest(beside))
        if not exists(source):
            raise ConfigError("file not found", path=source, hint=_CREATE)
        profile = find_profile(parse_profiles(read(source), source), name, source)
        _require_known(profile)
        return ResolvedProfile(merged(said, profile.settings), profile)


def _require_known(profile: Profile) -> None:
    """Raise UsageError, with the path of the file, for a target, a release or a value for templates that is unknown."""
    settings = profile.settings
    try:
        if settings.targets:
            from signer.policy.targets import parse_targets

            parse_targets(settings.targets)
        if settings.os:
            from catalogs.catalog.os_names import parse_names

            parse_names(settings.os)
        if any((settings.driver_date, settings.driver_version, settings.arch, settings.kmdf, settings.umdf)):
            from signer.cli.options.common import now
            from signer.cli.options.templates import TemplateOptions

            TemplateOptions().using(settings).values().stamp({}, now())
    except UsageError as error:
        raise error.at(profile.source) from error


def _nearest(folder: Path) -> Path:
    """Find the drvsign.toml of a folder or its nearest parent. Raises ConfigError."""
    from signer.config import FILE_NAME

    whole = folder.resolve()
    for place in (whole, *whole.parents):
        if (place / FILE_NAME).is_file():
            return place / FILE_NAME
    raise ConfigError(
        f"no {FILE_NAME} in this folder or a parent",
        path=folder,
        hint=_CREATE,
    )
