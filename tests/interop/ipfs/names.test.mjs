// Names of IPNS in a private network of nodes and Helias: each resolves what the other published.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ipns } from '@helia/ipns'
import { unixfs } from '@helia/unixfs'
import { base36 } from 'multiformats/bases/base36'
import { CID } from 'multiformats/cid'
import { cat, meet, patience } from './helia.mjs'
import { newPotluck, until } from './potluck.mjs'

let node

before(async (t) => { node = await newPotluck(t) })

/** The folder that a name leads to, asked anew in the network. */
async function resolve (helia, name) {
  const steps = await Array.fromAsync(ipns(helia).resolve(CID.parse(name, base36), { nocache: true, signal: patience() }))
  return CID.parse(steps.at(-1).value.replace('/ipfs/', ''))
}

const list = async (helia, cid, path) => (await Array.fromAsync(unixfs(helia).ls(cid, { path, signal: patience() }))).map(({ name }) => name)

test("Helia resolves the node's name and walks from it to a public film", async (t) => {
  const helia = await meet(t, node.addresses.TCP, { dht: true })
  const root = await resolve(helia, node.name)
  const { title, name, bytes } = node.shown
  assert.deepEqual(await list(helia, root), ['Movies'], 'nothing but the public library')
  assert.deepEqual(await list(helia, root, '/Movies'), [title])
  assert((await list(helia, root, `/Movies/${title}`)).includes(name))
  assert((await cat(helia, root, { path: `/Movies/${title}/${name}` })).equals(bytes))
})

test('when a film comes into a public library, the name leads to it, and others keep its record', async (t) => {
  const [helia, keeper] = await Promise.all([0, 1].map(() => meet(t, node.addresses.TCP, { dht: true })))
  const { title, name, bytes } = await node.show('Mandelbrot Dive (1980)')
  const root = await until('the new film', async () => {
    const root = await resolve(helia, node.name)
    return (await list(helia, root, '/Movies')).includes(title) && root
  })
  assert((await cat(helia, root, { path: `/Movies/${title}/${name}` })).equals(bytes))
  await until('the record', async () => (await Array.fromAsync(keeper.datastore.queryKeys({ prefix: '/dht/record' }))).length > 0)
})
