/**
 * A short film as HLS, made once with ffmpeg if it is there: an original and two rungs, two sound tracks. Its segments
 * have real CIDs, so the player fetches and checks them as from a node.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rawCid } from '../src/content/cid.ts';

const FOLDER = join(import.meta.dirname ?? '.', '../node_modules/.cache/mock-film-2');

export const FILM_SECONDS = 90;
const SEGMENT_SECONDS = 4;
export const VIDEOS = [
  { id: 'v0', width: 1280, height: 720, rate: 2_400_000 },
  { id: 'v0-480', width: 854, height: 480, rate: 900_000 },
  { id: 'v0-360', width: 640, height: 360, rate: 500_000 },
];
export const SOUNDS = ['a1', 'a2-aac2'];

/** A file of the film, below its folder; made with all others when the first is asked for. */
export function filmFile(name: string): string | null {
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(name)) return null;
  if (!existsSync(join(FOLDER, 'master.m3u8'))) make();
  // ffmpeg numbers the initialisation sections of variants.
  const [rendition = '', file = ''] = name.split('/');
  const init = file === 'init.mp4' && readdirSync(join(FOLDER, rendition)).find((one) => one.startsWith('init'));
  const path = join(FOLDER, init ? `${rendition}/${init}` : name);
  return existsSync(path) ? path : null;
}

export interface Block {
  cid: string;
  size: number;
  blocks: { cid: string; size: number }[];
}

const blocks = new Map<string, Buffer>();

/** A file as content of one block, which `blockOf` then has. */
export function contentOf(name: string): Block | null {
  const path = filmFile(name);
  if (!path) return null;
  const bytes = readFileSync(path);
  const cid = rawCid(new Uint8Array(createHash('sha256').update(bytes).digest()));
  blocks.set(cid, bytes);
  return { cid, size: bytes.length, blocks: [{ cid, size: bytes.length }] };
}

export function blockOf(cid: string): Buffer | null {
  return blocks.get(cid) ?? null;
}

export function segmentCount(rendition: string): number {
  if (!filmFile(`${rendition}/index.m3u8`)) return 0;
  return readdirSync(join(FOLDER, rendition)).filter((name) => name.endsWith('.m4s')).length;
}

export const segmentSeconds = SEGMENT_SECONDS;

function make(): void {
  for (const { id } of VIDEOS) mkdirSync(join(FOLDER, id), { recursive: true });
  for (const id of SOUNDS) mkdirSync(join(FOLDER, id), { recursive: true });
  const input = (graph: string) => ['-f', 'lavfi', '-i', graph];
  const streams = [
    ...VIDEOS.map(({ id }, at) => `v:${at},agroup:s,name:${id}`),
    `a:0,agroup:s,language:eng,name:${SOUNDS[0]},default:yes`,
    `a:1,agroup:s,language:deu,name:${SOUNDS[1]}`,
  ];
  execFileSync('ffmpeg', [
    ...['-hide_banner', '-loglevel', 'error', '-y'],
    ...input(`gradients=s=1280x720:r=24:d=${FILM_SECONDS}:speed=0.02:n=5`),
    ...input(`sine=f=220:d=${FILM_SECONDS}`),
    ...input(`sine=f=330:d=${FILM_SECONDS}`),
    ...VIDEOS.flatMap(({ width, height, rate }, at) => [
      ...['-map', '0:v', `-filter:v:${at}`, `scale=${width}:${height}`],
      ...[`-b:v:${at}`, String(rate), `-maxrate:v:${at}`, String(rate), `-bufsize:v:${at}`, String(rate)],
    ]),
    ...['-map', '1:a', '-map', '2:a', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '96', '-c:a', 'aac'],
    ...['-f', 'hls', '-hls_time', String(SEGMENT_SECONDS), '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'],
    ...['-hls_fmp4_init_filename', 'init.mp4', '-master_pl_name', 'master.m3u8', '-var_stream_map', streams.join(' ')],
    ...['-hls_segment_filename', join(FOLDER, '%v', '%d.m4s'), join(FOLDER, '%v', 'index.m3u8')],
  ]);
}
