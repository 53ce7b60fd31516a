/** Which rung plays: by itself, or as somebody chose. Tells hls.js; remembers the choice on this device. */
import type Hls from 'hls.js';
import type { Events, Fragment, LevelSwitchedData } from 'hls.js';
import { estimate, levelOut, makingTime } from './hls-settings';
import { prefer, preference, type Quality } from './preferences';
import { capLevel, linesAbove, Pace, rungFor, rungsOf, type Rung } from './quality';

/** Seconds from the play head to where a new rung is expected to begin. */
const PREPARE_AHEAD = 6;
const PREPARE_MS = 5000;
/** Lines that a node is asked to transcode by itself at first: twice as many cost four times the work. */
const FIRST_LINES = 1080;
/** A node that makes a piece in this share of its length can do more. */
const EASY = 0.25;
/** A piece that came faster than this was ready before, and tells nothing. */
const READY_MS = 50;

export class Ladder {
  /** Best first. */
  rungs: Rung[] = $state.raw([]);
  wish: Quality = $state(preference('quality'));
  saveData: boolean = $state(preference('saveData'));
  /** Under the play head. */
  now: Rung | null = $state.raw(null);
  /** Bits a second, as measured. */
  bandwidth: number | null = $state(null);
  /** The node could not keep up with a rung, and automatic choice stays below it. */
  slow: number | null = $state(null);

  private hls: Hls | null = null;
  private pace = new Pace();
  /** Lines of a rung that the node may be asked for so far. */
  ceiling = FIRST_LINES;
  private preparing: AbortController | null = null;

  /** `prepare` has a rendition made at a time, before it is switched to. */
  constructor(private readonly prepare: (rendition: string, time: number, signal: AbortSignal) => Promise<void>) {}

  /** Follows `hls`, and lets it load from `start` once the rungs are known. */
  attach(hls: Hls, events: typeof Events, start: number): void {
    this.hls = hls;
    this.slow = null;
    this.pace = new Pace();
    hls.on(events.MANIFEST_PARSED, () => {
      this.read(hls);
      hls.startLoad(start > 0 ? start : -1);
    });
    hls.on(events.LEVELS_UPDATED, () => this.read(hls));
    hls.on(events.LEVEL_SWITCHED, (_event, data: LevelSwitchedData) => {
      this.now = this.rungs.find(({ level }) => level === data.level) ?? null;
    });
  }

  /** A piece of the film is in the buffer. */
  buffered(frag: Fragment): void {
    if (!this.hls) return;
    this.bandwidth = estimate(this.hls);
    const making = makingTime(frag.stats);
    if (frag.type !== 'main' || typeof frag.sn !== 'number') return;
    this.lift(frag, making);
    if (!this.pace.made(frag.level, frag.sn, making, frag.duration) || this.wish !== 'auto') return;
    this.slow = frag.level;
    this.cap(this.hls);
  }

  /** A node that has power to spare may be asked for the next rung. */
  private lift(frag: Fragment, making: number): void {
    const rung = this.rungs.find(({ level }) => level === frag.level);
    if (!this.hls || !rung || rung.original || rung.lines < this.ceiling) return;
    if (making < READY_MS || making > frag.duration * 1000 * EASY) return;
    this.ceiling = linesAbove(this.rungs, rung.lines);
    this.cap(this.hls);
  }

  choose(wish: Quality): void {
    this.wish = wish;
    prefer('quality', wish);
    const { hls } = this;
    this.preparing?.abort();
    if (!hls) return;
    const rung = rungFor(this.rungs, wish);
    if (rung) void this.switchTo(hls, rung);
    else hls.loadLevel = -1;
  }

  save(on: boolean): void {
    this.saveData = on;
    prefer('saveData', on);
    if (this.hls) this.cap(this.hls);
  }

  /** The next film begins with what was measured in this one. */
  leave(): void {
    this.preparing?.abort();
    if (this.bandwidth) prefer('bandwidth', this.bandwidth);
    this.hls = null;
  }

  /**
   * Soon and without a gap: what is buffered beyond the next piece is fetched anew. A rung that has to be made first is
   * made while the buffer plays.
   */
  private async switchTo(hls: Hls, rung: Rung): Promise<void> {
    const { media } = hls;
    if (!rung.original && media && !media.paused) {
      const abort = new AbortController();
      this.preparing = abort;
      const enough = AbortSignal.any([abort.signal, AbortSignal.timeout(PREPARE_MS)]);
      await this.prepare(rung.rendition, media.currentTime + PREPARE_AHEAD, enough).catch(() => {});
      if (abort.signal.aborted || this.hls !== hls) return;
    }
    hls.nextLevel = rung.level;
  }

  private read(hls: Hls): void {
    levelOut(hls.levels);
    this.rungs = rungsOf(hls.levels);
    this.cap(hls);
    const rung = rungFor(this.rungs, this.wish);
    if (!rung || hls.loadLevel === rung.level) return;
    hls.startLevel = rung.level;
    hls.loadLevel = rung.level;
  }

  private cap(hls: Hls): void {
    hls.autoLevelCapping = capLevel(this.rungs, this);
  }
}
