/**
 * A WebVTT track that the browser reads and times, and the page draws: right across every seek, and styled by us. The
 * text is fetched first, because a `<track>` that fails does not say why.
 */
import { api } from '../../../api/client';

export class TextTrack {
  private element: HTMLTrackElement | null = null;
  private url: string | null = null;
  private readonly abort = new AbortController();

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly tell: (cues: VTTCue[]) => void,
  ) {}

  /** Resolves when its cues are shown in time. */
  async open(path: string): Promise<void> {
    const text = await api.text(path, this.abort.signal);
    if (this.abort.signal.aborted) return;
    const element = document.createElement('track');
    element.kind = 'subtitles';
    this.url = URL.createObjectURL(new Blob([text], { type: 'text/vtt' }));
    element.src = this.url;
    this.element = element;
    const { track } = element;
    track.addEventListener('cuechange', () => {
      if (this.element === element) this.tell([...(track.activeCues ?? [])] as VTTCue[]);
    });
    this.video.append(element);
    // Timed by the browser, but drawn by nobody yet.
    track.mode = 'hidden';
    await new Promise<void>((resolve, reject) => {
      element.addEventListener('load', () => resolve());
      element.addEventListener('error', () => reject(new Error('it is not WebVTT')));
    });
  }

  close(): void {
    this.abort.abort();
    this.element?.remove();
    this.element = null;
    if (this.url) URL.revokeObjectURL(this.url);
    this.tell([]);
  }
}
