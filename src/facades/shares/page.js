'use strict';
// Plays the songs of the list one after another; what the browser cannot play as it is, it gets as MP3.
const player = document.querySelector('audio');
const now = document.getElementById('now');
const songs = [...document.querySelectorAll('a[data-sound]')];
let playing = -1;

const text = (song, name) => song.querySelector(name).textContent;
const source = ({ href, dataset }) => (dataset.type && player.canPlayType(dataset.type) ? href : dataset.sound);

function load(n) {
  songs[playing]?.removeAttribute('aria-current');
  playing = n;
  const song = songs[n];
  song.setAttribute('aria-current', 'true');
  now.textContent = `${text(song, 'b')} · ${text(song, 'i')}`;
  player.src = source(song);
  if ('mediaSession' in navigator) {
    const artwork = [{ src: new URL(song.dataset.sound.replace(/sound$/, 'cover'), document.baseURI).href }];
    navigator.mediaSession.metadata = new MediaMetadata({ title: text(song, 'b'), artist: text(song, 'i'), artwork });
  }
}

function play(n) {
  if (n >= 0 && n < songs.length) {
    load(n);
    player.play().catch(() => {});
  }
}

songs.forEach((song, n) =>
  song.addEventListener('click', (event) => {
    event.preventDefault();
    play(n);
  }),
);
player.addEventListener('ended', () => play(playing + 1));
player.addEventListener('error', () => {
  const { sound } = songs[playing].dataset;
  if (!player.src.endsWith(sound)) {
    player.src = sound;
    player.play().catch(() => {});
  }
});
if ('mediaSession' in navigator) {
  navigator.mediaSession.setActionHandler('nexttrack', () => play(playing + 1));
  navigator.mediaSession.setActionHandler('previoustrack', () => play(playing - 1));
}
load(0);
