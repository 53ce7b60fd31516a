/** In which form a file is shown, and under which name it is saved. Pure. */
import type { IpfsContent } from '../../api/types';

export type Form = 'video' | 'audio' | 'picture' | 'text' | 'other';

/** Longer texts are saved, not shown. */
export const TEXT_BYTES_MAX = 1024 * 1024;
const TEXTS = /^(text\/|application\/(json|xml|javascript|toml|yaml|x-(sh|subrip|yaml|toml|ndjson))|[^;]+\+(json|xml))/;
/** Usual ends of names, by type: for what is saved and has no name of its own. */
const ENDS: Record<string, string> = {
  'video/mp4': 'mp4',
  'video/webm': 'webm',
  'video/x-matroska': 'mkv',
  'video/quicktime': 'mov',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/flac': 'flac',
  'audio/ogg': 'ogg',
  'application/ogg': 'ogg',
  'audio/wav': 'wav',
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/avif': 'avif',
  'image/svg+xml': 'svg',
  'application/pdf': 'pdf',
  'application/zip': 'zip',
  'text/plain': 'txt',
};
const BY_END: Record<string, Form> = {
  ...of('video', 'mp4 m4v mkv webm mov avi ts m2ts mpg mpeg ogv wmv'),
  ...of('audio', 'mp3 flac m4a ogg oga opus wav aac wma aiff'),
  ...of('picture', 'png jpg jpeg gif webp avif svg bmp heic tif tiff'),
  ...of('text', 'txt md srt vtt ass nfo json xml csv log cue m3u m3u8 html css js'),
};

/** By the type that the node says. */
export function formOf(type: string | null | undefined): Form {
  if (!type) return 'other';
  if (type.startsWith('video/')) return 'video';
  if (type.startsWith('audio/') || type === 'application/ogg') return 'audio';
  if (type.startsWith('image/')) return 'picture';
  return TEXTS.test(type) ? 'text' : 'other';
}

/** By the end of a name, for a list; `null` where it has none that is known. */
export function formOfName(name: string): Form | null {
  return BY_END[/\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''] ?? null;
}

/** Where it is saved from, and under which name: a file as it is, a folder as a CAR, anything else as its block. */
export function downloadOf({ kind, name, cid, url, media_type }: IpfsContent): { url: string; name: string } {
  if (kind === 'folder') return { url: asked(url, { format: 'car' }), name: `${name ?? cid}.car` };
  if (kind !== 'file') return { url: asked(url, { format: 'raw' }), name: `${cid}.bin` };
  const end = ENDS[media_type?.split(';')[0] ?? ''];
  const saved = name ?? (end ? `${cid}.${end}` : cid);
  return { url: asked(url, { download: 'true', filename: saved }), name: saved };
}

function asked(url: string, query: Record<string, string>): string {
  const pairs = Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return `${url}?${pairs.join('&')}`;
}

function of(form: Form, ends: string): Record<string, Form> {
  return Object.fromEntries(ends.split(' ').map((end) => [end, form]));
}
