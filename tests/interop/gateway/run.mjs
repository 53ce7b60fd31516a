// Unmodified clients of IPFS gateways against a real node: @helia/verified-fetch asks it for blocks and checks each, @ipld/car reads the
// CARs that it writes, and writes some for it to take in.
//
//   tests/interop/gateway/node_modules/.bin/node tests/interop/gateway/run.mjs --potluck PATH_TO_BINARY
//
// Nobody else is asked: no router, no other gateway. The last line counts.
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { parseArgs } from 'node:util'
import { withHTTP } from '@helia/http'
import { createVerifiedFetch } from '@helia/verified-fetch'
import { CarBlockIterator, CarWriter } from '@ipld/car'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagPb from '@ipld/dag-pb'
import { createHeliaLight } from 'helia'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { newNode, signIn } from '../node.mjs'

const MIB = 1024 * 1024
const counts = { passed: 0, failed: 0 }

function check (fact, holds, details = '') {
  counts[holds ? 'passed' : 'failed']++
  console.log(holds ? `ok   ${fact}` : `FAIL ${fact}: ${details}`)
}

const same = (one, other) => Buffer.from(one).equals(Buffer.from(other))

/** A gateway that adds a key to what it passes on: who asks is an account of the node. */
async function withKey (page, key) {
  const server = createServer((asked, answer) => {
    const passed = request(`${page}${asked.url}`, { method: asked.method, headers: { ...asked.headers, authorization: `Bearer ${key}` } })
    passed.on('response', (told) => {
      answer.writeHead(told.statusCode, told.headers)
      told.pipe(answer)
    })
    passed.on('error', (error) => answer.destroy(error))
    asked.pipe(passed)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => { server.closeAllConnections(); server.close() } }
}

/** A client that knows this gateway and nothing else. */
async function client (gateway) {
  const helia = withHTTP(createHeliaLight({ codecs: [dagCbor] }), {
    delegatedRouters: [],
    recursiveGateways: [gateway],
    allowInsecure: true,
    allowLocal: true
  })
  return createVerifiedFetch(await helia.start())
}

async function block (codec, value) {
  const bytes = codec.encode(value)
  return { cid: CID.createV1(codec.code, await sha256.digest(bytes)), bytes }
}

/** A folder with a file of several blocks, a page and a document. */
async function dag () {
  const pieces = await Promise.all([1, 2, 3].map((n) => block(raw, new Uint8Array(1000).fill(n))))
  const file = new UnixFS({ type: 'file', blockSizes: pieces.map(() => 1000n) })
  const link = (Name, { cid, bytes }) => ({ Name, Hash: cid, Tsize: bytes.length })
  const film = await block(dagPb, dagPb.prepare({ Data: file.marshal(), Links: pieces.map((piece) => link('', piece)) }))
  const page = await block(raw, new TextEncoder().encode('soup for everyone\n'))
  const menu = await block(dagCbor, { today: film.cid, dishes: 3 })
  const entries = [link('film.bin', film), link('menu', menu), link('page.txt', page)]
  const folder = new UnixFS({ type: 'directory' })
  const root = await block(dagPb, dagPb.prepare({ Data: folder.marshal(), Links: entries }))
  return { root, film, menu, blocks: [root, film, ...pieces, menu, page], bytes: Buffer.concat(pieces.map((piece) => piece.bytes)) }
}

async function write (path, root, blocks) {
  const { writer, out } = CarWriter.create([root])
  const written = pipeline(Readable.from(out), createWriteStream(path))
  for (const block of blocks) {
    await writer.put(block)
  }
  await writer.close()
  await written
}

/** What @ipld/car finds in a CAR, each block checked. */
async function read (bytes) {
  const car = await CarBlockIterator.fromBytes(bytes)
  const found = new Map()
  for await (const { cid, bytes } of car) {
    const digest = await sha256.digest(bytes)
    check(`a block of the CAR hashes to ${cid}`.slice(0, 60), same(digest.bytes, cid.multihash.bytes))
    found.set(cid.toString(), bytes)
  }
  return { roots: (await car.getRoots()).map(String), found }
}

const { values } = parseArgs({ options: { potluck: { type: 'string' } } })
if (values.potluck == null) {
  console.error('say which binary to ask: --potluck PATH')
  process.exit(2)
}

const node = await newNode(values.potluck, 'gateway')
let proxy
try {
  const films = join(node.folder, 'films')
  await mkdir(films)
  const bytes = Buffer.alloc(3 * MIB + 7, 'a dish for everyone, ')
  bytes.writeUInt32LE(1, MIB)
  bytes.writeUInt32LE(2, 2 * MIB)
  await writeFile(join(films, 'film.mkv'), bytes)
  node.run(['library', 'add', 'Films', '--kind', 'videos', '--path', films, '--visibility', 'public'])
  node.run(['scan'])
  const film = node.run(['cid', join(films, 'film.mkv')]).trim()

  const exported = join(node.folder, 'film.car')
  node.run(['export', film, '--output', exported])
  const car = await read(await readFile(exported))
  check('an export names its root and holds the root and its four leaves', car.roots[0] === film && car.found.size === 5, [...car.found.keys()])

  const made = await dag()
  const menu = join(node.folder, 'menu.car')
  await write(menu, made.root.cid, made.blocks)

  const served = await node.serve()
  const page = `http://${served['server.address']}`
  node.run(['import', 'car', menu])
  check('what was taken in is listed', node.run(['pin', 'list']).includes(made.root.cid.toString()))

  const stranger = await client(page)
  const answer = await stranger(`ipfs://${film}`)
  check('a stranger gets a film of a public library, verified', answer.ok && same(await answer.arrayBuffer(), bytes))
  const part = await stranger(`ipfs://${film}`, { headers: { range: 'bytes=1048570-1048590' } })
  check('and a part of it', part.status === 206 && same(await part.arrayBuffer(), bytes.subarray(1048570, 1048591)))
  const hidden = await stranger(`ipfs://${made.root.cid}/page.txt`, { signal: AbortSignal.timeout(20_000) }).then((told) => told.ok, () => false)
  check('and nothing of what is pinned', !hidden)
  await stranger.stop()

  const api = await signIn(page)
  const { key } = await api.post('/api-keys', { name: 'gateway' })
  proxy = await withKey(page, key)
  const account = await client(proxy.url)
  const text = await account(`ipfs://${made.root.cid}/page.txt`)
  check('an account gets a file of a pinned folder by its path', await text.text() === 'soup for everyone\n')
  const whole = await account(`ipfs://${made.root.cid}/film.bin`)
  check('and one of several blocks', same(await whole.arrayBuffer(), made.bytes))
  const document = await account(`ipfs://${made.menu.cid}`, { headers: { accept: 'application/json' } })
  check('and a document as JSON', (await document.json()).dishes === 3)
  await account.stop()

  const bearer = { authorization: `Bearer ${key}` }
  for (const [query, size] of [['', made.blocks.length], ['&dag-scope=block', 1], ['&dag-scope=entity', 1]]) {
    const told = await fetch(`${page}/ipfs/${made.root.cid}?format=car${query}`, { headers: bearer })
    const { roots, found } = await read(new Uint8Array(await told.arrayBuffer()))
    check(`a CAR ${query} is read whole`, roots[0] === made.root.cid.toString() && found.size === size, found.size)
  }
  node.run(['pin', 'remove', made.root.cid.toString()])
  check('what was given back is not listed', !node.run(['pin', 'list']).includes(made.root.cid.toString()))
} finally {
  proxy?.close()
  await node.stop()
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1
