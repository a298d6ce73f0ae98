"""Create ``.venv`` from the hashed lock with whatever Python is there. Standard library only, any Python from 3.8 on.

    python3 sandbox/bootstrap.py

Looks for a Python 3.11, 3.12 or 3.13 (the environment variable PYTHON names one), makes the environment,
and installs ``requirements-dev.txt`` with uv, or with pip where uv cannot be had. A stamp makes the next
call cost nothing; an install that was interrupted is begun anew.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
FITTING = ("3.12", "3.13", "3.11")
LOCK = "requirements-dev.txt"
TOOLS_LOCK = "requirements-bootstrap.txt"

# What a fitting interpreter must answer; ssl and venv are missing in some cut-down builds.
PROBE = "import ssl, sqlite3, venv, sys; print('%d.%d' % sys.version_info[:2]); print(sys.executable)"


class BootstrapError(Exception):
    """The environment cannot be made. The message says what to do."""


def say(message):
    print(f"bootstrap: {message}", flush=True)


def ask(python):
    """(version, real path) of an interpreter, or None when it does not run or lacks a module."""
    try:
        done = subprocess.run(
            [python, "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
    except OSError:
        return None
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return (lines[0], lines[1]) if done.returncode == 0 and len(lines) == 2 else None


def candidates(environ):
    """Interpreters to try, best first: PYTHON alone when it is set."""
    if environ.get("PYTHON"):
        return [environ["PYTHON"]]
    home = Path(environ.get("HOME", "/"))
    found = []
    for version in FITTING:
        # A pyenv shim on PATH may refuse a version that pyenv holds, hence the second look.
        on_path = shutil.which(f"python{version}", path=environ.get("PATH"))
        found += [on_path] if on_path else []
        found += sorted(map(str, home.glob(f".pyenv/versions/{version}*/bin/python3")))
    generic = shutil.which("python3", path=environ.get("PATH"))
    return found + ([generic] if generic else [])


def find_python(environ):
    """(version, path) of the first interpreter that fits. Raises BootstrapError naming what was looked at."""
    looked = candidates(environ)
    refused = []
    for python in looked:
        answer = ask(python)
        if answer and answer[0] in FITTING:
            return answer
        refused.append(f"{python} ({'is ' + answer[0] if answer else 'does not run, or lacks ssl'})")
    seen = ", ".join(refused) or "python3.12, python3.13, python3.11 and python3 on PATH, none is there"
    raise BootstrapError(
        f"no Python that fits. Needed: 3.11, 3.12 or 3.13. Looked at: {seen}. "
        "What to do: install one, or name it: make PYTHON=/path/to/python3.12 up"
    )


def digest(*parts):
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()


def read(path):
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def fingerprint(root):
    """What an environment was made from: this lock, at this place, by this program."""
    return digest(read(root / LOCK), str(root), read(Path(__file__)))


def run(command, **environ):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, env=dict(os.environ, **environ))


def installer_settings(pip_python):
    """What pip is configured with (index, certificates), so that uv goes the same ways."""
    settings = {}
    if os.environ.get("PIP_CERT") and not os.environ.get("SSL_CERT_FILE"):
        settings["SSL_CERT_FILE"] = os.environ["PIP_CERT"]
    if not any(name in os.environ for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_CONFIG_FILE")):
        done = subprocess.run(
            [pip_python, "-m", "pip", "config", "get", "global.index-url"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        index = os.environ.get("PIP_INDEX_URL") or done.stdout.decode("utf-8", "replace").strip()
        if index:
            settings["UV_DEFAULT_INDEX"] = index
    return settings


def make_tools(root, pythons):
    """A small environment that holds uv. Returns its folder, or None when it cannot be had."""
    folder = root / ".venv-tools"
    stamp = folder / "stamp"
    wanted = digest(read(root / TOOLS_LOCK), str(folder))
    if read(stamp) == wanted:
        return folder
    for python in pythons:
        shutil.rmtree(folder, ignore_errors=True)
        try:
            run([python, "-m", "venv", folder])
            pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
            run([*pip, "install", "--quiet", "--require-hashes", "-r", root / TOOLS_LOCK])
        except (OSError, subprocess.CalledProcessError):
            continue
        stamp.write_text(wanted, encoding="utf-8")
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    return None


def is_current(root, environ):
    """Whether ``.venv`` was made from this lock, here, and to its end. Starts no process."""
    folder = root / ".venv"
    stamp = read(folder / "stamp").split()
    if len(stamp) != 3 or not (folder / "bin" / "python").exists():
        return False
    if stamp[0] != fingerprint(root):
        return False
    named = environ.get("PYTHON")
    if not named or stamp[2] == digest(named):
        return True
    answer = ask(named)
    return bool(answer) and answer[0] == stamp[1]


def make_environment(root, environ):
    """Bring ``.venv`` up to the lock. Raises BootstrapError."""
    if is_current(root, environ):
        return
    version, python = find_python(environ)
    folder = root / ".venv"
    inside = folder / "bin" / "python"
    stamp, unfinished = folder / "stamp", folder / "unfinished"
    was = ask(inside) if inside.exists() else None
    if was is None or was[0] != version or unfinished.exists():
        shutil.rmtree(folder, ignore_errors=True)
    lock = root / LOCK
    say(f"Python {version}, installing {LOCK} into .venv")
    tools = make_tools(root, [python, sys.executable])
    try:
        if not folder.is_dir():
            # uv needs no pip in there, and its sync would remove it.
            run([python, "-m", "venv", *(["--without-pip"] if tools else []), folder])
        unfinished.touch()
        if stamp.exists():
            stamp.unlink()
        if tools:
            run(
                [tools / "bin" / "uv", "pip", "sync", "--quiet", "--python", inside, "--require-hashes", lock],
                UV_COMPILE_BYTECODE="1",  # else the first import of everything is slow
                UV_PYTHON_DOWNLOADS="never",
                UV_LINK_MODE=os.environ.get("UV_LINK_MODE", "hardlink"),
                **installer_settings(tools / "bin" / "python"),
            )
        else:
            say("uv cannot be had; using pip, which takes longer")
            run([inside, "-m", "ensurepip", "--upgrade"])
            run([inside, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock])
    except (OSError, subprocess.CalledProcessError) as error:
        raise BootstrapError(
            f"installing failed ({error}). What to do: look at the lines above; the package index must be "
            "reachable the first time. Running the same command again begins anew"
        ) from error
    # `python -m privacy_ops` works from anywhere, without installing the project.
    link = folder / "lib" / f"python{version}" / "site-packages" / "privacy_ops_project.pth"
    link.write_text(f"{root / 'plugins'}\n", encoding="utf-8")
    named = digest(environ.get("PYTHON", ""))
    stamp.write_text(f"{fingerprint(root)} {version} {named}\n", encoding="utf-8")
    unfinished.unlink()


def main(root=HERE, environ=None):
    """Exit code 0 when ``.venv`` is ready."""
    (root / "var").mkdir(exist_ok=True)
    with (root / "var" / "bootstrap.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` at once share one install
        try:
            make_environment(root, os.environ if environ is None else environ)
        except BootstrapError as error:
            print(f"bootstrap: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("bootstrap: interrupted; the next call begins anew", file=sys.stderr)
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
