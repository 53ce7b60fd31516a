// A library of two albums: tones with tags, a cover beside the one and in the other, and words to sing.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const houses = { album: 'Röda hus', artist: 'Åsa Lind', genre: 'Jazz', year: 2001 }
const stock = { album: 'Stock', artist: 'The Ladle', genre: 'Folk', year: 1994 }
const songs = [
  { ...houses, path: 'Åsa Lind/2001 - Röda hus/01 Först.flac', track: 1, title: 'Först', seconds: 20 },
  { ...houses, path: 'Åsa Lind/2001 - Röda hus/02 Salt & "Sea" <2>.flac', track: 2, title: 'Salt & "Sea" <2>', seconds: 6, lyrics: 'salt\nand sea' },
  { ...houses, path: 'Åsa Lind/2001 - Röda hus/03 Sist.flac', track: 3, title: 'Sist', seconds: 6 },
  { ...stock, path: 'The Ladle/Stock/01 Onion.mp3', track: 1, title: 'Onion', seconds: 6 },
  { ...stock, path: 'The Ladle/Stock/02 Bay 100% Leaf.mp3', track: 2, title: 'Bay 100% Leaf', seconds: 6 }
]
const synced = [[1000, 'one house'], [2500, 'two houses']]

const ffmpeg = (...args) => execFileSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', '-y', ...args])

/** A tone in noise, for a lossless file of nothing but a tone has hardly more bits than a lossy one. */
function sing (file, song, cover) {
  const { album, artist, genre, year, track, title, lyrics } = song
  const tags = { album, artist, album_artist: artist, genre, date: year, track, title, ...(lyrics && { lyrics }) }
  const words = Object.entries(tags).flatMap(([key, value]) => ['-metadata', `${key}=${value}`])
  const [length, hertz] = [song.seconds, 220 + 55 * songs.indexOf(song)]
  const sound = `sine=f=${hertz}:r=44100:d=${length}[a];anoisesrc=r=44100:a=0.2:s=${hertz}:d=${length}[b];[a][b]amix,aformat=s16:cl=stereo[out]`
  const lossy = file.endsWith('.mp3')
  const picture = lossy ? ['-i', cover, '-map', '0:v', '-c:v', 'copy', '-disposition:v', 'attached_pic', '-b:a', '192k'] : []
  ffmpeg(...picture.slice(0, 2), '-filter_complex', sound, ...picture.slice(2), '-map', '[out]', ...words, file)
}

const stamp = (ms) => `[00:${String(ms / 1000).padStart(2, '0')}]`

/** Makes the library in a folder, and says what is in it. */
export async function makeLibrary (folder) {
  const cover = join(folder, '..', 'cover.jpg')
  ffmpeg('-f', 'lavfi', '-i', 'color=c=firebrick:s=300x300', '-frames:v', '1', '-update', '1', cover)
  for (const song of songs) {
    const file = join(folder, song.path)
    await mkdir(dirname(file), { recursive: true })
    sing(file, song, cover)
    const bytes = await readFile(file)
    Object.assign(song, { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
  }
  const first = join(folder, songs[0].path)
  await writeFile(join(dirname(first), 'cover.jpg'), await readFile(cover))
  await writeFile(first.replace('.flac', '.lrc'), synced.map(([ms, line]) => `${stamp(ms)}${line}\n`).join(''))
  // Programs are told of a place that is unique on the node: below the name of the library.
  return { songs: songs.map((song) => ({ ...song, file: song.path, path: `Music/${song.path}` })), synced, side: 300 }
}
