/** What the page says of how the node stands in the network of IPFS. */
import type { IpfsStatus } from '../../api/types';
import { t } from '../../strings';
import { joined } from '../text/facts';

/** Whether others reach the node from elsewhere, in a sentence; `known`: at an address that is known to work. */
export function reach(ipfs: Pick<IpfsStatus, 'external' | 'peers'>): { known: boolean; text: string } {
  if (ipfs.external.length > 0) return { known: true, text: t.status.ipfs.reachable };
  return { known: false, text: ipfs.peers > 0 ? t.status.ipfs.unreachable : t.status.ipfs.nobody };
}

/** What the router said of forwarding the ports. */
export function ports(ipfs: Pick<IpfsStatus, 'port_mapping' | 'forwarded'>): string {
  if (ipfs.port_mapping === 'forwarded') return t.status.ipfs.forwarded(ipfs.forwarded.join(', '));
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
