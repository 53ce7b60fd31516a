/**
 * What people write when they mean content of IPFS, as one path: `/ipfs/CID/names` or `/ipns/NAME/names`, with names as
 * they are, never percent-encoded. Pure; whether anybody has it is the node's to find out.
 */
import { cidKind } from '../../content/cid';

/** Why a text names no content. */
export type Wrong = 'nothing' | 'cid' | 'name' | 'domain' | 'path' | 'web';
/** A path, or why there is none and which part is to blame. */
export type Reading = { path: string } | { wrong: Wrong; part: string };

type Space = 'ipfs' | 'ipns';

/** Keys of IPNS as peers write theirs: of Ed25519 and of secp256k1. Those of RSA look like a CID of version 0. */
const PEER = /^(12D3Koo|16Uiu2)[1-9A-HJ-NP-Za-km-z]{37,49}$/;
const DOMAIN = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/i;

/** Reads a CID, a path, an `ipfs://` or `ipns://` link, or the address of a gateway or of a page of this kind. */
export function readAddress(text: string): Reading {
  const written = text.trim();
  const link = /^(ipfs|ipns):\/*(.*)$/is.exec(written);
  if (link) return fromLink(link[1]!.toLowerCase() as Space, link[2]!);
  if (/^https?:\/\//i.test(written)) return fromWeb(written);
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?\/(ipfs|ipns)\//i.test(written)) return fromWeb(`https://${written}`);
  const [root = '', ...names] = written.replace(/^\/+/, '').split('/').map(decoded);
  if (root === 'ipfs' || root === 'ipns') return joined(root, names);
  return fromRoot(withoutQuery(root), [root, ...names]) ?? { wrong: 'nothing', part: written };
}

/** Checks a path whose names are as they are: one that an address of this page holds. */
export function readPath(path: string): Reading {
  const [, space, ...names] = path.split('/');
  if (space !== 'ipfs' && space !== 'ipns') return { wrong: 'nothing', part: path };
  return joined(space, names);
}

/** The folder above, or `null` for a path that is a CID or name alone. */
export function above(path: string): string | null {
  const parts = path.split('/');
  return parts.length > 3 ? parts.slice(0, -1).join('/') : null;
}

/** Each step of a path from its root on, with what it is called. */
export function steps(path: string): { name: string; path: string }[] {
  const parts = path.split('/');
  return parts.slice(2).map((name, at) => ({ name, path: parts.slice(0, at + 3).join('/') }));
}

/** What is under `name` in the folder at `path`. A name that no path can hold leads by its CID alone. */
export function below(path: string, { name, cid }: { name: string; cid: string }): string {
  return named(name) ? `${path}/${name}` : `/ipfs/${cid}`;
}

/** What begins with a CID or a key itself; one that is cut off is still told from other words. */
function fromRoot(root: string, all: string[]): Reading | null {
  const kind = cidKind(root);
  if (kind === 'content') return joined('ipfs', all);
  if (kind === 'key' || PEER.test(root)) return joined('ipns', all);
  return /^(bafy|bafk|k51|Qm)[a-z0-9]{12,}$/i.test(root) ? { wrong: 'cid', part: root } : null;
}

/** `rest` is what stands behind `ipfs://`: percent-encoded, perhaps with a query. */
function fromLink(space: Space, rest: string): Reading {
  return joined(space, withoutQuery(rest).split('/').map(decoded));
}

function fromWeb(written: string): Reading {
  const none: Reading = { wrong: 'web', part: written };
  if (!URL.canParse(written)) return none;
  const { hostname, pathname } = new URL(written);
  const host = /^([^.]+)\.(ipfs|ipns)\..+/i.exec(hostname);
  if (host) return fromLink(host[2]!.toLowerCase() as Space, `${host[1]}${pathname}`);
  const path = /^(?:\/open)?\/(ipfs|ipns)\/(.*)$/s.exec(pathname);
  return path ? fromLink(path[1] as Space, path[2]!) : none;
}

function joined(space: Space, all: string[]): Reading {
  const names = all.filter((name) => name !== '');
  // A query behind a bare CID is a gateway's; further down it may be part of a name.
  const root = names.length === 1 ? withoutQuery(names[0]!) : (names[0] ?? '');
  if (space === 'ipfs' && cidKind(root) === null) return { wrong: 'cid', part: root };
  if (space === 'ipns' && cidKind(root) === null && !PEER.test(root)) {
    return { wrong: DOMAIN.test(root) ? 'domain' : 'name', part: root };
  }
  const rest = names.slice(1);
  const odd = rest.find((name) => !named(name));
  return odd === undefined ? { path: ['', space, root, ...rest].join('/') } : { wrong: 'path', part: odd };
}

function named(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/');
}

function withoutQuery(text: string): string {
  return text.replace(/[?#].*$/s, '');
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
