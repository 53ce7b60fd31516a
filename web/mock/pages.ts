/** Comic pages drawn from a number: panels with a scene each, people of circles, and what they say. Free of rights. */
import { random } from './art.ts';

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const LINES = [
  'It is lower than last year.',
  'Who lit that?',
  'Not so loud.',
  'We should go back.',
  'I kept the key.',
  'There is nobody on deck.',
  'Count them again.',
  'You said Tuesday.',
  'That is the wrong door.',
  'Wait for the bell.',
];

/** `strip`: panels under each other without a frame, as on a phone. `rtl`: panels run from the right. */
export function drawPage(
  seed: number,
  number: number,
  { width, height }: { width: number; height: number },
  { strip, rtl }: { strip: boolean; rtl: boolean },
): string {
  const next = random(seed * 2654435761 + 11);
  for (let i = 0; i < 5; i += 1) next();
  const hue = Math.floor(next() * 360);
  const boxes = strip ? stacked(width, height) : panels(next, width, height, rtl);
  const scenes = boxes.map((box, i) => scene(next, box, (hue + i * 23) % 360, `p${i}`, strip)).join('');
  const foot = strip
    ? ''
    : `<text x="${width / 2}" y="${height - 22}" font-size="26" text-anchor="middle" fill="#555">${number}</text>`;
  return svg(
    width,
    height,
    `<rect width="100%" height="100%" fill="${strip ? '#101014' : '#f6f3ea'}"/>${scenes}${foot}`,
  );
}

export function drawCover(seed: number, title: string, number: string): string {
  const [width, height] = [1200, 1800];
  const next = random(seed * 2654435761 + 3);
  for (let i = 0; i < 5; i += 1) next();
  const hue = Math.floor(next() * 360);
  const picture = scene(next, { x: 0, y: 0, width, height }, hue, 'c', true, false);
  const words = title.split(' ').map((word, i) => {
    const size = Math.min(190, 1500 / Math.max(5, word.length));
    return `<text x="80" y="${270 + i * 180}" font-size="${size}" font-weight="800" fill="#fff">${word}</text>`;
  });
  const badge = number
    ? `<circle cx="1060" cy="1660" r="90" fill="hsl(${(hue + 180) % 360},80%,60%)"/><text x="1060" y="1690" font-size="84" font-weight="800" text-anchor="middle" fill="#111">${number}</text>`
    : '';
  return svg(width, height, picture + words.join('') + badge);
}

function svg(width: number, height: number, inner: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif">${inner}</svg>`;
}

function panels(next: () => number, width: number, height: number, rtl: boolean): Box[] {
  const [edge, gap] = [60, 24];
  const rows = 3 + Math.floor(next() * 2);
  const rowHeight = (height - 2 * edge - (rows - 1) * gap) / rows;
  return Array.from({ length: rows }).flatMap((_, row) => {
    const columns = 1 + Math.floor(next() * (width > height ? 4 : 3));
    const shares = Array.from({ length: columns }, () => 0.6 + next());
    const all = shares.reduce((sum, share) => sum + share, 0);
    const room = width - 2 * edge - (columns - 1) * gap;
    let x = edge;
    const boxes = shares.map((share) => {
      const box = { x, y: edge + row * (rowHeight + gap), width: (room * share) / all, height: rowHeight };
      x += box.width + gap;
      return box;
    });
    return rtl ? boxes.map((box) => ({ ...box, x: width - box.x - box.width })) : boxes;
  });
}

function stacked(width: number, height: number): Box[] {
  const count = Math.max(1, Math.round(height / 700));
  return Array.from({ length: count }, (_, i) => ({ x: 0, y: (i * height) / count, width, height: height / count }));
}

function scene(next: () => number, box: Box, hue: number, id: string, bare: boolean, speaks = true): string {
  const { x, y, width, height } = box;
  const horizon = y + height * (0.55 + next() * 0.2);
  const night = next() < 0.4;
  const sky = `hsl(${hue},${night ? 35 : 60}%,${night ? 22 : 72}%)`;
  const ground = `hsl(${(hue + 40) % 360},35%,${night ? 14 : 42}%)`;
  const sun = `<circle cx="${x + width * next()}" cy="${y + height * 0.25}" r="${Math.min(width, height) * 0.11}" fill="hsl(${(hue + 60) % 360},90%,85%)"/>`;
  const hills = Array.from({ length: 6 }, (_, k) => `${x + (k * width) / 5},${horizon - next() * height * 0.16}`);
  const people = Array.from({ length: 1 + Math.floor(next() * 2) }, () => person(next, box, hue));
  const say = speaks && next() < 0.7 ? bubble(next, box) : '';
  const frame = bare
    ? ''
    : `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="none" stroke="#15120e" stroke-width="6"/>`;
  return `<clipPath id="${id}"><rect x="${x}" y="${y}" width="${width}" height="${height}"/></clipPath><g clip-path="url(#${id})"><rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${sky}"/>${sun}<polygon points="${x},${y + height} ${x},${horizon} ${hills.join(' ')} ${x + width},${y + height}" fill="${ground}"/>${people.join('')}${say}</g>${frame}`;
}

function person(next: () => number, box: Box, hue: number): string {
  const size = box.height * (0.12 + next() * 0.06);
  const x = box.x + box.width * (0.2 + next() * 0.6);
  const y = box.y + box.height - size * 2.4;
  const coat = `hsl(${(hue + 150 + next() * 80) % 360},55%,45%)`;
  return `<path d="M${x - size},${box.y + box.height} Q${x - size},${y + size} ${x},${y + size * 0.8} Q${x + size},${y + size} ${x + size},${box.y + box.height}Z" fill="${coat}" stroke="#15120e" stroke-width="5"/><circle cx="${x}" cy="${y}" r="${size * 0.75}" fill="hsl(28,50%,72%)" stroke="#15120e" stroke-width="5"/>`;
}

function bubble(next: () => number, box: Box): string {
  const text = LINES[Math.floor(next() * LINES.length)]!;
  const size = Math.max(16, Math.min(30, (box.width - 60) / (text.length * 0.58)));
  const width = text.length * size * 0.56 + 36;
  const x = box.x + 16 + Math.max(0, box.width - width - 32) * next();
  const y = box.y + 20;
  return `<rect x="${x}" y="${y}" width="${width}" height="${size * 2.2}" rx="${size}" fill="#fff" stroke="#15120e" stroke-width="4"/><text x="${x + width / 2}" y="${y + size * 1.45}" font-size="${size}" text-anchor="middle" fill="#15120e">${text}</text>`;
}
