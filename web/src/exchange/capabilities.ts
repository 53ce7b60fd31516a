/**
 * What this browser and screen can play, asked once and told to the node, which decides by it what is copied and what
 * is transcoded. Browsers answer "maybe" in several ways; a codec counts only where Media Source Extensions take it,
 * and the heavy ones only where `mediaCapabilities` does not say that they would stutter.
 */

/** Query parameters of `items/{id}`, its renditions and its master playlist, under the node's names. */
export interface Capabilities {
  /** `h264,hevc`, as the node calls them. */
  video: string;
  audio: string;
  hdr: boolean;
  channels: number;
  /** Lines of picture that are of use here. */
  height: number;
  /** Bits a second that this device may receive at most. */
  bit_rate?: number;
  /** Index of the picture subtitle stream that is drawn into the film. */
  burn?: number;
}

/** What is asked of the browser; tests bring their own. */
export interface Browser {
  /** `isTypeSupported` of MediaSource or ManagedMediaSource; absent where the browser has neither. */
  isTypeSupported?: ((type: string) => boolean) | undefined;
  decodingInfo?: ((wanted: MediaDecodingConfiguration) => Promise<{ supported: boolean; smooth: boolean }>) | undefined;
  matches: (query: string) => boolean;
  /** Channels of the sound output; `null` where unknown. */
  channels: () => number | null;
  screen: { width: number; height: number };
  pixelRatio: number;
}

interface Codec {
  name: string;
  type: string;
}

/** One string for each codec, of the profile and level that films have: what plays it plays what is below. */
const VIDEO: readonly Codec[] = [
  { name: 'h264', type: 'video/mp4; codecs="avc1.640029"' },
  { name: 'hevc', type: 'video/mp4; codecs="hvc1.1.6.L120.90"' },
  { name: 'hevc', type: 'video/mp4; codecs="hvc1.2.4.L153.B0"' },
  { name: 'av1', type: 'video/mp4; codecs="av01.0.08M.10"' },
  { name: 'vp9', type: 'video/mp4; codecs="vp09.00.40.08"' },
];
const AUDIO: readonly Codec[] = [
  { name: 'aac', type: 'audio/mp4; codecs="mp4a.40.2"' },
  { name: 'flac', type: 'audio/mp4; codecs="fLaC"' },
  { name: 'opus', type: 'audio/mp4; codecs="Opus"' },
  { name: 'mp3', type: 'audio/mp4; codecs="mp3"' },
  { name: 'ac3', type: 'audio/mp4; codecs="ac-3"' },
  { name: 'eac3', type: 'audio/mp4; codecs="ec-3"' },
];
/** What nearly every browser plays; told where the browser cannot be asked. */
const BASE = { video: 'h264', audio: 'aac' };

/** At least 720: below it nobody saves anything worth a new transcode. */
const HEIGHTS = [720, 1080, 1440, 2160, 4320];
/** A screen this much lower than a rung still has use for it: laptops have 900 lines and 1117 points. */
const NEARLY = 0.9;

/** Asks `browser` everything. Never rejects: what cannot be asked is not claimed. */
export async function detect(browser: Browser): Promise<Capabilities> {
  const [video, audio] = await Promise.all([
    playable(browser, VIDEO, (type) => ({ video: film(type) })),
    playable(browser, AUDIO, (type) => ({ audio: { contentType: type } })),
  ]);
  return {
    video: video.join(',') || BASE.video,
    audio: audio.join(',') || BASE.audio,
    hdr: browser.matches('(dynamic-range: high)'),
    channels: channels(browser.channels()),
    height: usefulHeight(browser.screen, browser.pixelRatio),
  };
}

function film(contentType: string): VideoConfiguration {
  return { contentType, width: 1920, height: 1080, bitrate: 8_000_000, framerate: 24 };
}

/** A name that stands there twice needs both its forms. */
async function playable(
  browser: Browser,
  codecs: readonly Codec[],
  describe: (type: string) => Omit<MediaDecodingConfiguration, 'type'>,
): Promise<string[]> {
  const answers = await Promise.all(
    codecs.map(async ({ name, type }) => ({ name, plays: await plays(browser, type, describe(type)) })),
  );
  const names = [...new Set(codecs.map(({ name }) => name))];
  return names.filter((name) => answers.every((answer) => answer.name !== name || answer.plays));
}

async function plays(
  browser: Browser,
  type: string,
  description: Omit<MediaDecodingConfiguration, 'type'>,
): Promise<boolean> {
  if (!browser.isTypeSupported?.(type)) return false;
  const info = await browser.decodingInfo?.({ type: 'media-source', ...description }).catch(() => null);
  // Where it cannot say, the first answer stands.
  return info ? info.supported && (info.smooth || type.includes('avc1')) : true;
}

/** 2, 6 or 8: what sound is down-mixed to. */
function channels(count: number | null): number {
  if (!count || count < 6) return 2;
  return count >= 8 ? 8 : 6;
}

/** The rung that the shorter side of the screen shows in full. */
export function usefulHeight(screen: { width: number; height: number }, pixelRatio: number): number {
  const lines = Math.min(screen.width, screen.height) * pixelRatio;
  return HEIGHTS.find((height) => height >= lines * NEARLY) ?? Math.round(lines);
}

/** This page's own browser. */
export function thisBrowser(): Browser {
  const source =
    typeof MediaSource !== 'undefined'
      ? MediaSource
      : (globalThis as { ManagedMediaSource?: typeof MediaSource }).ManagedMediaSource;
  const info = navigator.mediaCapabilities as MediaCapabilities | undefined;
  return {
    isTypeSupported: source && ((type) => source.isTypeSupported(type)),
    decodingInfo: info && ((wanted) => info.decodingInfo(wanted)),
    matches: (query) => matchMedia(query).matches,
    channels: outputChannels,
    screen,
    pixelRatio: devicePixelRatio,
  };
}

/** A context is made only to be asked, and closed again. */
function outputChannels(): number | null {
  try {
    const context = new AudioContext();
    const count = context.destination.maxChannelCount;
    void context.close();
    return count;
  } catch {
    return null;
  }
}

let asked: Promise<Capabilities> | undefined;

/** What this browser can play; asked once a visit. */
export function capabilities(): Promise<Capabilities> {
  asked ??= detect(thisBrowser());
  return asked;
}
