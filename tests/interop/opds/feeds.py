"""Walks the feeds of OPDS 1.2 with feedparser, by links alone.

    python3 feeds.py URL NAME PASSWORD BOOKS

Prints a line for each fact: `ok` or `FAIL`, and what it is about.
"""
import base64
import sys
import urllib.parse
import urllib.request

import feedparser

ACQUISITION = "http://opds-spec.org/acquisition"
STREAM = "http://vaemendis.net/opds-pse/stream"
CATALOG = "profile=opds-catalog"

url, name, password, books = sys.argv[1:5]
credentials = base64.b64encode(f"{name}:{password}".encode()).decode()


def fetch(address):
    request = urllib.request.Request(address, headers={"Authorization": f"Basic {credentials}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.headers.get_content_type(), answer.read()


def check(fact, holds, details=""):
    print(f"ok   {fact}" if holds else f"FAIL {fact}: {details}")


def crawl(start):
    """Every feed that links lead to from `start`, each once."""
    waiting, seen, feeds = [start], {start}, []
    while waiting:
        address = waiting.pop(0)
        kind, body = fetch(address)
        feed = feedparser.parse(body, response_headers={"content-type": f"{kind}; charset=utf-8", "content-location": address})
        feeds.append(feed)
        links = list(feed.feed.links) + [link for entry in feed.entries for link in entry.links]
        for link in links:
            target = urllib.parse.urljoin(address, link.href)
            if CATALOG in link.get("type", "") and target not in seen:
                seen.add(target)
                waiting.append(target)
    return feeds


def link(entry, rel):
    """The address behind an entry's link."""
    href = next((link.href for link in entry.links if link.rel == rel), None)
    return href and urllib.parse.urljoin(url, href)


def main():
    feeds = crawl(f"{url}/opds/v1.2/catalog")
    broken = [str(feed.bozo_exception) for feed in feeds if feed.bozo]
    check(f"feedparser: all {len(feeds)} feeds are well-formed Atom", not broken and all(f.version == "atom10" for f in feeds), broken)
    whole = all(f.feed.get("id") and f.feed.get("title") and f.feed.get("updated_parsed") for f in feeds)
    check("feedparser: each has an id, a title and a time", whole)
    entries = [entry for feed in feeds for entry in feed.entries]
    check(f"feedparser: all {len(entries)} entries have an id, a title and a time", all(e.get("id") and e.get("title") and e.get("updated_parsed") for e in entries))
    found = {entry.id: entry for entry in entries if link(entry, ACQUISITION)}
    check(f"feedparser: all {books} books are found", len(found) == int(books), sorted(found))
    for entry in found.values():
        _, body = fetch(link(entry, ACQUISITION))
        check(f'feedparser: the file of "{entry.title}" is a book', body[:2] == b"PK" or body[:4] == b"%PDF", body[:16])
        kind, page = fetch(link(entry, STREAM).replace("{pageNumber}", "0"))
        check(f'feedparser: its first page is a picture', kind == "image/jpeg" and page[:3] == b"\xff\xd8\xff", kind)


main()
