// CARs of the node are read by @ipld/car, and the node reads those that it wrote.
import assert from 'node:assert/strict'
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { before, test } from 'node:test'
import { unixfs } from '@helia/unixfs'
import { CarBlockIterator, CarWriter } from '@ipld/car'
import { MemoryBlockstore } from 'blockstore-core'
import { sha256 } from 'multiformats/hashes/sha2'
import { below, dag, patience, silent } from './helia.mjs'
import { newPotluck } from './potluck.mjs'

const MIB = 1024 * 1024
let node

before(async (t) => { node = await newPotluck(t) })

/** The roots of a CAR and its blocks by CID, each checked. */
async function read (bytes) {
  const blocks = new Map()
  const car = await CarBlockIterator.fromIterable(bytes)
  for await (const { cid, bytes } of car) {
    assert.deepEqual((await sha256.digest(bytes)).digest, cid.multihash.digest)
    blocks.set(cid.toString(), bytes)
  }
  return { roots: (await car.getRoots()).map(String), blocks }
}

async function ask (path) {
  const answer = await fetch(`${node.page}/ipfs/${path}`, { signal: patience() })
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-type'), /^application\/vnd\.ipld\.car; ?version=1/)
  return read(answer.body)
}

test('a CAR of a film has all blocks of it, in order', async () => {
  const { cid, bytes } = node.shown
  const { roots, blocks } = await ask(`${cid}?format=car`)
  assert.deepEqual(roots, [`${cid}`])
  assert.deepEqual([...blocks.keys()], (await dag(bytes)).map(String))
})

test('a CAR of a block has that block, and one of a part of a film only what the part lies in', async () => {
  const { cid, bytes } = node.shown
  const all = (await dag(bytes)).map(String)
  const block = await ask(`${cid}?format=car&dag-scope=block`)
  assert.deepEqual([...block.blocks.keys()], [all[0]])
  const part = await ask(`${cid}?format=car&dag-scope=entity&entity-bytes=${MIB}:${2 * MIB}`)
  assert.deepEqual([...part.blocks.keys()], [all[0], all[2], all[3]])
})

test('a CAR of a path in the public folder proves the path', async () => {
  const { root } = await node.ipfs()
  const { title, name, cid, bytes } = node.shown
  const { blocks } = await ask(`${root}/Movies/${encodeURIComponent(title)}/${encodeURIComponent(name)}?format=car`)
  const film = (await dag(bytes)).map(String)
  // The public folder, Movies, the folder of the film, and the film.
  assert.equal(blocks.size, 3 + film.length)
  assert.deepEqual([...blocks.keys()].slice(3), film)
  assert([...blocks.keys()].includes(`${cid}`))
})

test('@ipld/car reads what `potluck export` wrote', async () => {
  const { cid, bytes } = node.shown
  const file = join(node.folder, 'film.car')
  node.run(['export', `${cid}`, '--output', file])
  const { roots, blocks } = await read(createReadStream(file))
  assert.deepEqual(roots, [`${cid}`])
  const film = await dag(bytes)
  assert.deepEqual(new Set(blocks.keys()), new Set(film.map(String)))
})

test('`potluck import car` takes in what @ipld/car wrote, and serves it to accounts and to nobody else', async () => {
  const blockstore = new MemoryBlockstore()
  const bytes = Buffer.alloc(3 * MIB + 1, 'from another kitchen, ')
  const fs = unixfs({ blockstore, logger: { forComponent: silent } })
  const root = await fs.cp(await fs.addBytes(bytes), await fs.addDirectory(), 'dish.bin')
  const file = join(node.folder, 'elsewhere.car')
  const { writer, out } = CarWriter.create([root])
  const written = pipeline(Readable.from(out), createWriteStream(file))
  for (const cid of await below(blockstore, root)) {
    await writer.put({ cid, bytes: Buffer.concat(await Array.fromAsync(blockstore.get(cid))) })
  }
  await writer.close()
  await written
  node.run(['import', 'car', file])
  const path = `/ipfs/${root}/dish.bin`
  const answer = await node.admin.open(path, { signal: patience() })
  assert(Buffer.from(await answer.arrayBuffer()).equals(bytes))
  assert.equal((await fetch(`${node.page}${path}`, { signal: patience() })).status, 404)
})
