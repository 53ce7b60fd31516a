/** Joins the exchange for the music, once something is heard, and tells where each track came from. */
import type { ItemDetail } from '../../api/types';
import type { Exchange } from '../../exchange';
import type { Meter, Source } from '../supply/meter';
import type { Arrived } from './deck';

/** Who gave most of a track, or of what came last of a long one, and its name; without one it was not verified. */
export interface Origin {
  source: Source;
  cid: string | null;
  /** The node encoded it anew. */
  made: boolean;
}

export class Supply {
  /** Counts what came, from the first track on. */
  meter: Meter | null = $state.raw(null);
  private exchange: Exchange | null = null;

  /** The page's exchange: its code is loaded when it is wanted, and it is made anew for whoever signs in. */
  async join(): Promise<{ exchange: Exchange; hold: (item: ItemDetail) => void }> {
    const [{ join, hold }, { Meter }] = await Promise.all([import('../supply/shared'), import('../supply/meter')]);
    const exchange = join();
    if (exchange !== this.exchange) {
      this.meter?.close();
      this.meter = new Meter(exchange);
      this.exchange = exchange;
    }
    return { exchange, hold: (item) => hold(exchange, item) };
  }

  originOf(arrived: Arrived | null): Origin | null {
    if (arrived === null) return null;
    if (typeof arrived === 'string') return { source: 'https', cid: null, made: arrived === 'made' };
    const { cid, blocks } = arrived.verified;
    return { source: this.meter?.mostOf(blocks) ?? 'unknown', cid, made: arrived.made };
  }
}
