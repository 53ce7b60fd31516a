import { describe, expect, it } from 'vitest';
import { NodeError, pause, TRIES, verdict } from './patience.ts';

const refusal = (status: number, after: number | null = null) => new NodeError(status, 'word', 'a sentence', after);

describe('patience', () => {
  it('tries failures again with growing pauses, and ends', () => {
    const pauses = Array.from({ length: TRIES - 1 }, (_, at) => verdict(refusal(500), at + 1));
    expect(pauses.map((next) => next.do === 'retry' && next.afterMs)).toEqual([250, 500, 1000, 2000, 4000]);
    expect(verdict(new Error('the connection broke'), 1)).toMatchObject({ do: 'retry', why: 'failed' });
    expect(verdict(refusal(500), TRIES)).toEqual({ do: 'give-up' });
  });

  it('asks a busy node again when it wants to be asked, without end', () => {
    expect(verdict(refusal(429, 7), 99)).toEqual({ do: 'retry', afterMs: 7000, why: 'busy' });
    expect(verdict(refusal(503, 1), 1)).toMatchObject({ why: 'busy' });
    expect(verdict(refusal(429), 1)).toMatchObject({ afterMs: 5000 });
    expect(verdict(refusal(429, 3600), 1)).toMatchObject({ afterMs: 30_000 });
    expect(verdict(refusal(429, 0), 1)).toMatchObject({ afterMs: 500 });
  });

  it('gives up at once where the same question gets the same answer', () => {
    for (const status of [400, 401, 403, 404]) expect(verdict(refusal(status), 1)).toEqual({ do: 'give-up' });
  });

  it('reads what the node says', async () => {
    const body = JSON.stringify({ error: 'busy', message: 'two films are being transcoded' });
    const answer = new Response(body, { status: 429, headers: { 'retry-after': '5' } });
    const said = { status: 429, word: 'busy', message: 'two films are being transcoded', retryAfter: 5 };
    expect(await NodeError.of(answer, 'GET /x')).toMatchObject(said);
    const plain = await NodeError.of(new Response('<html>', { status: 502 }), 'GET /x');
    expect(plain).toMatchObject({ status: 502, message: 'GET /x: 502', retryAfter: null });
  });

  it('is over at once for those who leave', async () => {
    const leaving = new AbortController();
    const waiting = pause(60_000, leaving.signal);
    leaving.abort(new Error('left'));
    await expect(waiting).rejects.toThrow('left');
    await expect(pause(1, leaving.signal)).rejects.toThrow('left');
  });
});
