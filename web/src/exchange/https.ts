/** The carrier that always works: `fetch` with the page's own session. */
import { CarrierError, type Carrier, type CarrierAnswer, type CarrierRequest } from './carrier.ts';
import { realClock, type Clock } from './clock.ts';

export interface HttpsOptions {
  fetch?: typeof fetch;
  clock?: Clock;
}

export class HttpsCarrier implements Carrier {
  readonly source = 'https';
  readonly ready = true;
  readonly openingSince = null;
  // Browsers keep six connections to a host over HTTP/1.1; the page's own calls need some of them.
  readonly parallel = 4;
  readonly roundTripMs = null;
  heardAt = 0;
  readonly #fetch: typeof fetch;
  readonly #clock: Clock;

  constructor(options: HttpsOptions = {}) {
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#clock = options.clock ?? realClock;
  }

  async request(request: CarrierRequest): Promise<CarrierAnswer> {
    try {
      const response = await this.#fetch(request.target, {
        method: request.method ?? 'GET',
        headers: request.headers ?? [],
        body: request.body ?? null,
        credentials: 'same-origin',
        signal: request.signal,
      });
      return { status: response.status, headers: [...response.headers], body: await this.#read(response, request) };
    } catch (cause) {
      request.signal.throwIfAborted();
      if (cause instanceof CarrierError) throw cause;
      throw new CarrierError('the node did not answer over HTTPS', { cause });
    }
  }

  async #read(response: Response, request: CarrierRequest): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array[] = [];
    let length = 0;
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      length += part.value.length;
      this.heardAt = this.#clock.now();
      if (length > request.sizeMax) {
        await reader?.cancel();
        throw new CarrierError('the answer is longer than it should be');
      }
      parts.push(part.value);
      request.onBytes?.(part.value.length);
    }
    return joined(parts, length);
  }

  probe(): void {}
  onChange(): () => void {
    return () => {};
  }
  close(): void {}
}

/** The parts one after the other. */
export function joined(parts: Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
