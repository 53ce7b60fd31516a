// A real node with the demo comics, a PDF beside them, and a way to ask it for things as a reading program does.
import { execFileSync, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
export const name = 'cook'
export const password = 'a pinch of salt'

/** A PDF of two pages with a grey box each. */
function pdf () {
  const content = '0.5 g 50 50 100 200 re f'
  const page = (contents) => `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 300] /Resources << >> /Contents ${contents} 0 R >>`
  const stream = `<< /Length ${content.length} >>\nstream\n${content}\nendstream`
  const objects = ['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [3 0 R 5 0 R] /Count 2 >>', page(4), stream, page(6), stream]
  let text = '%PDF-1.4\n'
  const places = objects.map((object, n) => {
    const place = text.length
    text += `${n + 1} 0 obj\n${object}\nendobj\n`
    return `${String(place).padStart(10, '0')} 00000 n \n`
  })
  const table = text.length
  return `${text}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${places.join('')}` +
    `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`
}

/** Starts a node; `page` is its address, `url` that of Komga's API at its own port, `comics` the library's folder. */
export async function startNode (potluck) {
  const folder = await mkdtemp(join(tmpdir(), 'potluck-opds-'))
  const [data, comics, made] = [join(folder, 'data'), join(folder, 'comics'), join(homedir(), '.cache/potluck/comics')]
  execFileSync(join(here, '../../fixtures/comic.sh'), [made], { stdio: 'inherit' })
  await cp(made, comics, { recursive: true })
  await mkdir(join(comics, 'Boxes & "Lines"'))
  await writeFile(join(comics, 'Boxes & "Lines"', 'Boxes 1 – ü {x} 100%.pdf'), pdf())
  const run = (args, input) => execFileSync(potluck, ['--data', data, ...args], { input, encoding: 'utf8' })
  run(['init', '--admin', name, '--password-stdin'], password)
  run(['library', 'add', 'Comics', '--kind', 'comics', '--path', comics])
  const { child, exited, page, komga } = await serve(potluck, data)
  return {
    comics,
    page: `http://${page}`,
    url: `http://${komga}`,
    async stop () {
      child.kill('SIGTERM')
      await exited
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function serve (potluck, data) {
  const loopback = '127.0.0.1:0'
  const env = { WEBRTC__LISTEN: loopback, FRIENDS__LISTEN: loopback, KOMGA__LISTEN: loopback, LOG__FORMAT: 'json' }
  const settings = Object.fromEntries(Object.entries(env).map(([key, value]) => [`POTLUCK_${key}`, value]))
  const child = spawn(potluck, ['--data', data, 'serve', '--listen', loopback], {
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'ignore', 'pipe']
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const lines = createInterface({ input: child.stderr })
  let log = ''
  const ready = new Promise((resolve) => lines.on('line', (line) => {
    log += `${line}\n`
    const told = line.startsWith('{') ? JSON.parse(line) : {}
    if (told['komga.address'] != null) {
      resolve({ child, exited, page: told['server.address'], komga: told['komga.address'] })
    }
  }))
  const ended = exited.then((code) => Promise.reject(new Error(`the node ended with ${code}:\n${log}`)))
  return Promise.race([ready, ended])
}

const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

/** Asks for an address as a program that was told a name and a password. */
export async function get (address) {
  const answer = await fetch(address, { headers: { authorization } })
  if (answer.status !== 200) {
    throw new Error(`${address}: ${answer.status} ${await answer.text()}`)
  }
  return answer
}

/** The node's events, from now on: its own API's, which wants a session. */
async function * events (page) {
  const login = await fetch(`${page}/api/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: name, password })
  })
  const cookie = login.headers.getSetCookie().map((text) => text.split(';')[0]).join('; ')
  const answer = await fetch(`${page}/api/v1/events`, { headers: { cookie }, signal: AbortSignal.timeout(120_000) })
  yield
  for await (const _ of answer.body) {
    yield
  }
}

/** Waits until as many books can be read: looked up again whenever the node tells of a change. */
export async function imported (node, count) {
  for await (const _ of events(node.page)) {
    const { content } = await (await get(`${node.url}/api/v1/books?media_status=READY&unpaged=true`)).json()
    if (content.length >= count && content.every((book) => book.media.pagesCount > 0)) {
      return content
    }
  }
  throw new Error('the node ended')
}
