// What is in a private library is to others as if it were not there.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { base32 } from 'multiformats/bases/base32'
import { CID } from 'multiformats/cid'
import { block, cat, dag, has, meet, patience, providers } from './helia.mjs'
import { newPotluck, until } from './potluck.mjs'

let node, open, secret, missing

before(async (t) => {
  node = await newPotluck(t)
  open = await dag(node.shown.bytes)
  secret = await dag(node.hidden.bytes)
  missing = await dag(Buffer.alloc(3 * 1024 * 1024, 'nobody has this'))
  assert(secret[0].equals(node.hidden.cid) && secret.length > 3)
})

test('blocks of a private film are not sent, though the node sends others meanwhile', async (t) => {
  const helia = await meet(t, node.addresses.TCP)
  const wanted = secret.map((cid) => block(helia, cid, patience(5_000)))
  const settled = Promise.allSettled(wanted)
  assert((await cat(helia, node.shown.cid)).equals(node.shown.bytes))
  assert((await settled).every(({ status }) => status === 'rejected'))
})

test('whoever asks whether a block of a private film is there hears what it hears of one that does not exist', async (t) => {
  const helia = await meet(t, node.addresses.TCP)
  const answers = async (cids) => new Set(await Promise.all(cids.map((cid) => has(helia, cid))))
  assert.deepEqual(await answers(open), new Set([true]))
  assert.deepEqual(await answers(missing), new Set([false]))
  assert.deepEqual(await answers(secret), new Set([false]))
})

test('a private film is not announced, and a public one is', async (t) => {
  const helia = await meet(t, node.addresses.TCP, { dht: true })
  await until('a sweep', async () => (await node.ipfs()).announced.sweeps > 0)
  assert.deepEqual(await providers(helia, node.shown.cid), [node.name])
  for (const cid of secret) {
    assert.deepEqual(await providers(helia, cid), [])
  }
  // What the node told the network, Helia keeps as a part of it: the public folder and film, and nothing else.
  const { root } = await node.ipfs()
  const told = await Array.fromAsync(helia.datastore.queryKeys({ prefix: '/dht/provider' }))
  const names = told.map((key) => key.toString().split('/')[3])
  const known = [CID.parse(root), node.shown.cid].map((cid) => base32.baseEncode(cid.multihash.bytes))
  assert.deepEqual(names.sort(), known.sort())
})

test('the gateway says of a private film to a stranger what it says of one that does not exist', async () => {
  const ask = async (cid, query) => {
    const answer = await fetch(`${node.page}/ipfs/${cid}${query}`, { signal: patience() })
    const { date, ...headers } = Object.fromEntries(answer.headers)
    return { status: answer.status, headers, text: await answer.text() }
  }
  for (const query of ['', '?format=raw', '?format=car']) {
    assert.equal((await ask(node.shown.cid, query)).status, 200)
    const [root, leaf] = [await ask(missing[0], query), await ask(missing[1], query)]
    assert.equal(root.status, 404)
    assert.deepEqual([await ask(secret[0], query), await ask(secret[1], query)], [root, leaf])
  }
})

test('a library that is made private is given to nobody from then on, and leaves the public folder', async (t) => {
  const helia = await meet(t, node.addresses.TCP)
  const [root] = open
  assert.equal(await has(helia, root), true)
  const { root: folder } = await node.ipfs()
  const libraries = await (await node.admin.get('/libraries')).json()
  const { id } = libraries.find(({ name }) => name === 'Movies')
  const body = JSON.stringify({ visibility: 'private' })
  const changed = await node.admin.open(`/api/v1/libraries/${id}`, { method: 'PATCH', headers: { 'content-type': 'application/json' }, body })
  assert.equal(changed.status, 200)
  assert.equal(await has(helia, root), false)
  await assert.rejects(block(helia, root, patience(2_000)))
  assert.equal((await fetch(`${node.page}/ipfs/${root}`, { signal: patience() })).status, 404)
  await until('another public folder', async () => (await node.ipfs()).root !== folder)
  assert.equal(await has(helia, CID.parse(folder)), false)
})
