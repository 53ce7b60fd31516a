/** The subtitle tracks of a film and the one that is shown: text, styled text, or pictures drawn into the film. */
import { api } from '../../../api/client';
import type { SubtitleTrack, Subtitles as Tracks } from '../../../api/types';
import { explain } from '../../state/toasts.svelte';
import { capitalised } from '../../text/facts';
import { prefer, preference, type TextSize } from '../preferences';
import { firstTrack, nextTrack } from './choice';
import { TextTrack } from './text';

interface Shown {
  close(): void;
}

export class Subtitles {
  tracks: SubtitleTrack[] = $state.raw([]);
  /** Id of the one that is chosen. */
  now: string | null = $state(null);
  /** It was chosen, but is not here yet: reading it out of a large file takes the node a while. */
  loading = $state(false);
  problem: string | null = $state(null);
  /** Lines of text that are due. */
  cues: VTTCue[] = $state.raw([]);
  size: TextSize = $state(preference('textSize'));

  private fonts: string[] = [];
  private shown: Shown | null = null;
  private closed = false;

  /** `burn` has a picture stream drawn into the film. */
  constructor(
    private readonly video: HTMLVideoElement,
    private readonly item: string,
    private readonly burn: (stream: number | null) => void,
  ) {}

  /** `spoken`: language of the sound that plays. A film without an answer plays without subtitles. */
  async load(spoken: string | null): Promise<void> {
    const all: Tracks | null = await api.subtitles(this.item).catch(() => null);
    if (!all || this.closed) return;
    this.tracks = all.tracks;
    this.fonts = all.fonts.map(({ url }) => url);
    const first = firstTrack(this.tracks, preference('subtitles'), spoken);
    if (first) await this.show(first);
  }

  /** By hand: remembered. */
  choose(id: string | null): Promise<void> {
    const track = this.tracks.find((one) => one.id === id) ?? null;
    if (!track) prefer('subtitles', 'off');
    else if (track.language && !track.forced) prefer('subtitles', track.language);
    return this.show(track);
  }

  /** The next one, by hand; what is shown now. */
  cycle(): SubtitleTrack | null {
    const next = nextTrack(this.tracks, this.now);
    void this.choose(next?.id ?? null);
    return next;
  }

  resize(size: TextSize): void {
    this.size = size;
    prefer('textSize', size);
  }

  close(): void {
    this.closed = true;
    this.shown?.close();
    this.shown = null;
  }

  private async show(track: SubtitleTrack | null): Promise<void> {
    this.shown?.close();
    this.shown = null;
    this.cues = [];
    this.problem = null;
    this.now = track?.id ?? null;
    this.burn(track?.format === 'picture' ? (track.burn ?? track.stream ?? null) : null);
    if (!track || track.format === 'picture') return;
    this.loading = true;
    try {
      await this.open(track);
    } catch (error) {
      if (this.now === track.id && !this.closed) this.problem = capitalised(explain(error));
    }
    if (this.now === (track?.id ?? null)) this.loading = false;
  }

  private async open(track: SubtitleTrack): Promise<void> {
    if (track.format === 'ass' && track.ass) {
      const { StyledTrack } = await import('./styled');
      if (this.now !== track.id || this.closed) return;
      const styled = new StyledTrack(this.video);
      this.shown = styled;
      await styled.open(track.ass, this.fonts);
    } else if (track.vtt) {
      const text = new TextTrack(this.video, (cues) => {
        if (this.now === track.id) this.cues = cues;
      });
      this.shown = text;
      await text.open(track.vtt);
    }
  }
}
