/** The part of the mock node that plays: renditions, segments that take a while, subtitles, pictures for the seek bar. */
import type { PlaybackDecision, Rendition, Renditions, Segment, Subtitles, Thumbnails } from '../src/api/types.ts';
import { contentOf, FILM_SECONDS, segmentCount, segmentSeconds, SOUNDS, VIDEOS } from './film.ts';

const COLUMNS = 5;
const ROWS = 4;
const [WIDTH, HEIGHT, INTERVAL] = [160, 90, 5];

export const TRANSCODED: PlaybackDecision = {
  method: 'transcode',
  reason:
    'the video is transcoded because it is HEVC, which this player does not play; the sound is transcoded because it is AC-3',
};

/** Milliseconds that a transcoded segment takes; `POTLUCK_MOCK_MS`. */
const MAKING_MS = Number(process.env.POTLUCK_MOCK_MS ?? 600);
const made = new Set<string>();

export function renditions(decision: PlaybackDecision, burn: string | null): Renditions {
  const shared = { segments: segmentCount('v0'), duration: FILM_SECONDS, descriptor: 'bafy' };
  const videos = VIDEOS.map(({ id, width, height, rate }): Rendition => ({
    ...shared,
    id: id === 'v0' ? id : burn ? `${id}-b${burn}` : id,
    kind: 'video',
    method: id === 'v0' ? 'copy' : 'transcode',
    codecs: 'avc1.640028',
    default: true,
    width,
    height,
    frame_rate: 24,
    bit_rate: rate,
    video_range: 'SDR',
    init: id === 'v0' ? contentOf('v0/init.mp4') : null,
  }));
  const sounds = SOUNDS.map((id, at): Rendition => ({
    ...shared,
    id,
    kind: 'audio',
    method: id.includes('-') ? 'transcode' : 'copy',
    codecs: 'mp4a.40.2',
    default: at === 0,
    language: at === 0 ? 'eng' : 'deu',
    channels: at === 0 ? 6 : 2,
    bit_rate: 128_000,
    segments: segmentCount(id),
    init: id.includes('-') ? null : contentOf(`${id}/init.mp4`),
  }));
  return { decision, renditions: [...videos.filter(({ method }) => !burn || method !== 'copy'), ...sounds] };
}

/** Those that are ready, of a transcoded rendition; the first takes its time. */
export async function segments(rendition: string, from: number, count: number): Promise<Segment[]> {
  const slow = rendition.includes('-') && rendition.startsWith('v');
  const plain = rendition.replace(/-b\d+$/, '');
  const key = (n: number) => `${rendition}/${n}`;
  if (slow && !made.has(key(from))) await new Promise((resolve) => setTimeout(resolve, MAKING_MS));
  made.add(key(from));
  const list: Segment[] = [];
  for (let n = from; n < from + count && (!slow || made.has(key(n))); n += 1) {
    const content = contentOf(`${plain}/${n}.m4s`);
    const encoder = slow ? 'h264_qsv' : rendition.includes('-') ? 'aac' : 'copy';
    const place = { n, start: n * segmentSeconds, duration: segmentSeconds, encoder, sources: ['node'] };
    if (content) list.push({ ...place, ...content });
  }
  return list;
}

export function subtitles(item: string): Subtitles {
  const base = `/api/v1/items/${item}/subtitles`;
  const plain = { default: false, forced: false };
  return {
    tracks: [
      { ...plain, id: 's3', stream: 3, format: 'text', language: 'eng', default: true, vtt: `${base}/s3.vtt` },
      { ...plain, id: 's4', stream: 4, format: 'ass', language: 'jpn', vtt: `${base}/s4.vtt`, ass: `${base}/s4.ass` },
      { ...plain, id: 's5', stream: 5, format: 'picture', language: 'fre', burn: 5 },
      { ...plain, id: 'x0', format: 'text', language: 'eng', name: 'Signs', forced: true, vtt: `${base}/x0.vtt` },
    ],
    fonts: [],
  };
}

export function subtitleText(name: string): string {
  const time = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 23);
  const lines = Array.from({ length: FILM_SECONDS / 5 }, (_, at) => at * 5);
  if (name.endsWith('.ass')) {
    const head =
      '[Script Info]\nScriptType: v4.00+\nPlayResX: 1280\nPlayResY: 720\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, Bold, Outline, Shadow, Alignment, MarginV\nStyle: Default,Liberation Sans,56,&H0000E5FF,&H00400000,1,3,1,2,60\n\n[Events]\nFormat: Layer, Start, End, Style, Text\n';
    const say = (at: number) =>
      `Dialogue: 0,${time(at).slice(1, 11)},${time(at + 4).slice(1, 11)},Default,{\\fad(200,200)\\frz${(at % 3) * 4 - 4}}Styled line at ${at} s\n`;
    return head + lines.map(say).join('');
  }
  const words = (at: number) =>
    name.startsWith('x')
      ? `${time(at)} --> ${time(at + 4)} line:0\nHARBOUR, CLOSED`
      : `${time(at)} --> ${time(at + 4)}\nThe ships still come, <i>every</i> winter.\nThis is what is said at ${at} s.`;
  return `WEBVTT\n\n${lines.map(words).join('\n\n')}\n`;
}

export function thumbnails(item: string): Thumbnails {
  const place = { width: WIDTH, height: HEIGHT, columns: COLUMNS, rows: ROWS, interval: INTERVAL };
  return { ...place, state: 'ready', sprites: [`/api/v1/items/${item}/thumbnails/0.svg`] };
}

export function sprite(): string {
  const cells = Array.from({ length: COLUMNS * ROWS }, (_, n) => {
    const [x, y] = [(n % COLUMNS) * WIDTH, Math.floor(n / COLUMNS) * HEIGHT];
    return `<rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" fill="oklch(0.5 0.12 ${n * 17})"/><text x="${x + 12}" y="${y + 54}" font-size="30" fill="#fff">${n * INTERVAL} s</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH * COLUMNS}" height="${HEIGHT * ROWS}">${cells.join('')}</svg>`;
}
