/**
 * MP3 for browsers that take it as it is but not in MP4, such as Chromium: the frames are taken out of each segment once its blocks were
 * verified, and playlists do not tell hls.js of MP4. Segments stay the same for everyone, so that friends' nodes have them too.
 */
import type { HlsConfig, LoaderCallbacks, LoaderConfiguration, LoaderContext } from 'hls.js';

type LoaderClass = NonNullable<HlsConfig['fLoader']>;
type Takes = (type: string) => boolean;

/** Whether MP3 has to be bare for a browser; `takes` is `isTypeSupported` of its media source. */
export function wantsBare(takes: Takes): boolean {
  return takes('audio/mpeg') && !takes('audio/mp4; codecs="mp4a.6B"');
}

/** A copy, whose rendition has no dash in its name: what is encoded anew is no MP3. */
const COPY = /\/hls\/a\d+\/[^/]+$/;
const BOX_HEAD = 8;

/** The samples of a segment, without what MP4 says of them. */
export function samplesOf(segment: ArrayBuffer): ArrayBuffer {
  const view = new DataView(segment);
  for (let at = 0; at + BOX_HEAD <= segment.byteLength;) {
    const size = view.getUint32(at);
    const end = size < BOX_HEAD ? segment.byteLength : Math.min(at + size, segment.byteLength);
    if (view.getUint32(at + 4) === 0x6d646174) return segment.slice(at + BOX_HEAD, end);
    at = end;
  }
  return new ArrayBuffer(0);
}

/** A playlist without its codec and initialisation section. */
export function untold(playlist: string): string {
  return playlist.replace(/,CODECS="mp4a\.6B"/g, '').replace(/^#EXT-X-MAP:.*\n/gm, '');
}

/** The loader, and what it loads made bare. */
export function bare(Loader: LoaderClass): LoaderClass {
  return class extends Loader {
    override load(
      context: LoaderContext,
      config: LoaderConfiguration,
      callbacks: LoaderCallbacks<LoaderContext>,
    ): void {
      super.load(context as never, config, {
        ...callbacks,
        onSuccess: (response, ...rest) =>
          callbacks.onSuccess({ ...response, data: changed(context.url, response.data) as never }, ...rest),
      });
    }
  } as LoaderClass;
}

function changed(url: string, data: unknown): unknown {
  if (typeof data === 'string') return /\/a\d+-/.test(url) ? data : untold(data);
  return data instanceof ArrayBuffer && COPY.test(url.split('?')[0]!) ? samplesOf(data) : data;
}
