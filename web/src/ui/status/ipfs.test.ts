import { expect, test } from 'vitest';
import { announcing, ports, reach } from './ipfs';

const none = { roots: 0, announced: 0, failed: 0, sweeps: 0 };

test('a node is reachable where an address is known from elsewhere', () => {
  expect(reach({ external: ['/ip4/203.0.113.7/tcp/4001'], peers: 0, routing: 'off' }).tone).toBe('good');
  expect(reach({ external: [], peers: 3, routing: 'public' }).tone).toBe('warn');
  const alone = reach({ external: [], peers: 0, routing: 'public' });
  expect(alone.tone).toBe('warn');
  expect(alone.text).not.toBe(reach({ external: [], peers: 3, routing: 'public' }).text);
});

test('a node that looks for nobody is no cause for alarm', () => {
  expect(reach({ external: [], peers: 0, routing: 'off' }).tone).toBe('calm');
});

test('what the router said is told, and where it forwards to', () => {
  expect(ports({ port_mapping: 'forwarded', forwarded: ['203.0.113.7:4001'] })).toContain('203.0.113.7:4001');
  expect(ports({ port_mapping: 'inside', forwarded: ['10.0.0.7:4001'] })).toContain('does not reach');
  expect(ports({ port_mapping: 'asked', forwarded: [] })).not.toBe(ports({ port_mapping: 'off', forwarded: [] }));
});

test('announcing is told while it goes on, when it is done, and not where it is off', () => {
  const public_ = (announced: Partial<typeof none>) =>
    announcing({ routing: 'public', announced: { ...none, ...announced } });
  expect(announcing({ routing: 'off', announced: { ...none, roots: 5 } })).toBeNull();
  expect(public_({})).toBe('Nothing was announced yet');
  expect(public_({ roots: 5, announced: 2 })).toBe('2 of 5 announced');
  expect(public_({ roots: 5, announced: 4, failed: 1, sweeps: 1 })).toBe('4 announced · 1 failed');
  expect(public_({ roots: 5, announced: 1, sweeps: 1 })).toBe('1 of 5 announced');
});
