// Unmodified programs of others live a day with a node's music: subsonic-api here, py-opensonic and py-sonic in their own processes.
//
//   node tests/interop/subsonic/run.mjs --potluck PATH_TO_BINARY --python PATH_TO_A_PYTHON_THAT_HAS_THEM
//
// Each has an account and an app password of its own, and finds the library that library.mjs made. The last line counts.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { changes, newNode, signIn } from '../node.mjs'
import { subsonicApiDay } from './day.mjs'
import { makeLibrary } from './library.mjs'
import { openStudio } from './studio.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const secret = 'what every program knows'
const counts = { passed: 0, failed: 0 }

/** Counts a fact of a program and tells it. */
const facts = (program) => (fact, holds, details = '') => {
  counts[holds ? 'passed' : 'failed']++
  const why = typeof details === 'string' ? details : JSON.stringify(details)
  console.log(holds ? `ok   ${program}: ${fact}` : `FAIL ${program}: ${fact}: ${why}`)
}

/** Makes an account with an app password. */
async function account (node, page, username) {
  node.run(['user', 'add', username, '--admin', '--password-stdin'], secret)
  const own = await signIn(page, username, secret)
  return (await own.post('/app-passwords', { name: 'a day' })).password
}

/** Waits until all songs are there: looked up again whenever the node tells of a change. */
async function imported (page, credentials, count) {
  for await (const _ of changes(page)) {
    const answer = await (await fetch(`${page}/rest/search3?f=json&query=&c=test&${credentials}`)).json()
    const songs = answer['subsonic-response'].searchResult3.song ?? []
    const scan = await (await fetch(`${page}/rest/getScanStatus?f=json&c=test&${credentials}`)).json()
    if (songs.length === count && songs.every((song) => song.duration > 0) && !scan['subsonic-response'].scanStatus.scanning) {
      return
    }
  }
  throw new Error('the node ended')
}

/** A script prints a line for each fact; when it ends in any other way than it should, that is one too. */
async function pythonDay (python, script, told, check) {
  // Beside it this process goes on: it is where the podcast comes from.
  const day = spawn(python, ['-B', join(here, script)], { timeout: 300_000 })
  const exited = new Promise((resolve) => day.once('close', (code, signal) => resolve(signal ?? code)))
  day.stdin.end(JSON.stringify(told))
  const [out, errors, ended] = await Promise.all([text(day.stdout), text(day.stderr), exited])
  const lines = out.split('\n').filter(Boolean)
  lines.forEach((line) => check(line.replace(/^\S+\s+/, ''), line.startsWith('ok')))
  check('the day came to its end', ended === 0 && lines.length > 0, `${ended}\n${errors}`)
}

const { values } = parseArgs({ options: { potluck: { type: 'string' }, python: { type: 'string' } } })
if (values.potluck == null || values.python == null) {
  console.error('say which binary to ask, and which Python has the programs: --potluck PATH --python PATH')
  process.exit(2)
}
const days = {
  'subsonic-api': (told, check) => subsonicApiDay(told, check).then(() => true, (error) => error)
    .then((ended) => check('the day came to its end', ended === true, ended.stack)),
  'py-opensonic': (told, check) => pythonDay(values.python, 'opensonic_day.py', told, check),
  'py-sonic': (told, check) => pythonDay(values.python, 'sonic_day.py', told, check)
}
const node = await newNode(values.potluck, 'subsonic')
const studio = await openStudio()
try {
  const folder = join(node.folder, 'music')
  const library = await makeLibrary(folder)
  const page = `http://${(await node.serve({ PODCASTS__PRIVATE_NETWORKS: '127.0.0.1' }))['server.address']}`
  await (await signIn(page)).post('/libraries', { name: 'Music', kind: 'music', path: folder })
  for (const [program, day] of Object.entries(days)) {
    const password = await account(node, page, program)
    await imported(page, `u=${program}&p=${password}`, library.songs.length)
    await day({ ...library, ...studio.told, url: page, port: Number(new URL(page).port), name: program, password }, facts(program))
  }
} finally {
  await node.stop()
  studio.close()
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1
