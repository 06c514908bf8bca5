"""Whether this machine's encoders take the configured profiles, asked before anybody is live."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from server.config_file import ConfigError
from transcode import plain
from transcode.errors import WireError
from transcode.process import environment
from transcode.profile import Profile
from transcode.trial import Trial, Verdict

_HOME = Path(__file__).resolve().parents[1]
"""Where the packages are, so that they are found wherever the server was started."""
DEADLINE_SECONDS = 60.0
"""Dozens of profiles of eight rungs, on a machine that is busy."""


def try_encoders(profiles: Iterable[Profile]) -> None:
    """Open every rung's encoder once, in a process of its own; blocks for about a second.

    Raises ConfigError with a line for each refusal: key, rungs, the encoder's words.
    """
    try:
        done = subprocess.run(
            (sys.executable, "-m", "transcode.probe"),
            input=plain.dump(Trial(tuple(profiles))),
            capture_output=True,
            timeout=DEADLINE_SECONDS,
            env=environment(),
            cwd=_HOME,
            check=False,
        )
        if done.returncode != 0:
            raise ConfigError(f"transcode.profiles: {_failure(done.returncode, done.stderr)}")
        verdict = plain.load(Verdict, memoryview(done.stdout))
    except (OSError, subprocess.TimeoutExpired, WireError) as error:
        raise ConfigError(f"transcode.profiles: cannot be tried: {error}") from error
    if verdict.refusals:
        raise ConfigError(
            *(
                f"transcode.profiles.{refusal.profile}: {', '.join(refusal.rungs)}: {refusal.words}"
                for refusal in verdict.refusals
            )
        )


def _failure(status: int, said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return f"cannot be tried: the encoders' process ended with {status}: {(lines or ['-'])[-1]}"
