// What Helia has is opened at the node's gateway by those who have an account.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { before, test } from 'node:test'
import { ipns } from '@helia/ipns'
import { unixfs } from '@helia/unixfs'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'
import { newHelia, patience } from './helia.mjs'
import { newPotluck } from './potluck.mjs'

const MIB = 1024 * 1024
/** As IPFS made files in its first ten years, and as Helia makes them now. */
const forms = {
  'blocks of 256 KiB, version 0': {
    cidVersion: 0,
    rawLeaves: false,
    chunker: fixedSize({ chunkSize: MIB / 4 }),
    layout: balanced({ maxChildrenPerNode: 174 })
  },
  'blocks of 1 MiB, version 1': {}
}
let helia, node

before(async (t) => {
  helia = await newHelia(t, { dht: true })
  node = await newPotluck(t, { IPFS__BOOTSTRAP: helia.libp2p.getMultiaddrs().join(',') })
})

const open = (path, headers) => node.admin.open(path, { headers, signal: patience() })
const bytesOf = async (answer) => Buffer.from(await answer.arrayBuffer())

/** Bytes of blocks that the node got of Helia. */
async function received () {
  const { ledgers } = await node.ipfs()
  return ledgers.find(({ peer }) => peer === helia.libp2p.peerId.toString()).bytes_received
}

/** A folder in Helia: `a/film.bin`, `a/notes.txt` and `index.txt`. */
async function folder (form) {
  const film = randomBytes(3 * MIB + 5)
  const files = [['a/film.bin', film], ['a/notes.txt', Buffer.from('salt')], ['index.txt', Buffer.from('soup')]]
  const source = files.map(([path, content]) => ({ path, content }))
  const added = await Array.fromAsync(unixfs(helia).addAll(source, { ...form, wrapWithDirectory: true }))
  return { film, root: added.find(({ path }) => path === '').cid }
}

for (const [called, form] of Object.entries(forms)) {
  test(`an account opens a file of Helia's by its CID (${called})`, async () => {
    const bytes = randomBytes(5 * MIB + 3)
    const cid = await unixfs(helia).addBytes(bytes, form)
    assert.equal(cid.version, form.cidVersion ?? 1)
    const whole = await open(`/ipfs/${cid}`)
    assert.equal(whole.status, 200)
    assert.equal(Number(whole.headers.get('content-length')), bytes.length)
    assert((await bytesOf(whole)).equals(bytes))
  })

  test(`a part of a file of Helia's is answered without the rest (${called})`, async () => {
    const bytes = randomBytes(20 * MIB)
    const cid = await unixfs(helia).addBytes(bytes, form)
    const [from, to] = [7 * MIB - 3, 7 * MIB + 9]
    const before = await received()
    const part = await open(`/ipfs/${cid}`, { range: `bytes=${from}-${to}` })
    assert.equal(part.status, 206)
    assert.equal(part.headers.get('content-range'), `bytes ${from}-${to}/${bytes.length}`)
    assert((await bytesOf(part)).equals(bytes.subarray(from, to + 1)))
    assert((await received()) - before < bytes.length / 2)
  })

  test(`an account opens a file in a folder of Helia's by its path (${called})`, async () => {
    const { film, root } = await folder(form)
    assert((await bytesOf(await open(`/ipfs/${root}/a/film.bin`))).equals(film))
    assert.equal(await (await open(`/ipfs/${root}/index.txt`)).text(), 'soup')
    assert.equal((await open(`/ipfs/${root}/a/nothing`)).status, 404)
  })
}

test('a stranger is not told what Helia has, before and after the node fetched it', async () => {
  const cid = await unixfs(helia).addBytes(randomBytes(MIB))
  const stranger = async () => (await fetch(`${node.page}/ipfs/${cid}`, { signal: patience() })).status
  assert.equal(await stranger(), 404)
  assert.equal((await open(`/ipfs/${cid}`)).status, 200)
  assert.equal(await stranger(), 404)
})

test('a name that Helia published leads an account to what it stands for', async () => {
  const { film, root } = await folder({})
  const { name } = await ipns(helia).publish('a-name', root, { signal: patience() })
  assert((await bytesOf(await open(`${name}/a/film.bin`))).equals(film))
  assert.equal((await fetch(`${node.page}${name}/a/film.bin`, { signal: patience() })).status, 404)
})
