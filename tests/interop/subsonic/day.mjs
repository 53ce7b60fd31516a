// A day with subsonic-api, which speaks JSON with GET or POST, and answers media as `fetch` does.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { SubsonicAPI } from 'subsonic-api'

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex')
const bytesOf = async (answer) => Buffer.from(await (await answer).arrayBuffer())
const names = (all, member = 'title') => (all ?? []).map((one) => one[member])
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other)

/** What an encoded song is: its codec, and how many seconds can be heard of it. */
function heard (input) {
  const { stdout, stderr } = spawnSync('ffmpeg', ['-hide_banner', '-i', 'pipe:0', '-f', 's16le', '-ac', '1', '-ar', '8000', 'pipe:1'], { input, maxBuffer: 1 << 26 })
  // It tells of what goes in before what comes out.
  return { codec: /Audio: (\w+)/.exec(stderr)?.[1], seconds: stdout.length / 16_000 }
}

/** Pixels of a picture's width. */
function sideOf (input) {
  const { stderr } = spawnSync('ffmpeg', ['-hide_banner', '-i', 'pipe:0', '-f', 'null', '-'], { input })
  return Number(/Video: .*? (\d+)x\d+/.exec(stderr)?.[1])
}

/** The whole day. `told` is what run.mjs says of the node and its library; `check` takes a fact and whether it holds. */
export async function subsonicApiDay (told, check) {
  const { url, name, password } = told
  const auth = { username: name, password }
  const api = new SubsonicAPI({ url, auth })
  await signingIn(told, api, check)
  await folders(told, api, check)
  const songs = await tags(told, api, check)
  await lists(told, api, check)
  await search(songs, api, check)
  await sounds({ ...told, auth }, songs, api, check)
  await covers(told, songs, api, check)
  await lyrics(told, songs, api, check)
  await opinions(songs, api, check)
  // A long queue goes as a form.
  await kept(songs, new SubsonicAPI({ url, auth, post: true, reuseSalt: true }), check)
  await shares(told, songs, api, check)
  await podcasts(told.podcast, api, check)
}

async function signingIn ({ url, name, password }, api, check) {
  const ping = await api.ping()
  check('signs in with a token', ping.status === 'ok' && ping.openSubsonic && ping.type === 'potluck', ping)
  const byKey = await new SubsonicAPI({ url, auth: { apiKey: password } }).ping()
  check('signs in with an API key', byKey.status === 'ok', byKey)
  const wrong = await new SubsonicAPI({ url, auth: { username: name, password: 'wrong' } }).ping()
  check('is told that a password is wrong', wrong.status === 'failed' && wrong.error.code === 40, wrong)
  check('is licensed', (await api.getLicense()).license.valid === true)
  const { user } = await api.getUser({ username: name })
  check('finds its account', user.username === name && user.streamRole && user.downloadRole && user.playlistRole, user)
  const { openSubsonicExtensions: all } = await api.getOpenSubsonicExtensions()
  check('finds the extensions', names(all, 'name').includes('songLyrics') && all.every((one) => one.versions.length > 0), all)
}

async function folders (told, api, check) {
  const { musicFolders } = await api.getMusicFolders()
  check('finds the library', same(names(musicFolders.musicFolder, 'name'), ['Music']), musicFolders)
  const { indexes } = await api.getIndexes({ musicFolderId: musicFolders.musicFolder[0].id })
  const open = names(indexes.index.flatMap((letter) => letter.artist), 'id')
  const found = []
  while (open.length > 0) {
    const { directory } = await api.getMusicDirectory({ id: open.shift() })
    const inside = directory.child.filter((child) => child.isDir)
    open.push(...names(inside, 'id'))
    found.push(...directory.child.filter((child) => !child.isDir))
  }
  check('finds every file by folders', same(names(found, 'path').sort(), names(told.songs, 'path').sort()), names(found, 'path'))
}

/** All songs as the node tells them, in the order of the library. */
async function tags (told, api, check) {
  const { artists } = await api.getArtists()
  const all = artists.index.flatMap((letter) => letter.artist)
  check('finds the artists', same(names(all, 'name').sort(), ['The Ladle', 'Åsa Lind']), artists)
  const found = []
  for (const { id } of all) {
    const { artist } = await api.getArtist({ id })
    for (const { id } of artist.album) {
      found.push(...(await api.getAlbum({ id })).album.song)
    }
  }
  const songs = told.songs.map(({ path }) => found.find((song) => song.path === path))
  const right = (song, { album, artist, genre, title, track, year, size, seconds }) =>
    same([song.album, song.artist, song.genre, song.title, song.track, song.year, song.size], [album, artist, genre, title, track, year, size]) &&
    Math.abs(song.duration - seconds) <= 1 && song.created instanceof Date
  check('finds every song by tags, as its tags say', found.length === songs.length && songs.every((song, n) => right(song, told.songs[n])), found)
  const { song } = await api.getSong({ id: songs[0].id })
  check('finds a song alone', song.title === told.songs[0].title && song.suffix === 'flac' && song.contentType === 'audio/flac', song)
  return songs
}

async function lists (told, api, check) {
  const albums = async (args) => names((await api.getAlbumList2(args)).albumList2.album, 'name')
  const both = ['Röda hus', 'Stock']
  for (const [args, wanted] of [
    [{ type: 'alphabeticalByName' }, both],
    [{ type: 'byYear', fromYear: 1990, toYear: 2010 }, ['Stock', 'Röda hus']],
    [{ type: 'byYear', fromYear: 2010, toYear: 1990 }, both],
    [{ type: 'byGenre', genre: 'Folk' }, ['Stock']],
    [{ type: 'alphabeticalByName', size: 1, offset: 1 }, ['Stock']]
  ]) {
    const found = await albums(args)
    check(`lists albums ${JSON.stringify(args)}`, same(found, wanted), found)
  }
  check('lists new albums', same((await albums({ type: 'newest' })).sort(), both))
  check('lists albums as folders', same(names((await api.getAlbumList({ type: 'alphabeticalByName' })).albumList.album), both))
  const { genres } = await api.getGenres()
  check('counts genres', same(genres.genre.map(({ value, songCount }) => [value, songCount]).sort(), [['Folk', 2], ['Jazz', 3]]), genres)
  const { songsByGenre } = await api.getSongsByGenre({ genre: 'Jazz', count: 2, offset: 1 })
  check('lists a part of a genre', songsByGenre.song.length === 2 && songsByGenre.song.every((song) => song.genre === 'Jazz'), songsByGenre)
  const { randomSongs } = await api.getRandomSongs({ size: 3 })
  check('draws songs', new Set(names(randomSongs.song, 'id')).size === 3, randomSongs)
}

async function search (songs, api, check) {
  const { searchResult3: found } = await api.search3({ query: 'asa lind' })
  check('searches without accents', same(names(found.artist, 'name'), ['Åsa Lind']) && found.song.length === 3, found)
  const { searchResult2 } = await api.search2({ query: 'onion', artistCount: 0, albumCount: 0 })
  check('searches a song', same(names(searchResult2.song), ['Onion']), searchResult2)
  const pages = []
  for (let songOffset = 0; songOffset < songs.length + 2; songOffset += 2) {
    pages.push(...(await api.search3({ query: '', artistCount: 0, albumCount: 0, songCount: 2, songOffset })).searchResult3.song ?? [])
  }
  check('reads everything in pages', same(names(pages, 'id').sort(), names(songs, 'id').sort()), names(pages, 'path'))
}

async function sounds (told, songs, api, check) {
  const [{ id }, { sha256, size, seconds }] = [songs[0], told.songs[0]]
  const whole = await api.stream({ id, format: 'raw' })
  check('streams a song as it is', whole.status === 200 && whole.headers.get('content-type') === 'audio/flac' && digest(await bytesOf(whole)) === sha256)
  check('saves a song', digest(await bytesOf(api.download({ id: songs[4].id }))) === told.songs[4].sha256)
  // The program's own way to send what it does not know of.
  const from = (start) => new SubsonicAPI({ url: told.url, auth: told.auth, fetch: (address, options) => fetch(address, { ...options, headers: { range: `bytes=${start}-` } }) })
  const begun = await beginning(api, id, Math.floor(size / 3))
  const rest = await from(begun.length).stream({ id, format: 'raw' })
  const joined = Buffer.concat([begun, await bytesOf(rest)])
  check('goes on where the line broke', rest.status === 206 && digest(joined) === sha256, rest.status)
  for (const [format, maxBitRate, codec] of [['mp3', 96, 'mp3'], ['opus', 64, 'opus'], ['aac', 128, 'aac']]) {
    const encoded = await bytesOf(api.stream({ id, format, maxBitRate }))
    const sound = heard(encoded)
    const most = maxBitRate * 1000 / 8 * seconds * 1.2
    check(`hears ${format} of ${maxBitRate} kbit/s`, sound.codec === codec && Math.abs(sound.seconds - seconds) < 0.5 && encoded.length < most, [sound, encoded.length])
  }
  const later = heard(await bytesOf(api.stream({ id, format: 'mp3', maxBitRate: 96, timeOffset: 12 })))
  check('hears the end of a song alone', Math.abs(later.seconds - (seconds - 12)) < 0.5, later)
  const none = await api.stream({ id: 'tr-999999' })
  check('is told in JSON that a song is not there', none.headers.get('content-type') === 'application/json' && (await none.json())['subsonic-response'].error.code === 70)
}

/** The first bytes of a song, from a line that breaks then. */
async function beginning (api, id, length) {
  const parts = []
  for await (const part of (await api.stream({ id, format: 'raw' })).body) {
    parts.push(part)
    if (parts.reduce((sum, part) => sum + part.length, 0) >= length) {
      break
    }
  }
  return Buffer.concat(parts).subarray(0, length)
}

async function covers ({ side }, songs, api, check) {
  for (const [what, song] of [['beside the songs', songs[0]], ['in the tags', songs[3]]]) {
    const cover = await api.getCoverArt({ id: song.coverArt })
    const sides = [await bytesOf(cover), await bytesOf(api.getCoverArt({ id: song.coverArt, size: 64 }))].map(sideOf)
    check(`shows the cover ${what}`, cover.headers.get('content-type') === 'image/jpeg' && same(sides, [side, 64]), sides)
  }
  const others = await Promise.all([songs[0].artistId, songs[0].parent].map((id) => bytesOf(api.getCoverArt({ id }))))
  check('shows a picture of an artist and of a folder', same(others.map(sideOf), [side, side]))
}

async function lyrics ({ songs: told, synced }, songs, api, check) {
  const { lyricsList } = await api.getLyricsBySongId({ id: songs[0].id })
  const lines = lyricsList.structuredLyrics[0].line.map(({ start, value }) => [start, value])
  check('sings along', lyricsList.structuredLyrics[0].synced && same(lines, synced), lyricsList)
  const { lyrics } = await api.getLyrics({ artist: told[1].artist, title: told[1].title })
  check('reads the words in the tags', lyrics.value === told[1].lyrics, lyrics)
}

async function opinions (songs, api, check) {
  const [{ id, albumId, artistId }, other] = songs
  await api.star({ id, albumId, artistId })
  const { starred2 } = await api.getStarred2()
  const each = [starred2.song, starred2.album, starred2.artist].map((all) => all?.length)
  check('stars a song, its album and its artist', same(each, [1, 1, 1]) && starred2.song[0].starred instanceof Date, starred2)
  await api.unstar({ id, albumId, artistId })
  const after = (await api.getStarred2()).starred2
  check('takes stars back', [after.song, after.album, after.artist].every((all) => !all?.length), after)
  await api.setRating({ id, rating: 4 })
  await api.scrobble({ id, submission: false })
  const { nowPlaying } = await api.getNowPlaying()
  check('says what plays now', nowPlaying.entry.some((entry) => entry.id === id && entry.playerName === 'subsonic-api'), nowPlaying)
  check('does not count what only began', (await api.getSong({ id })).song.playCount === 0)
  await api.scrobble({ id, submission: true })
  await api.reportPlayback({ mediaId: other.id, mediaType: 'song', positionMs: other.duration * 1000, state: 'stopped' })
  const { song } = await api.getSong({ id })
  check('rates and counts a song', song.userRating === 4 && song.playCount === 1, song)
  check('counts what was reported', (await api.getSong({ id: other.id })).song.playCount === 1)
  const { albumList2 } = await api.getAlbumList2({ type: 'frequent' })
  check('lists what was heard', same(names(albumList2.album, 'name'), ['Röda hus']), albumList2)
}

async function kept (songs, api, check) {
  const ids = names(songs, 'id')
  const { playlist } = await api.createPlaylist({ name: 'Lördag & "sea"', songId: [ids[2], ids[0], ids[2]] })
  check('makes a playlist', playlist.name === 'Lördag & "sea"' && same(names(playlist.entry, 'id'), [ids[2], ids[0], ids[2]]), playlist)
  await api.updatePlaylist({ playlistId: playlist.id, comment: 'for later', songIndexToRemove: [0], songIdToAdd: [ids[4]] })
  const changed = (await api.getPlaylist({ id: playlist.id })).playlist
  check('changes it', changed.comment === 'for later' && same(names(changed.entry, 'id'), [ids[0], ids[2], ids[4]]) && changed.changed instanceof Date, changed)
  await api.deletePlaylist({ id: playlist.id })
  check('deletes it', !names((await api.getPlaylists()).playlists.playlist, 'id').includes(playlist.id))

  const queue = Array.from({ length: 3000 }, (_, n) => ids[n % ids.length])
  await api.savePlayQueue({ id: queue, current: ids[1], position: 1234 })
  const { playQueue } = await api.getPlayQueue()
  check('keeps a queue of 3000 songs', same(names(playQueue.entry, 'id'), queue) && playQueue.current === ids[1] && playQueue.position === 1234, playQueue.entry?.length)

  await api.createBookmark({ id: ids[0], position: 7000, comment: 'the bridge' })
  const [mark] = (await api.getBookmarks()).bookmarks.bookmark
  check('keeps a bookmark', mark.position === 7000 && mark.comment === 'the bridge' && mark.entry.id === ids[0], mark)
  await api.deleteBookmark({ id: ids[0] })
  check('forgets it', !(await api.getBookmarks()).bookmarks.bookmark?.length)
}

/** What anybody gets who has the link: the page, and its first song. */
async function visited (link) {
  const page = await fetch(link, { headers: { accept: 'text/html' } })
  const html = await page.text()
  const song = /href="([^"]+\/file)"/.exec(html)?.[1]
  const bytes = song && await bytesOf(fetch(new URL(song, link)))
  return { status: page.status, policy: page.headers.get('content-security-policy'), html, song: bytes && digest(bytes) }
}

async function shares (told, songs, api, check) {
  const [{ id, albumId }] = songs
  const { shares } = await api.createShare({ id: albumId, description: 'hear <this>', expires: Date.now() + 3_600_000 })
  const [made] = shares.share
  check('shares an album', made.entry.length === 3 && made.url.startsWith(`${told.url}/share/`) && made.visitCount === 0, shares)
  const seen = await visited(made.url)
  const right = seen.status === 200 && seen.html.includes('Röda hus') && seen.html.includes('Salt &amp; &quot;Sea&quot; &lt;2&gt;')
  check('anybody opens the link', right && seen.policy.startsWith("default-src 'none'"), seen)
  check('anybody hears the song', seen.song === told.songs[0].sha256, seen.song)
  const [counted] = (await api.getShares()).shares.share
  check('counts who came', counted.visitCount === 1 && counted.lastVisited != null && counted.id === made.id, counted)
  await api.updateShare({ id: made.id, description: 'again', expires: 1000 })
  check('ends a share', (await visited(made.url)).status === 404)
  await api.deleteShare({ id: made.id })
  check('takes it back', !(await api.getShares()).shares.share?.length)
  const two = (await api.createShare({ id: [id, songs[3].id] })).shares.share[0]
  check('shares two songs', same(names(two.entry, 'id'), [id, songs[3].id]), two)
  await api.deleteShare({ id: two.id })
}

async function podcasts ({ feed, seconds, sha256 }, api, check) {
  const made = await api.createPodcastChannel({ url: feed })
  const { podcasts: { channel: [channel] } } = await api.getPodcasts()
  const [water, bread] = channel.episode
  check('follows a podcast', made.status === 'ok' && channel.title === 'Kitchen talk' && same(names(channel.episode), ['Water', 'Bread']), channel)
  await api.downloadPodcastEpisode({ id: bread.id })
  await api.downloadPodcastEpisode({ id: water.id })
  const once = async (id, status) => {
    for (;;) {
      const { podcastEpisode: now } = await api.getPodcastEpisode({ id })
      if (now.status !== 'downloading') {
        check(`sees that an episode is ${status}`, now.status === status, now)
        return now
      }
    }
  }
  await once(water.id, 'error')
  const { streamId: id } = await once(bread.id, 'completed')
  check('hears an episode as it is', digest(await bytesOf(api.stream({ id }))) === sha256)
  const sound = heard(await bytesOf(api.stream({ id, format: 'opus', maxBitRate: 64 })))
  check('hears an episode as opus', sound.codec === 'opus' && Math.abs(sound.seconds - seconds) < 0.5, sound)
  const { newestPodcasts } = await api.getNewestPodcasts({ count: 1 })
  check('lists the newest episodes', same(names(newestPodcasts.episode), ['Water']), newestPodcasts)
  await api.deletePodcastEpisode({ id: bread.id })
  const after = (await api.getPodcastEpisode({ id: bread.id })).podcastEpisode
  check('deletes an episode', after.status === 'deleted' && after.streamId == null, after)
  check('has the feed asked for', (await api.refreshPodcasts()).status === 'ok')
  await api.deletePodcastChannel({ id: channel.id })
  check('follows it no more', !(await api.getPodcasts()).podcasts.channel?.length)
}
