// Files and folders must have the same CID here as in Helia, with the profile `unixfs-v1-2025`.
//
//   node tests/interop/helia/run.mjs --potluck PATH_TO_BINARY
//
// Each case is made in a temporary folder, named by Helia and by `potluck cid`, and removed. The last line counts.
import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import * as fsp from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { globSource, unixfs } from '@helia/unixfs'
import { BlackHoleBlockstore } from 'blockstore-core/black-hole'

const MIB = 1024 * 1024
const GIB = 1024 * MIB
const options = { profile: 'unixfs-v1-2025' }
const silent = () => Object.assign(() => {}, { error: () => {}, trace: () => {}, enabled: false })
const helia = unixfs({ blockstore: new BlackHoleBlockstore(), logger: { forComponent: silent } })

/** Piece `number` of a file: no two pieces are alike, and it costs nothing to make. */
const pattern = Buffer.alloc(MIB, 'a dish for everyone, ')
function piece (number, length = MIB) {
  pattern.writeUInt32LE(number, 0)
  return pattern.subarray(0, length)
}

async function file (path, size) {
  const handle = await fsp.open(path, 'w')
  try {
    for (let at = 0; at < size; at += MIB) {
      await handle.write(piece(at / MIB, Math.min(MIB, size - at)))
    }
  } finally {
    await handle.close()
  }
}

async function heliaFile (path) {
  return helia.addByteStream(createReadStream(path, { highWaterMark: MIB }), options)
}

async function heliaFolder (path) {
  let last
  for await (const entry of helia.addAll(globSource(path, '**/*'), { ...options, wrapWithDirectory: true })) {
    last = entry
  }
  return last?.cid ?? helia.addDirectory(undefined, options)
}

/** Files of one size after another in one place: the largest first, then cut. */
async function * files (root) {
  const path = join(root, 'file')
  const sizes = [GIB + 3 * MIB + 5, GIB + 1, GIB, 2 * MIB, MIB + 1, MIB, MIB - 1, 1, 0]
  await file(path, sizes[0])
  for (const size of sizes) {
    await fsp.truncate(path, size)
    yield [`a file of ${size} bytes`, path, heliaFile]
  }
}

async function many (folder, count, name) {
  await fsp.mkdir(folder)
  for (let n = 0; n < count; n++) {
    await fsp.writeFile(join(folder, name(n)), n === 0 ? '' : `${n}`)
  }
  return folder
}

async function * folders (root) {
  const empty = join(root, 'empty')
  await fsp.mkdir(empty)
  yield ['an empty folder', empty, heliaFolder]

  const nested = join(root, 'nested')
  await fsp.mkdir(join(nested, 'Season 1/extras/empty'), { recursive: true })
  await fsp.mkdir(join(nested, '.hidden'))
  await fsp.writeFile(join(nested, '.hidden/file'), 'x')
  await fsp.writeFile(join(nested, '.DS_Store'), 'x')
  await fsp.writeFile(join(nested, 'Season 1/S01E01 – Crème brûlée 🍲 [x].mkv'), 'soup')
  await fsp.writeFile(join(nested, 'Season 1/extras/a'), '')
  await file(join(nested, 'Season 1/b.mp4'), 2 * MIB + 1)
  await fsp.symlink('Season 1/b.mp4', join(nested, 'link'))
  yield ['nested folders with hidden names and a link', nested, heliaFolder]

  // A link of these takes 75 bytes and the rest 4: 3495 fill 256 KiB, one more shards the folder.
  const name = (n) => `${n}`.padStart(31, '0')
  const flat = join(root, 'flat')
  yield ['the largest flat folder', await many(flat, 3495, name), heliaFolder]
  yield ['the smallest sharded folder', await many(join(root, 'sharded'), 3496, name), heliaFolder]
  yield ['a folder with two levels of shards', await many(join(root, 'deep'), 9000, (n) => `track ${n} ü.flac`), heliaFolder]

  const parent = join(root, 'parent')
  await fsp.mkdir(parent)
  await fsp.rename(join(root, 'sharded'), join(parent, 'sharded'))
  await fsp.writeFile(join(parent, 'zz'), 'z')
  yield ['a folder that holds a sharded one', parent, heliaFolder]
}

async function * cases (root) {
  yield * folders(root)
  yield * files(root)
}

const { values } = parseArgs({ options: { potluck: { type: 'string' }, json: { type: 'boolean', default: false } } })
if (values.potluck == null) {
  console.error('say which binary to compare with: --potluck PATH')
  process.exit(2)
}

const root = await fsp.mkdtemp(join(tmpdir(), 'potluck-interop-'))
const counts = { passed: 0, failed: 0 }
const named = {}
try {
  for await (const [what, path, theirs] of cases(root)) {
    const [helias, ours] = await Promise.all([
      theirs(path).then(String),
      promisify(execFile)(values.potluck, ['cid', path]).then(({ stdout }) => stdout.trim(), (error) => `${error}`)
    ])
    named[what] = helias
    counts[helias === ours ? 'passed' : 'failed']++
    console.log(helias === ours ? `ok   ${what}: ${ours}` : `FAIL ${what}: Helia ${helias}, Potluck ${ours}`)
  }
} finally {
  await fsp.rm(root, { recursive: true, force: true })
}
if (values.json) {
  console.log(JSON.stringify(named, null, 2))
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1
