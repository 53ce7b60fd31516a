/**
 * Styled subtitles (ASS) by libass in a worker, drawn over the picture in its size. Loaded only when such a track is
 * chosen: the worker, libass and the default font come from this origin like everything else, and no font is ever
 * looked for elsewhere.
 */
import JASSUB from 'jassub';
import fallbackFont from 'jassub/dist/default.woff2?url';
import { api } from '../../../api/client';

const FALLBACK = 'liberation sans';
/** Lines that it draws at most; above that nobody sees a difference. */
const LINES_MAX = 1440;

export class StyledTrack {
  private renderer: JASSUB | null = null;
  private readonly abort = new AbortController();

  constructor(private readonly video: HTMLVideoElement) {}

  /** `fonts`: those that the file brings. Resolves when it draws. */
  async open(path: string, fonts: readonly string[]): Promise<void> {
    const subContent = await api.text(path, this.abort.signal);
    if (this.abort.signal.aborted) return;
    knowWasm();
    const renderer = new JASSUB({
      video: this.video,
      subContent,
      fonts: fonts.map((font) => new URL(font, location.href).href),
      availableFonts: { [FALLBACK]: new URL(fallbackFont, location.href).href },
      defaultFont: FALLBACK,
      queryFonts: false,
      maxRenderHeight: LINES_MAX,
    });
    this.renderer = renderer;
    await renderer.ready;
    if (!renderer.renderer) throw new Error('libass did not start');
    await this.drawNow(renderer);
  }

  /** The library draws with each frame that comes. While the film stands still none does, so the line is asked for. */
  private async drawNow(renderer: JASSUB): Promise<void> {
    const { currentTime, videoWidth, videoHeight } = this.video;
    const shown = { mediaTime: currentTime, width: videoWidth, height: videoHeight } as VideoFrameCallbackMetadata;
    if (this.video.paused && !this.abort.signal.aborted) await renderer.manualRender(shown, true);
  }

  close(): void {
    this.abort.abort();
    void this.renderer?.destroy().catch(() => {});
    this.renderer = null;
  }
}

/**
 * The library tries WebAssembly out by compiling some on the page, which the page's Content-Security-Policy forbids: only
 * the worker may. Asked in the way that compiles nothing, it believes us.
 */
function knowWasm(): void {
  const known = JASSUB as unknown as { _supportsSIMD: boolean | undefined };
  // A module with one function that returns `i8x16.relaxed_swizzle` of two vectors.
  known._supportsSIMD ??= WebAssembly.validate(
    Uint8Array.of(
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 0x0a, 0x2b, 1, 0x29, 0],
      ...[0xfd, 0x0c, ...Array<number>(16).fill(0), 0xfd, 0x0c, ...Array<number>(16).fill(0), 0xfd, 0x80, 2, 0x0b],
    ),
  );
}
