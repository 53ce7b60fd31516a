"""What the days of both Python programs have in common: what run.mjs tells them, and how they tell a fact."""
import hashlib
import io
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile


def told():
    """What run.mjs says of the node and its library."""
    return json.load(sys.stdin)


def check(fact, holds, details=""):
    # A fact is a line, whatever the details are.
    print(f"ok   {fact}" if holds else f"FAIL {fact}: {' '.join(repr(details).split())[:2000]}", flush=True)


def refused(error, call, *args, **named):
    """Whether a call ends with this error and no other."""
    try:
        call(*args, **named)
    except Exception as raised:
        return type(raised) is error
    return False


def digest(content):
    return hashlib.sha256(content).hexdigest()


def decoded(content, *form):
    """What ffmpeg makes of bytes, and what it says of them."""
    done = subprocess.run(["ffmpeg", "-hide_banner", "-i", "pipe:0", "-f", *form], input=content, capture_output=True)
    return done.stdout, done.stderr.decode()


def heard_at(address):
    """The same of what ffmpeg finds at an address, as a player of HLS does."""
    done = subprocess.run(["ffmpeg", "-hide_banner", "-i", address, "-f", "s16le", "-ac", "1", "-ar", "8000", "pipe:1"], capture_output=True)
    codec = re.search(r"Audio: (\w+)", done.stderr.decode())
    return codec and codec.group(1), len(done.stdout) / 16_000


def unpacked(content):
    """Names of the files in a ZIP archive, and what they sum up to; whether each is whole is looked at."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: digest(archive.read(name)) for name in archive.namelist()}


def heard(content):
    """The codec of a song, and how many seconds can be heard of it."""
    samples, words = decoded(content, "s16le", "-ac", "1", "-ar", "8000", "pipe:1")
    # It tells of what goes in before what comes out.
    codec = re.search(r"Audio: (\w+)", words)
    return codec and codec.group(1), len(samples) / 16_000


def side(content):
    """Pixels of a picture's width."""
    width = re.search(r"Video: .*? (\d+)x\d+", decoded(content, "null", "-")[1])
    return width and int(width.group(1))


def visited(link):
    """The page behind a link, for somebody without an account; None where there is nothing."""
    try:
        return urllib.request.urlopen(link).read().decode()
    except urllib.error.HTTPError as error:
        assert error.code == 404, error
        return None
