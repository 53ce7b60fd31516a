// Helia fetches from a node what is public.
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import * as raw from 'multiformats/codecs/raw'
import { below, block, cat, meet, patience } from './helia.mjs'
import { cidOf, newPotluck } from './potluck.mjs'

const MIB = 1024 * 1024
let node

before(async (t) => { node = await newPotluck(t) })

for (const transport of ['TCP', 'WebSocket']) {
  test(`Helia fetches a public film over ${transport}`, async (t) => {
    const helia = await meet(t, node.addresses[transport])
    assert(node.shown.bytes.length > 3 * MIB)
    assert((await cat(helia, node.shown.cid)).equals(node.shown.bytes))
  })

  test(`Helia fetches a part of a public film over ${transport}, and no more blocks than it lies in`, async (t) => {
    const helia = await meet(t, node.addresses[transport])
    const [offset, length] = [2 * MIB - 7, MIB + 11]
    const part = await cat(helia, node.shown.cid, { offset, length })
    assert(part.equals(node.shown.bytes.subarray(offset, offset + length)))
    // The root, and the three leaves that the part touches.
    assert.equal((await Array.fromAsync(helia.blockstore.getAll())).length, 4)
  })
}

test('two Helias that fetch at the same time are both served', async (t) => {
  const helias = await Promise.all([meet(t, node.addresses.TCP), meet(t, node.addresses.WebSocket)])
  const films = await Promise.all(helias.map((helia) => cat(helia, node.shown.cid)))
  assert(films.every((film) => film.equals(node.shown.bytes)))
})

test('Helia that wants 2,000 blocks of one film at once gets them all, and another is served meanwhile', async (t) => {
  const cid = await longFilm('Long Film (2001)', 2000)
  const [greedy, modest] = [await meet(t, node.addresses.TCP, { keep: false }), await meet(t, node.addresses.TCP)]
  const leaves = (await below(greedy.blockstore, cid)).filter(({ code }) => code === raw.code)
  assert(leaves.length >= 2000)
  const signal = patience(120_000)
  let got = 0
  const all = leaves.map(async (leaf) => {
    // Helia hashes what comes; nothing is kept.
    await block(greedy, leaf, signal)
    got++
  })
  assert((await cat(modest, node.shown.cid)).equals(node.shown.bytes))
  assert(got < leaves.length, 'the modest one does not wait for the greedy one')
  await Promise.allSettled(all)
  assert.equal(got, leaves.length)
})

/** A film with something at its end that no other file has. It appears in its folder when it is whole. */
async function longFilm (title, mebibytes) {
  const [part, path] = [join(node.folder, 'long'), join(node.movies, title, `${title}.mkv`)]
  writeFileSync(part, node.shown.bytes)
  const piece = Buffer.alloc(MIB, 'a dish for everyone, ')
  for (let n = 0; n < mebibytes; n++) {
    piece.writeUInt32LE(n)
    appendFileSync(part, piece)
  }
  const cid = cidOf(part)
  mkdirSync(join(node.movies, title))
  renameSync(part, path)
  await node.imported(cid)
  return cid
}
