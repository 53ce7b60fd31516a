/** What the planner asks of a way to the node: the same interface over WebRTC and HTTPS, and later friends' nodes. */
import type { Header } from './frames.ts';

/** Where bytes come from. */
export type Source = 'webrtc' | 'https' | 'friend' | 'viewer';

export interface CarrierRequest {
  /** Default `GET`. */
  method?: string;
  /** Path with query. */
  target: string;
  headers?: Header[];
  body?: Uint8Array<ArrayBuffer>;
  /** Bytes expected at most; more is an error. */
  sizeMax: number;
  signal: AbortSignal;
  /** Called for every piece of the answer's body that arrives, with its bytes. */
  onBytes?: (count: number) => void;
  /** Called whenever the connection that carries the request hears anything at all. */
  onAlive?: () => void;
}

export interface CarrierAnswer {
  status: number;
  headers: Header[];
  body: Uint8Array<ArrayBuffer>;
}

export interface Carrier {
  readonly source: Source;
  /** Whose node it leads to (an id), where that is a friend's. */
  readonly friend?: string;
  /** Can take a request now. */
  readonly ready: boolean;
  /** `now()` when it began to open for the first time; null once that has gone well or not, and where nothing opens. */
  readonly openingSince: number | null;
  /** Something arrived from the other side, whatever it was: `now()` of the last time. Falls silent when it dies. */
  readonly heardAt: number;
  /** Milliseconds, once measured. */
  readonly roundTripMs: number | null;
  /** Requests worth having under way at once. */
  readonly parallel: number;
  /** Rejects with `CarrierError`, or with the signal's reason. */
  request(request: CarrierRequest): Promise<CarrierAnswer>;
  /** Asks the other side for a sign of life, which moves `heardAt`; what gives none is made anew in the background. */
  probe(): void;
  /** Called when `ready` may have changed; the result stops that. */
  onChange(listener: () => void): () => void;
  close(): void;
}

/** A carrier gave no answer: closed, refused, broken off. Another one may. */
export class CarrierError extends Error {
  override name = 'CarrierError';
}
