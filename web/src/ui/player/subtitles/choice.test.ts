import { describe, expect, it } from 'vitest';
import type { Stream, SubtitleTrack } from '../../../api/types';
import { firstTrack, nextTrack, sameLanguage, spokenIn } from './choice';

const track = (id: string, language: string | null, more: Partial<SubtitleTrack> = {}): SubtitleTrack => ({
  id,
  language,
  format: 'text',
  default: false,
  forced: false,
  ...more,
});
const english = track('s2', 'eng');
const german = track('s3', 'ger', { format: 'ass' });
const signs = track('s4', 'eng', { forced: true });
const pictures = track('s5', 'fre', { format: 'picture' });
const all = [english, german, signs, pictures];

describe('subtitles to begin with', () => {
  it('are those of the language last chosen, in whatever letters', () => {
    expect(firstTrack(all, 'de', 'en')).toBe(german);
    expect(firstTrack(all, 'en', 'de')).toBe(english);
    const better = track('s9', 'en', { default: true });
    expect(firstTrack([...all, better], 'eng', 'de')).toBe(better);
  });

  it('are the forced ones of the spoken language where none was wished for', () => {
    expect(firstTrack(all, null, 'en')).toBe(signs);
    expect(firstTrack(all, 'off', 'eng')).toBe(signs);
    expect(firstTrack(all, null, 'ja')).toBeNull();
    expect(firstTrack([english], null, 'en')).toBeNull();
    expect(firstTrack([track('x0', null, { forced: true })], null, 'ja')?.id).toBe('x0');
    expect(firstTrack(all, null, null)).toBe(signs);
  });

  it('are never pictures: those are encoded into the film', () => {
    expect(firstTrack(all, 'fr', 'en')).toBe(signs);
    expect(firstTrack([pictures], 'fr', 'fr')).toBeNull();
  });
});

describe('the next track', () => {
  it('goes round, and by way of none', () => {
    const ids = ['s2', 's3', 's4', null].map((now) => nextTrack(all, now)?.id ?? null);
    expect(ids).toEqual(['s3', 's4', null, 's2']);
    expect(nextTrack(all, 's5')).toBeNull();
    expect(nextTrack([pictures], null)).toBeNull();
  });
});

describe('languages', () => {
  it('that are spoken are the one wished for, or the default', () => {
    const sound = (language: string | null, preset = false) =>
      ({ kind: 'audio', language, default: preset }) as unknown as Stream;
    const streams = [{ kind: 'video', language: 'und' } as Stream, sound('jpn'), sound('eng', true), sound('ger')];
    expect(spokenIn(streams, null)).toBe('eng');
    expect(spokenIn(streams, 'de')).toBe('ger');
    expect(spokenIn(streams, 'fr')).toBe('eng');
    expect(spokenIn([sound(null)], 'fr')).toBeNull();
    expect(spokenIn([], 'fr')).toBeNull();
  });

  it('are equal in two and three letters', () => {
    for (const [one, other] of [
      ['en', 'eng'],
      ['fre', 'fra'],
      ['zh-Hans', 'chi'],
      ['pt-BR', 'por'],
    ]) {
      expect(sameLanguage(one, other)).toBe(true);
    }
    expect(sameLanguage('en', 'de')).toBe(false);
    expect(sameLanguage(null, null)).toBe(false);
    expect(sameLanguage('x_y_z!', 'x_y_z!')).toBe(true);
  });
});
