/** A short film as HLS, made once with ffmpeg if it is there, for the player. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname ?? '.', '../node_modules/.cache/mock-film');

export const FILM_SECONDS = 90;

export function filmFile(name: string): string | null {
  if (!/^[\w.-]+$/.test(name)) return null;
  if (!existsSync(join(FOLDER, 'master.m3u8'))) make();
  const path = join(FOLDER, name);
  return existsSync(path) ? path : null;
}

function make(): void {
  mkdirSync(FOLDER, { recursive: true });
  const input = (graph: string) => ['-f', 'lavfi', '-i', graph];
  execFileSync('ffmpeg', [
    ...['-hide_banner', '-loglevel', 'error', '-y'],
    ...input(`gradients=s=1280x720:r=24:d=${FILM_SECONDS}:speed=0.02:n=5`),
    ...input(`sine=f=220:d=${FILM_SECONDS}`),
    ...input(`sine=f=330:d=${FILM_SECONDS}`),
    ...[
      '-map',
      '0:v',
      '-map',
      '1:a',
      '-map',
      '2:a',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-g',
      '96',
      '-c:a',
      'aac',
    ],
    ...['-f', 'hls', '-hls_time', '4', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'],
    ...['-hls_fmp4_init_filename', 'init_%v.mp4', '-master_pl_name', 'master.m3u8'],
    ...[
      '-var_stream_map',
      'v:0,agroup:s a:0,agroup:s,language:eng,name:English,default:yes a:1,agroup:s,language:deu,name:German',
    ],
    ...['-hls_segment_filename', join(FOLDER, 's_%v_%d.m4s'), join(FOLDER, '%v.m3u8')],
  ]);
}
