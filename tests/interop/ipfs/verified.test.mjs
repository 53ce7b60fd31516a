// @helia/verified-fetch with the node's gateway, and nothing else, behind it.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { withHTTP } from '@helia/http'
import { createVerifiedFetch } from '@helia/verified-fetch'
import { createHeliaLight } from 'helia'
import { base36 } from 'multiformats/bases/base36'
import { CID } from 'multiformats/cid'
import * as digest from 'multiformats/hashes/digest'
import { patience } from './helia.mjs'
import { newPotluck } from './potluck.mjs'

/** A gateway on this machine, without TLS. */
const local = { allowInsecure: true, allowLocal: true }
let node, verified

before(async (t) => {
  node = await newPotluck(t)
  const helia = withHTTP(createHeliaLight({ routers: [names] }), { delegatedRouters: [], recursiveGateways: [node.page], ...local })
  await helia.start()
  t.after(() => helia.stop())
  const made = await createVerifiedFetch(helia)
  t.after(() => made.stop())
  verified = (address, options) => made(address, { ...local, signal: patience(), ...options })
})

/** Helia asks gateways for blocks only. The records of names come from there too this way; Helia checks them. */
const names = {
  name: 'names',
  async * findProviders () {},
  async get (key) {
    const name = CID.createV1(0x72, digest.decode(key.subarray('/ipns/'.length))).toString(base36)
    const answer = await fetch(`${node.page}/ipns/${name}?format=ipns-record`, { signal: patience() })
    assert.equal(answer.headers.get('content-type'), 'application/vnd.ipfs.ipns-record')
    return new Uint8Array(await answer.arrayBuffer())
  }
}

const bytesOf = async (answer) => Buffer.from(await answer.arrayBuffer())
const pathOf = ({ title, name }) => `Movies/${encodeURIComponent(title)}/${encodeURIComponent(name)}`

test('a public film comes whole and verified', async () => {
  const answer = await verified(`ipfs://${node.shown.cid}`)
  assert.equal(answer.status, 200)
  assert((await bytesOf(answer)).equals(node.shown.bytes))
})

test('a part of a public film comes verified', async () => {
  const [from, to] = [1024 * 1024 - 5, 2 * 1024 * 1024 + 5]
  const answer = await verified(`ipfs://${node.shown.cid}`, { headers: { range: `bytes=${from}-${to}` } })
  assert.equal(answer.status, 206)
  assert((await bytesOf(answer)).equals(node.shown.bytes.subarray(from, to + 1)))
})

test('a public film is found by its path in the public folder', async () => {
  const { root } = await node.ipfs()
  const answer = await verified(`ipfs://${root}/${pathOf(node.shown)}`)
  assert.equal(answer.status, 200)
  assert((await bytesOf(answer)).equals(node.shown.bytes))
})

test("a public film is found by its path below the node's name", async () => {
  const answer = await verified(`ipns://${node.name}/${pathOf(node.shown)}`)
  assert.equal(answer.status, 200)
  assert((await bytesOf(answer)).equals(node.shown.bytes))
})

test('a private film does not come, though a public one does', async () => {
  const came = verified(`ipfs://${node.hidden.cid}`, { signal: patience(5_000) }).then((answer) => answer.ok, () => false)
  assert.equal((await verified(`ipfs://${node.shown.cid}`)).status, 200)
  assert.equal(await came, false)
})
