"""A day with py-sonic, which sends forms, reads JSON and hands out what it read as dictionaries.

    echo WHAT_RUN_MJS_SAYS | python3 sonic_day.py

Lists are read as they should be in JSON: always lists, also of one. Calls with GET are left out: the program asks for a module there that
Python 3 does not have.
"""
from libsonic import Connection, errors

from facts import check, digest, heard, heard_at, refused, side, told, unpacked, visited

TOLD = told()
SONGS = TOLD["songs"]


def connection(password=TOLD["password"], **named):
    return Connection("http://127.0.0.1", TOLD["name"], password, port=TOLD["port"], **named)


def signing_in():
    for what, named in [("a token", {}), ("a password", {"legacyAuth": True})]:
        check(f"signs in with {what}", connection(**named).ping())
    check("is told that a password is wrong", refused(errors.CredentialError, connection("wrong").ping))
    conn = connection()
    check("is licensed", conn.getLicense()["license"]["valid"] is True)
    user = conn.getUser(TOLD["name"])["user"]
    check("finds its account", user["streamRole"] and user["playlistRole"] and not user["jukeboxRole"], user)
    return conn


def folders(conn):
    libraries = conn.getMusicFolders()["musicFolders"]["musicFolder"]
    check("finds the library", [library["name"] for library in libraries] == ["Music"], libraries)
    indexes = conn.getIndexes(musicFolderId=libraries[0]["id"])["indexes"]
    waiting, found = [folder["id"] for letter in indexes["index"] for folder in letter["artist"]], []
    while waiting:
        children = conn.getMusicDirectory(waiting.pop())["directory"]["child"]
        waiting += [child["id"] for child in children if child["isDir"]]
        found += [child["path"] for child in children if not child["isDir"]]
    check("finds every file by folders", sorted(found) == sorted(song["path"] for song in SONGS), found)
    later = conn.getIndexes(ifModifiedSince=indexes["lastModified"] + 1)["indexes"]
    check("is told nothing where nothing changed", not later.get("index"), later)


def tags(conn):
    """All songs, in the order of the library."""
    artists = [artist for letter in conn.getArtists()["artists"]["index"] for artist in letter["artist"]]
    check("finds the artists", sorted(artist["name"] for artist in artists) == ["The Ladle", "Åsa Lind"], artists)
    albums = [album for artist in artists for album in conn.getArtist(artist["id"])["artist"]["album"]]
    found = {song["path"]: song for album in albums for song in conn.getAlbum(album["id"])["album"]["song"]}
    songs = [found.get(song["path"], {}) for song in SONGS]
    keys = ("album", "artist", "genre", "title", "track", "year", "size")
    right = all(song.get(key) == known[key] for song, known in zip(songs, SONGS) for key in keys)
    check("finds every song by tags, as its tags say", right and len(found) == len(SONGS), songs)
    check("finds a song alone", conn.getSong(songs[0]["id"])["song"]["contentType"] == "audio/flac")
    about = [conn.getArtistInfo2(songs[0]["artistId"])["artistInfo2"], conn.getAlbumInfo2(songs[0]["albumId"])["albumInfo"]]
    check("is told what is known of an artist and an album", all(isinstance(one, dict) for one in about), about)
    return songs


def lists(conn):
    for ltype, named, wanted in [
        ("alphabeticalByArtist", {}, None),
        ("alphabeticalByName", {"size": 1, "offset": 1}, ["Stock"]),
        ("byYear", {"fromYear": 2010, "toYear": 1990}, ["Röda hus", "Stock"]),
        ("byGenre", {"genre": "Folk"}, ["Stock"]),
        ("newest", {}, None),
    ]:
        old, new = conn.getAlbumList(ltype, **named)["albumList"]["album"], conn.getAlbumList2(ltype, **named)["albumList2"]["album"]
        found = [[album["name"] for album in albums] for albums in (old, new)]
        holds = found == [wanted, wanted] if wanted else [sorted(one) for one in found] == [["Röda hus", "Stock"]] * 2
        check(f"lists albums {ltype} {named}", holds, found)
    genres = {genre["value"]: genre["songCount"] for genre in conn.getGenres()["genres"]["genre"]}
    check("counts genres", genres == {"Jazz": 3, "Folk": 2}, genres)
    part = conn.getSongsByGenre("Jazz", count=2, offset=1)["songsByGenre"]["song"]
    check("lists a part of a genre", len(part) == 2, part)
    drawn = conn.getRandomSongs(size=9, genre="Folk")["randomSongs"]["song"]
    check("draws songs of a genre", {song["album"] for song in drawn} == {"Stock"} and len(drawn) == 2, drawn)


def search(conn, songs):
    found = conn.search3("asa lind")["searchResult3"]
    check("searches without accents", [artist["name"] for artist in found["artist"]] == ["Åsa Lind"] and len(found["song"]) == 3, found)
    found = conn.search2("stock", songCount=0)["searchResult2"]
    check("searches an album as a folder", [album["title"] for album in found["album"]] == ["Stock"] and not found.get("song"), found)
    found = conn.search(title="onion")["searchResult"]
    check("searches as in the first version", [song["title"] for song in found["match"]] == ["Onion"], found)
    similar = conn.getSimilarSongs(songs[0]["id"])["similarSongs"]["song"]
    check("finds similar songs", {song["title"] for song in similar} == {SONGS[1]["title"], SONGS[2]["title"]}, similar)


def sounds(conn, songs):
    song, known = songs[0], SONGS[0]
    answer = conn.stream(song["id"], tformat="raw")
    check("streams a song as it is", answer.headers["Content-Type"] == "audio/flac" and digest(answer.read()) == known["sha256"])
    with conn.stream(song["id"]) as answer:
        begun = answer.read(known["size"] // 3)
    answer = connection(customHeaders={"Range": f"bytes={len(begun)}-"}).stream(song["id"])
    check("goes on where the line broke", answer.status == 206 and digest(begun + answer.read()) == known["sha256"], answer.status)
    check("saves a song", digest(conn.download(songs[4]["id"]).read()) == SONGS[4]["sha256"])
    for tformat, rate, codec in [("mp3", 96, "mp3"), ("opus", 64, "opus"), ("aac", 128, "aac")]:
        content = conn.stream(song["id"], tformat=tformat, maxBitRate=rate).read()
        told_codec, seconds = heard(content)
        holds = told_codec == codec and abs(seconds - known["seconds"]) < 0.5 and len(content) < rate * 125 * known["seconds"] * 1.2
        check(f"hears {tformat} of {rate} kbit/s", holds, (told_codec, seconds, len(content)))
    content = conn.stream(song["id"], maxBitRate=160).read()
    check("hears fewer bits without saying of what", heard(content)[0] == "mp3" and len(content) < 160 * 125 * known["seconds"] * 1.2, len(content))
    check("is told that a song is not there", refused(errors.DataNotFoundError, conn.stream, "tr-999999"))
    folder = "Åsa Lind - Röda hus/"
    names = [folder + one["path"].split("/")[-1].translate(str.maketrans('"<>', "___")) for one in SONGS[:3]]
    wanted = dict(zip(names, [one["sha256"] for one in SONGS[:3]]))
    found = unpacked(conn.download(song["albumId"]).read())
    check("saves an album as an archive", found == wanted, (found, wanted))
    playlist = conn.hls(song["id"], bitrate=96)
    check("is told where a song goes on by HLS", playlist.startswith(b"#EXTM3U") and playlist.count(b"#EXTINF") > 2, playlist)
    address = f"http://127.0.0.1:{TOLD['port']}/rest/hls.m3u8?u={TOLD['name']}&p={TOLD['password']}&c=hls&id={song['id']}"
    for rates in ["", "&bitRate=96", "&bitRate=64&bitRate=128"]:
        told_codec, seconds = heard_at(address + rates)
        # Without a bit rate it comes as it is.
        check(f"hears it by HLS {rates}", told_codec == ("aac" if rates else "flac") and abs(seconds - known["seconds"]) < 0.5, (told_codec, seconds))


def covers(conn, songs):
    for what, song in [("beside the songs", songs[0]), ("in the tags", songs[3])]:
        sides = [side(conn.getCoverArt(song["coverArt"], size=size).read()) for size in (None, 64)]
        check(f"shows the cover {what}", sides == [TOLD["side"], 64], sides)
    words = conn.getLyrics(SONGS[1]["artist"], SONGS[1]["title"])["lyrics"]
    check("reads the words in the tags", words["value"] == SONGS[1]["lyrics"], words)


def opinions(conn, songs):
    song = songs[0]
    chosen = {"sids": [song["id"], songs[1]["id"]], "albumIds": [song["albumId"]], "artistIds": [song["artistId"]]}
    conn.star(**chosen)
    found = [conn.getStarred()["starred"], conn.getStarred2()["starred2"]]
    counts = [[len(one.get(kind, [])) for kind in ("song", "album", "artist")] for one in found]
    check("stars songs, an album and an artist", counts == [[2, 1, 1], [2, 1, 1]], found)
    conn.unstar(**chosen)
    after = conn.getStarred2()["starred2"]
    check("takes stars back", not any(after.values()), after)
    conn.setRating(song["id"], 4)
    conn.scrobble(song["id"], submission=True, listenTime=1_700_000_000)
    now = conn.getSong(song["id"])["song"]
    check("rates a song and counts it", (now["userRating"], now["playCount"], now["played"]) == (4, 1, "2023-11-14T22:13:20Z"), now)
    top = conn.getTopSongs("åsa lind")["topSongs"]["song"]
    check("lists what was heard", top[0]["id"] == song["id"], top)


def playlists(conn, songs):
    ids = [song["id"] for song in songs]
    conn.createPlaylist(name='Lördag & "sea"', songIds=[ids[2], ids[0], ids[2]])
    [made] = [one for one in conn.getPlaylists()["playlists"]["playlist"] if one["owner"] == TOLD["name"]]
    entries = lambda: [entry["id"] for entry in conn.getPlaylist(made["id"])["playlist"].get("entry", [])]
    check("makes a playlist", made["name"] == 'Lördag & "sea"' and entries() == [ids[2], ids[0], ids[2]], made)
    conn.updatePlaylist(made["id"], comment="for later", songIdsToAdd=[ids[4]], songIndexesToRemove=[0])
    check("changes it", entries() == [ids[0], ids[2], ids[4]], entries())
    conn.createPlaylist(playlistId=made["id"], songIds=[ids[3]])
    check("writes it over", entries() == [ids[3]], entries())
    conn.deletePlaylist(made["id"])
    check("deletes it", refused(errors.DataNotFoundError, conn.getPlaylist, made["id"]))


def kept(conn, songs):
    ids = [song["id"] for song in songs]
    conn.savePlayQueue(ids * 600, current=ids[1], position=1234)
    queue = conn.getPlayQueue()["playQueue"]
    holds = [entry["id"] for entry in queue["entry"]] == ids * 600 and (queue["current"], queue["position"]) == (ids[1], 1234)
    check("keeps a queue of 3000 songs", holds, len(queue.get("entry", [])))
    conn.createBookmark(ids[0], 0, "from the beginning")
    marks = [(one["position"], one["comment"], one["entry"]["id"]) for one in conn.getBookmarks()["bookmarks"]["bookmark"]]
    check("keeps a bookmark", marks == [(0, "from the beginning", ids[0])], marks)
    conn.deleteBookmark(ids[0])
    check("forgets it", not conn.getBookmarks()["bookmarks"].get("bookmark"))


def shares(conn, songs):
    made = conn.createShare([songs[0]["albumId"], songs[3]["id"]], description="hear this")["shares"]["share"][0]
    titles = [entry["title"] for entry in made["entry"]]
    check("shares an album and a song", titles == [song["title"] for song in SONGS[:4]], made)
    page = visited(made["url"])
    check("anybody opens the link", "hear this" in page and "Onion" in page, page)
    conn.updateShare(made["id"], description="again")
    [now] = conn.getShares()["shares"]["share"]
    check("changes it and counts who came", (now["description"], now["visitCount"]) == ("again", 1), now)
    conn.deleteShare(made["id"])
    check("takes it back", not conn.getShares()["shares"].get("share") and visited(made["url"]) is None)


def podcasts(conn, _):
    cast = TOLD["podcast"]
    conn.createPodcastChannel(cast["feed"])
    [channel] = conn.getPodcasts()["podcasts"]["channel"]
    [water, bread] = channel["episode"]
    check("follows a podcast", (channel["title"], water["title"], bread["title"]) == ("Kitchen talk", "Water", "Bread"), channel)
    conn.downloadPodcastEpisode(bread["id"])
    newest = lambda: conn.getNewestPodcasts(2)["newestPodcasts"]["episode"][1]
    while (now := newest())["status"] == "downloading":
        pass
    check("sees that an episode is here", now["status"] == "completed" and now["size"] == cast["size"], now)
    check("hears it as it is", digest(conn.stream(now["streamId"]).read()) == cast["sha256"])
    check("saves it", digest(conn.download(now["streamId"]).read()) == cast["sha256"])
    conn.refreshPodcasts()
    conn.deletePodcastEpisode(bread["id"])
    check("deletes an episode", newest()["status"] == "deleted")
    conn.deletePodcastChannel(channel["id"])
    check("follows it no more", not conn.getPodcasts()["podcasts"].get("channel"))


def the_rest(conn):
    scan = conn.getScanStatus()["scanStatus"]
    check("sees that nothing is scanned", scan["scanning"] is False and scan["count"] == len(SONGS), scan)
    empty = [conn.getPodcasts()["podcasts"], conn.getVideos()["videos"], conn.getShares()["shares"]]
    check("finds no podcasts, films and shares", not any(one.get(kind) for one, kind in zip(empty, ("channel", "video", "share"))), empty)
    check("is told that the node plays nothing itself", refused(errors.AuthError, conn.jukeboxControl, "status"))


conn = signing_in()
folders(conn)
songs = tags(conn)
lists(conn)
for part in (search, sounds, covers, opinions, playlists, kept, shares, podcasts):
    part(conn, songs)
the_rest(conn)
