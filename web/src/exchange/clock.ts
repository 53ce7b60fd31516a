/** Time as a value that is passed in, so that tests own it. */
export interface Clock {
  /** Milliseconds, never backwards. */
  now(): number;
  /** Runs `work` after `ms`; the result cancels it. */
  after(ms: number, work: () => void): () => void;
}

export const realClock: Clock = {
  now: () => performance.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};
