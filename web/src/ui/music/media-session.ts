/** Tells the system what is heard, for its lock screen and media keys, and does what it asks for. */
import type { Track } from './queue';

export interface MediaActions {
  play: () => void;
  pause: () => void;
  next: () => void;
  previous: () => void;
  /** Seconds of the track. */
  seek: (to: number) => void;
  seekBy: (seconds: number) => void;
}

const SEEK_SECONDS = 10;

const session = () => ('mediaSession' in navigator ? navigator.mediaSession : null);

export function answer(actions: MediaActions): void {
  const handlers: [MediaSessionAction, MediaSessionActionHandler][] = [
    ['play', actions.play],
    ['pause', actions.pause],
    ['stop', actions.pause],
    ['nexttrack', actions.next],
    ['previoustrack', actions.previous],
    ['seekto', ({ seekTime }) => seekTime !== undefined && actions.seek(seekTime)],
    ['seekbackward', ({ seekOffset }) => actions.seekBy(-(seekOffset ?? SEEK_SECONDS))],
    ['seekforward', ({ seekOffset }) => actions.seekBy(seekOffset ?? SEEK_SECONDS)],
  ];
  for (const [action, handler] of handlers) {
    try {
      session()?.setActionHandler(action, handler);
    } catch {
      // A browser that does not know the action has no key for it.
    }
  }
}

/** `null`: nothing is heard any more. */
export function tellTrack(track: Track | null): void {
  const told = session();
  if (!told) return;
  if (!track) {
    told.metadata = null;
    told.playbackState = 'none';
    return;
  }
  told.metadata = new MediaMetadata({
    title: track.title,
    artist: track.artist ?? '',
    album: track.show_title ?? '',
    artwork: track.poster ? [{ src: new URL(track.poster, location.href).href }] : [],
  });
}

export function tellState(playing: boolean): void {
  const told = session();
  if (told) told.playbackState = playing ? 'playing' : 'paused';
}

/** Both in seconds. */
export function tellPosition(position: number, duration: number): void {
  if (!(duration > 0)) return;
  session()?.setPositionState?.({ duration, position: Math.min(position, duration), playbackRate: 1 });
}
