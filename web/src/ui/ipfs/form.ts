/** In which form a file is shown, and under which name it is saved. Pure. */
import type { IpfsContent } from '../../api/types';

export type Form = 'video' | 'audio' | 'picture' | 'text' | 'other';

/** Longer texts are saved, not shown. */
export const TEXT_BYTES_MAX = 1024 * 1024;
/** As many first bytes as `sniff` looks at. */
export const SNIFFED_BYTES = 512;

const TEXTS = /^(text\/|application\/(json|xml|javascript|toml|yaml|x-(sh|subrip|yaml|toml|ndjson))|[^;]+\+(json|xml))/;
/** Usual ends of names, by type: a browser plays and shows by them what has no name of its own. */
const ENDS: Record<string, string> = {
  'video/mp4': 'mp4',
  'video/webm': 'webm',
  'video/x-matroska': 'mkv',
  'video/quicktime': 'mov',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/flac': 'flac',
  'audio/ogg': 'ogg',
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

/** By its type: what the node says, or what `sniff` found. */
export function formOf(type: string | null): Form {
  if (!type) return 'other';
  if (type.startsWith('video/')) return 'video';
  if (type.startsWith('audio/')) return 'audio';
  if (type.startsWith('image/')) return 'picture';
  return TEXTS.test(type) ? 'text' : 'other';
}

/** By the end of a name, for a list; `null` where it has none that is known. */
export function formOfName(name: string): Form | null {
  return BY_END[/\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''] ?? null;
}

/** Under which name it is saved. */
export function fileName({ name, cid }: IpfsContent, type: string | null): string {
  const end = type ? ENDS[type] : undefined;
  return name ?? (end ? `${cid}.${end}` : cid);
}

/** Where the gateway has it with its type: by a name with the end of that type, where it has no name of its own. */
export function sourceOf(content: IpfsContent, type: string | null): string {
  return content.name === null && type && ENDS[type]
    ? asked(content.url, { filename: fileName(content, type) })
    : content.url;
}

/** Where it is saved from: a file as it is, a folder as a CAR, anything else as its block. */
export function downloadOf(content: IpfsContent, type: string | null): { url: string; name: string } {
  if (content.kind === 'folder') {
    return { url: asked(content.url, { format: 'car' }), name: `${content.name ?? content.cid}.car` };
  }
  if (content.kind === 'block') return { url: asked(content.url, { format: 'raw' }), name: `${content.cid}.bin` };
  const name = fileName(content, type);
  return { url: asked(content.url, { download: 'true', filename: name }), name };
}

/** The type of a file by its first bytes, as far as a browser plays or shows it; `null` for all else. */
export function sniff(bytes: Uint8Array): string | null {
  const latin = String.fromCharCode(...bytes.subarray(0, 64));
  if (latin.slice(4, 8) === 'ftyp') return brand(latin.slice(8, 12));
  if (latin.startsWith('\x1a\x45\xdf\xa3')) return latin.includes('webm') ? 'video/webm' : 'video/x-matroska';
  if (latin.startsWith('RIFF')) return { WAVE: 'audio/wav', WEBP: 'image/webp' }[latin.slice(8, 12)] ?? null;
  const [, type] = MARKS.find(([mark]) => mark.test(latin)) ?? [null, null];
  return type ?? (readable(bytes) ? 'text/plain' : null);
}

const MARKS: [RegExp, string][] = [
  [/^\x89PNG\r\n/, 'image/png'],
  [/^\xff\xd8\xff/, 'image/jpeg'],
  [/^GIF8/, 'image/gif'],
  [/^fLaC/, 'audio/flac'],
  [/^OggS/, 'audio/ogg'],
  [/^(ID3|\xff[\xfb\xf3\xf2])/, 'audio/mpeg'],
  [/^%PDF-/, 'application/pdf'],
  [/^PK\x03\x04/, 'application/zip'],
];

function brand(name: string): string {
  if (name.startsWith('avi')) return 'image/avif';
  if (name === 'M4A ' || name === 'M4B ') return 'audio/mp4';
  return name === 'qt  ' ? 'video/quicktime' : 'video/mp4';
}

/** UTF-8 without control characters; a letter may be cut off at the end. */
function readable(bytes: Uint8Array): boolean {
  if (bytes.length === 0) return true;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return !/[\x00-\x08\x0e-\x1f]/.test(text);
  } catch {
    return false;
  }
}

function asked(url: string, query: Record<string, string>): string {
  const pairs = Object.entries(query).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return `${url}?${pairs.join('&')}`;
}

function of(form: Form, ends: string): Record<string, Form> {
  return Object.fromEntries(ends.split(' ').map((end) => [end, form]));
}
