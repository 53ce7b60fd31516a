// A node with a film in a public library and one in a private library, for Helia to meet.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CID } from 'multiformats/cid'
import { changes, newNode, signIn } from '../node.mjs'
import { patience } from './helia.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const potluck = process.env.POTLUCK ?? join(homedir(), '.cache/potluck/target/debug/potluck')

/** What a file is called by its content. */
export const cidOf = (path) => CID.parse(execFileSync(potluck, ['cid', path], { encoding: 'utf8' }).trim())

/** The demo films, made once a machine and kept in the cache folder: each has several MiB. */
function films () {
  const folder = join(homedir(), '.cache/potluck/films-12s-all')
  execFileSync(join(here, '../../fixtures/demo.sh'), [folder, '12'], { stdio: 'inherit' })
  return folder
}

/** Puts a film into a library's folder. */
function serve (library, title) {
  cpSync(join(films(), title), join(library, title), { recursive: true, preserveTimestamps: true })
  const name = readdirSync(join(library, title)).find((file) => /\.(mkv|mp4)$/.test(file))
  const path = join(library, title, name)
  return { title, name, path, cid: cidOf(path), bytes: readFileSync(path) }
}

/**
 * Starts a node, in the private network. Its library `Movies` is public and holds the film `shown`; `Home` is private and holds
 * `hidden`; both are there, and the name leads to the public one, when this comes back. `addresses` are those of its host, by transport, `name` is its name in IPNS,
 * `admin` calls it. `show` puts one more film into `Movies`. It ends with the test or suite `t`.
 */
export async function newPotluck (t, settings = {}) {
  const node = await newNode(potluck, 'ipfs')
  t.after(() => node.stop())
  const [movies, home] = ['Movies', 'Home'].map((name) => join(node.folder, name))
  mkdirSync(movies)
  mkdirSync(home)
  const [shown, hidden] = [serve(movies, 'Drifting Gradients (2024)'), serve(home, 'Game of Life (1970)')]
  const page = `http://${(await node.serve({ IPFS__ROUTING: 'private', LIBRARY__SETTLE_SECONDS: '0', ...settings }))['server.address']}`
  const admin = await signIn(page)
  const ipfs = async () => (await admin.get('/ipfs')).json()
  const { peer_id: id, name, addresses, root: empty } = await ipfs()
  await admin.post('/libraries', { name: 'Home', kind: 'movies', path: home, visibility: 'private' })
  await imported(page, admin, hidden.cid)
  await admin.post('/libraries', { name: 'Movies', kind: 'movies', path: movies, visibility: 'public' })
  await imported(page, admin, shown.cid)
  await until('the folder of what is public', async () => (await ipfs()).root !== empty)
  const at = (transport) => addresses.find((address) => transport.test(address))
  return {
    ...node,
    page,
    admin,
    ipfs,
    movies,
    shown,
    hidden,
    id,
    name,
    addresses: { TCP: at(/\/tcp\/\d+\/p2p\//), WebSocket: at(/\/ws\/p2p\//) },
    imported: (cid) => imported(page, admin, cid),
    async show (title) {
      const film = serve(movies, title)
      await imported(page, admin, film.cid)
      return film
    }
  }
}

/** Waits until a film with this CID is there: looked up again whenever the node tells of a change. */
async function imported (page, admin, cid) {
  for await (const _ of changes(page)) {
    const { items } = await (await admin.get('/items?limit=500')).json()
    if (items.some((item) => item.state === 'present' && item.cid === cid.toString())) {
      return
    }
  }
  throw new Error('the node ended')
}

/** Looks again until there is something: of what goes on between nodes, nothing tells. */
export async function until (what, look) {
  for (const signal = patience(); !signal.aborted; await setTimeout(50)) {
    const found = await look()
    if (found) {
      return found
    }
  }
  throw new Error(`${what}: not in a minute`)
}
