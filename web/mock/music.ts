/** Albums that nobody recorded: each track is one tone, so that one hears where the next begins. */
import type { ItemSummary } from '../src/api/types.ts';

interface Record {
  title: string;
  artist: string;
  year: number;
  /** Tracks by disc. */
  discs: number[];
}

const RECORDS: Record[] = [
  { title: 'Quiet Waves', artist: 'Ada Tone', year: 2019, discs: [4, 3] },
  { title: 'Harmonics', artist: 'The Sines', year: 2012, discs: [9] },
  { title: 'A Very Long Title for a Very Short Album of Songs', artist: 'The Sines', year: 2021, discs: [2] },
  { title: 'Night Bus', artist: 'Lantern Choir', year: 1998, discs: [11] },
  { title: 'Field Notes', artist: 'Various Artists', year: 2007, discs: [14] },
  ...['Amber Rooms', 'Borrowed Light', 'Copper', 'Driftwood Hymns', 'Evening Post', 'Far Side', 'Glasswork'].map(
    (title, i): Record => ({ title, artist: ['Lantern Choir', 'Mira Holm'][i % 2]!, year: 1980 + i * 5, discs: [8] }),
  ),
];
const NAMES = ['Arrival', 'Low Tide', 'Paper Boats', 'Hum', 'Every Window', 'Slow Train', 'Salt', 'After Rain', 'Home'];
const SECONDS = [14, 9, 22, 12];
const RATE = 8000;

export function albums(library: string, now: number): ItemSummary[] {
  return RECORDS.flatMap((record, i) => itemsOf(record, i, library, now));
}

function itemsOf({ title, artist, year, discs }: Record, i: number, library: string, now: number): ItemSummary[] {
  const album = `m${i}`;
  const common = { library, state: 'present' as const, year, added_at: now - i * 9_000_000 };
  const poster = i === 3 ? null : `/api/v1/items/${album}/poster`;
  const tracks = discs.flatMap((count, disc) =>
    Array.from({ length: count }, (_, n): ItemSummary => ({
      ...{ ...common, id: `${album}d${disc + 1}t${n + 1}`, kind: 'track', poster, show: album, show_title: title },
      title: NAMES[(i * 2 + disc * 4 + n) % NAMES.length]!,
      artist: artist === 'Various Artists' ? RECORDS[n % 4]!.artist : n === 2 ? `${artist} and Friends` : artist,
      ...{ season: disc + 1, episode: n + 1, duration: SECONDS[n % SECONDS.length]!, size: 3e6, cid: null },
    })),
  );
  const duration = tracks.reduce((sum, track) => sum + (track.duration ?? 0), 0);
  return [{ ...common, id: album, kind: 'album', title, artist, poster, duration, episodes: tracks.length }, ...tracks];
}

/** One tone as long as the track, as WAVE of 8 bits. */
export function tone(track: ItemSummary): Buffer {
  const samples = Math.round((track.duration ?? 1) * RATE);
  const pitch = 180 + 40 * (track.episode ?? 1);
  const sound = Buffer.alloc(44 + samples);
  sound.write('RIFF', 0);
  sound.writeUInt32LE(36 + samples, 4);
  sound.write('WAVEfmt ', 8);
  sound.writeUInt32LE(16, 16);
  sound.writeUInt16LE(1, 20);
  sound.writeUInt16LE(1, 22);
  sound.writeUInt32LE(RATE, 24);
  sound.writeUInt32LE(RATE, 28);
  sound.writeUInt16LE(1, 32);
  sound.writeUInt16LE(8, 34);
  sound.write('data', 36);
  sound.writeUInt32LE(samples, 40);
  for (let i = 0; i < samples; i += 1)
    sound[44 + i] = 128 + Math.round(40 * Math.sin((2 * Math.PI * pitch * i) / RATE));
  return sound;
}
