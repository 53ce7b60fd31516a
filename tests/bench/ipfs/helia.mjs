// How fast Helia gets a file from a node over Bitswap, and the same file over plain HTTP.
//
//   tests/interop/ipfs/node_modules/.bin/node tests/bench/ipfs/helia.mjs --address MULTIADDR --cid CID [--url URL]
//
// Prints {"bytes", "seconds"}, and with --url "reference", which is the same of HTTP. Helia is that of tests/interop/ipfs; it
// keeps nothing of what it fetched, so that only getting and checking count.
import { parseArgs } from 'node:util'
import { dial, fileIn, startHelia } from '../../interop/ipfs/helia.mjs'

const { values } = parseArgs({ options: { address: { type: 'string' }, cid: { type: 'string' }, url: { type: 'string' } } })
if (values.address == null || values.cid == null) {
  console.error('say where the node is and what to fetch: --address MULTIADDR --cid CID [--url URL]')
  process.exit(2)
}

/** Reads to the end. */
async function measure (pieces) {
  const began = performance.now()
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.length
  }
  return { bytes, seconds: (performance.now() - began) / 1000 }
}

async function * download (url) {
  const answer = await fetch(url)
  if (!answer.ok) {
    throw new Error(`${url}: ${answer.status}`)
  }
  yield * answer.body
}

const helia = await startHelia({ keep: false })
try {
  await dial(helia, values.address)
  const told = await measure(fileIn(helia, values.cid))
  if (values.url != null) {
    told.reference = await measure(download(values.url))
  }
  console.log(JSON.stringify(told))
} finally {
  await helia.stop()
}
