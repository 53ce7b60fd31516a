/** What the page says of how the node stands in the network of IPFS. */
import type { IpfsStatus } from '../../api/types';
import { t } from '../../strings';
import { joined } from '../text/facts';

/** Whether others reach the node from elsewhere, in a sentence. */
export interface Reach {
  /** `good`: at an address that is known to work; `calm`: nobody is looked for, as the settings say. */
  tone: 'good' | 'calm' | 'warn';
  text: string;
}

/** See [`Reach`]. */
export function reach(ipfs: Pick<IpfsStatus, 'external' | 'peers' | 'routing'>): Reach {
  if (ipfs.external.length > 0) return { tone: 'good', text: t.status.ipfs.reachable };
  if (ipfs.peers > 0) return { tone: 'warn', text: t.status.ipfs.unreachable };
  if (ipfs.routing === 'off') return { tone: 'calm', text: t.status.ipfs.unrouted };
  return { tone: 'warn', text: t.status.ipfs.nobody };
}

/** What the router said of forwarding the ports. */
export function ports(ipfs: Pick<IpfsStatus, 'port_mapping' | 'forwarded'>): string {
  if (ipfs.port_mapping === 'forwarded') return t.status.ipfs.forwarded(ipfs.forwarded.join(', '));
  if (ipfs.port_mapping === 'inside') return t.status.ipfs.inside(ipfs.forwarded.join(', '));
  return ipfs.port_mapping === 'asked' ? t.status.ipfs.asked : t.status.ipfs.notAsked;
}

/** How far announcing is; `null` where nothing is announced. */
export function announcing(ipfs: Pick<IpfsStatus, 'announced' | 'routing'>): string | null {
  const { roots, announced, failed, sweeps } = ipfs.announced;
  if (ipfs.routing === 'off') return null;
  if (roots === 0) return t.status.ipfs.waiting;
  const running = announced + failed < roots;
  return joined(
    running || sweeps === 0 ? t.status.ipfs.announcing(announced, roots) : t.status.ipfs.announced(announced),
    failed > 0 ? t.status.ipfs.untold(failed) : null,
  );
}
