// Helia as its packages make it, but with nobody to begin with: it knows no public gateway, router or node.
import { withBitswap } from '@helia/bitswap'
import { IPNSEntry, ipnsSelector, ipnsValidator } from '@helia/ipns'
import { withLibp2pLight } from '@helia/libp2p'
import { unixfs } from '@helia/unixfs'
import { identify, identifyPush } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import * as dagPb from '@ipld/dag-pb'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { BlackHoleBlockstore, MemoryBlockstore } from 'blockstore-core'
import { createHeliaLight } from 'helia'
import { base36 } from 'multiformats/bases/base36'
import { CID } from 'multiformats/cid'

/** Nothing is waited for longer. */
const PATIENCE = 60_000

/** A signal that ends a wait, after a minute or `ms`. */
export const patience = (ms = PATIENCE) => AbortSignal.timeout(ms)

/** A logger for parts of Helia that run without it. */
export const silent = () => Object.assign(() => {}, { error: () => {}, trace: () => {}, enabled: false })

const introduction = () => ({ identify: identify(), identifyPush: identifyPush(), ping: ping() })

/** Kademlia of private networks, where everybody keeps records for everybody, and addresses on this machine are as good as others. */
const network = (keychain) => ({
  dht: kadDHT({
    protocol: '/ipfs/lan/kad/1.0.0',
    clientMode: false,
    peerInfoMapper: passthroughMapper,
    initialQuerySelfInterval: 100,
    validators: { ipns: (key, record, options) => ipnsValidator(key, record, keychain, options) },
    selectors: { ipns: (key, records) => ipnsSelector(key, records.map((record) => IPNSEntry.decode(record))) }
  })
})

/** Starts one, which listens on TCP. `dht`: it is part of the private network. `keep`: it keeps blocks, in memory. */
export async function startHelia ({ dht = false, keep = true } = {}) {
  const light = createHeliaLight({ blockstore: keep ? new MemoryBlockstore() : new BlackHoleBlockstore() })
  return withBitswap(withLibp2pLight(light, {
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp(), webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { ...introduction(), ...(dht ? network(light.keychain) : {}) }
  })).start()
}

/** The same, until the end of a test or file. */
export async function newHelia (t, options) {
  const helia = await startHelia(options)
  t.after(() => helia.stop())
  return helia
}

/** Connects with the node at an address. */
export const dial = (helia, address) => helia.libp2p.dial(multiaddr(address), { signal: patience() })

/** One that is connected with a node at an address. */
export async function meet (t, address, options) {
  const helia = await newHelia(t, options)
  await dial(helia, address)
  return helia
}

/** A file, piece by piece. */
export const fileIn = (helia, cid) => unixfs(helia).cat(CID.parse(cid))

/** The bytes of a file, or of a part of it. */
export async function cat (helia, cid, options) {
  return Buffer.concat(await Array.fromAsync(unixfs(helia).cat(cid, { signal: patience(), ...options })))
}

/** One block. */
export async function block (helia, cid, signal = patience()) {
  return Buffer.concat(await Array.fromAsync(helia.blockstore.get(cid, { signal })))
}

/** What the one node that it is connected with answers when it is asked whether it has a block. */
export async function has (helia, cid) {
  const { bitswap } = helia.blockBrokers.find((broker) => broker.name === 'bitswap')
  const [{ remotePeer }] = helia.libp2p.getConnections()
  return (await bitswap.wantList.wantSessionPresence(cid, remotePeer, { signal: patience() })).has
}

/** Who is said to have a block, in the form that names have. */
export async function providers (helia, cid) {
  const found = await Array.fromAsync(helia.routing.findProviders(cid, { signal: patience() }))
  return found.map((provider) => provider.id.toString(base36))
}

/** The CIDs of a file's blocks as Helia's importer makes them: the root, then the leaves in their order. */
export async function dag (bytes) {
  const blockstore = new MemoryBlockstore()
  return below(blockstore, await unixfs({ blockstore, logger: { forComponent: silent } }).addBytes(bytes))
}

/** All CIDs of a DAG, each before what it leads to. */
export async function below (blockstore, cid) {
  const links = await Promise.all((await linksOf(blockstore, cid)).map((link) => below(blockstore, link)))
  return [cid, ...links.flat()]
}

/** What a block leads to. */
export async function linksOf (blockstore, cid) {
  if (cid.code !== dagPb.code) {
    return []
  }
  const block = Buffer.concat(await Array.fromAsync(blockstore.get(cid, { signal: patience() })))
  return dagPb.decode(block).Links.map(({ Hash }) => Hash)
}
