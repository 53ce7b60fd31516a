/** Which rung plays: by itself, or as somebody chose. Tells hls.js; remembers the choice on this device. */
import type Hls from 'hls.js';
import type { Events, Fragment, LevelSwitchedData } from 'hls.js';
import { estimate, levelOut, makingTime } from './hls-settings';
import { prefer, preference, type Quality } from './preferences';
import { capLevel, Pace, rungFor, rungsOf, type Rung } from './quality';

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
    if (!this.pace.made(frag.level, frag.sn, making, frag.duration) || this.wish !== 'auto') return;
    this.slow = frag.level;
    this.cap(this.hls);
  }

  choose(wish: Quality): void {
    this.wish = wish;
    prefer('quality', wish);
    const { hls } = this;
    if (!hls) return;
    const rung = rungFor(this.rungs, wish);
    // What is buffered beyond the next piece is fetched anew, so that the choice shows soon and without a gap.
    if (rung) hls.nextLevel = rung.level;
    else hls.loadLevel = -1;
  }

  save(on: boolean): void {
    this.saveData = on;
    prefer('saveData', on);
    if (this.hls) this.cap(this.hls);
  }

  /** The next film begins with what was measured in this one. */
  leave(): void {
    if (this.bandwidth) prefer('bandwidth', this.bandwidth);
    this.hls = null;
  }

  private read(hls: Hls): void {
    levelOut(hls.levels);
    this.rungs = rungsOf(hls.levels);
    this.cap(hls);
    const rung = rungFor(this.rungs, this.wish);
    if (rung && hls.loadLevel !== rung.level) hls.loadLevel = rung.level;
  }

  private cap(hls: Hls): void {
    hls.autoLevelCapping = capLevel(this.rungs, this.saveData, this.slow);
  }
}
