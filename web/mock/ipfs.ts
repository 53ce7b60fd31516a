/**
 * What the mock node finds in the network of IPFS: a folder with a film, a song, a picture and texts, under real CIDs and
 * an IPNS name; and CIDs that nobody has, that are slow, or that this node may not fetch.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CID } from 'multiformats/cid';
import type { IpfsContent, IpfsEntry } from '../src/api/types.ts';
import { rawCid } from '../src/content/cid.ts';
import { picture } from './art.ts';

const CACHE = join(import.meta.dirname ?? '.', '../node_modules/.cache');
const FILM = join(CACHE, 'mock-ipfs-film.mp4');
const SOUND = join(CACHE, 'mock-ipfs-sound.flac');
const ENTRIES_MAX = 10_000;
/** Milliseconds until it answers, so that what waits can be seen: with what is there, and with what nobody has. */
export const waits = { found: 400, long: 6000 };

interface File {
  name: string;
  type: string;
  bytes: () => Buffer;
}
type Folder = { name: string; entries: (File | Folder)[] };

const text = (name: string, type: string, words: string): File => ({ name, type, bytes: () => Buffer.from(words) });

const MANY: Folder = {
  name: 'Ten thousand and one notes',
  entries: Array.from({ length: ENTRIES_MAX + 1 }, (_, n) =>
    text(`note ${String(n + 1).padStart(5, '0')}.txt`, 'text/plain', `This is note ${n + 1}.\n`),
  ),
};
const ROOT: Folder = {
  name: '',
  entries: [
    {
      name: 'Colours that meet, mingle and part again, in a name too long for one line.mp4',
      type: 'video/mp4',
      bytes: film,
    },
    { name: 'Low Tide.flac', type: 'audio/flac', bytes: sound },
    text('Read me first?.txt', 'text/plain', 'Everything in here was made by arithmetic.\n\nNobody owns it.\n'),
    {
      name: 'Shots',
      entries: [7, 11].map((seed) => text(`shot ${seed}.svg`, 'image/svg+xml', picture(seed, 1280, 720))),
    },
    MANY,
    { name: 'nothing yet', entries: [] },
    text('unknown.bin', 'application/octet-stream', '\0\x01\x02'),
  ],
};

export const IPNS_NAME = 'k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8';
/** What happens to whoever asks for these, by what the bytes of their block would be. */
export const FATES = Object.fromEntries(
  ['nobody', 'forbidden', 'slow', 'off'].map((fate) => [fate, rawCid(sha256(Buffer.from(`${fate}\n`)))]),
) as Record<'nobody' | 'forbidden' | 'slow' | 'off', string>;

/** Status, word, sentence, and how long it takes to say so. */
const REFUSALS: Record<string, [number, string, string, keyof typeof waits]> = {
  [FATES.nobody]: [404, 'not_found', 'none of the 12 nodes that were asked has it', 'long'],
  [FATES.forbidden]: [403, 'forbidden', 'this account may open only what is on this node', 'found'],
  [FATES.slow]: [504, 'too_slow', 'its first block did not come within a minute', 'long'],
  [FATES.off]: [503, 'unavailable', 'the IPFS side is switched off on this node', 'found'],
};

const known = new Map<string, File | Folder>();
const cids = new Map<File | Folder, string>();
learn(ROOT);

/** The CID of the folder that everything else is in. */
export const ROOT_CID = cids.get(ROOT)!;

type Refusal = { status: number; error: string; message: string };

/** `GET /ipfs/content`; `path` is percent-encoded. */
export async function contentAt(path: string): Promise<IpfsContent | Refusal> {
  const [, space, root = '', ...names] = path
    .replace(/[?#].*/, '')
    .split('/')
    .map(decodeURIComponent);
  const [status, error, message, wait] = REFUSALS[root] ?? [404, 'not_found', 'nobody who was asked has it', 'found'];
  await new Promise((resolve) => setTimeout(resolve, waits[wait]));
  if (space !== 'ipfs' && space !== 'ipns') return { status: 400, error: 'invalid', message: `${path} is no path` };
  const found = follow(behind(root), names);
  return found ? described(found, ['', space, root, ...names], names.at(-1)) : { status, error, message };
}

/** A file for the mock gateway; `path` is a CID or name with what is below it, percent-encoded. */
export function gatewayFile(path: string): { bytes: Buffer; type: string } | null {
  const [root = '', ...names] = path.split('/').map(decodeURIComponent);
  const found = follow(behind(root), names);
  return found && !('entries' in found) ? { bytes: found.bytes(), type: found.type } : null;
}

function behind(root: string): string {
  return root === IPNS_NAME ? ROOT_CID : root;
}

function described(found: File | Folder, path: string[], name: string | undefined): IpfsContent {
  const common = {
    ...{ path: path.join('/'), cid: cids.get(found)!, name: name ?? null },
    url: path.map(encodeURIComponent).join('/'),
  };
  if ('entries' in found) {
    const entries = [...found.entries].sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, ENTRIES_MAX);
    const truncated = found.entries.length > ENTRIES_MAX;
    return { ...common, kind: 'folder', size: null, media_type: null, entries: entries.map(entry), truncated };
  }
  return { ...common, kind: 'file', size: found.bytes().length, media_type: found.type, entries: [], truncated: false };
}

function entry(one: File | Folder): IpfsEntry {
  return { name: one.name, cid: cids.get(one)!, size: sizeOf(one) };
}

function sizeOf(one: File | Folder): number {
  return 'entries' in one ? one.entries.reduce((sum, inner) => sum + sizeOf(inner), 0) : one.bytes().length;
}

function follow(cid: string, names: string[]): File | Folder | undefined {
  return names.reduce<File | Folder | undefined>(
    (at, name) => (at && 'entries' in at ? at.entries.find((one) => one.name === name) : undefined),
    known.get(cid),
  );
}

/** Gives everything below a CID. Of folders, and of what ffmpeg makes once it is wanted, it is invented, but looks as theirs do. */
function learn(one: File | Folder): string {
  const folder = 'entries' in one;
  const invented = folder ? one.entries.map(learn).join() : /^(video|audio)/.test(one.type) ? one.name : null;
  const cid = invented === null ? rawCid(sha256((one as File).bytes())) : dagCid(sha256(Buffer.from(invented)));
  known.set(cid, one);
  cids.set(one, cid);
  return cid;
}

function dagCid(digest: Uint8Array): string {
  return CID.decode(Uint8Array.from([1, 0x70, 0x12, 32, ...digest])).toString();
}

function sha256(bytes: Buffer): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

function film(): Buffer {
  const source = [
    '-f',
    'lavfi',
    '-i',
    'gradients=s=1280x720:r=24:d=60:speed=0.02:n=5',
    '-f',
    'lavfi',
    '-i',
    'sine=f=220:d=60',
  ];
  return made(FILM, [
    ...source,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
    '-movflags',
    '+faststart',
  ]);
}

function sound(): Buffer {
  return made(SOUND, ['-f', 'lavfi', '-i', 'sine=f=330:d=30']);
}

/** A file made once with ffmpeg, if it is there. */
function made(file: string, how: string[]): Buffer {
  if (!existsSync(file)) {
    mkdirSync(CACHE, { recursive: true });
    execFileSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...how, file]);
  }
  return readFileSync(file);
}
