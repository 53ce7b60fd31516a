// A real node in a folder of its own, for whoever brings other people's programs to it.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** The admin. */
export const name = 'cook'
export const password = 'a pinch of salt'

/**
 * Makes a data folder in a new one. `run` calls the binary for it; `serve` starts the node, with settings as environment variables
 * are named, and answers with what the node tells when it is ready; `stop` ends it and removes the folder.
 */
export async function newNode (potluck, label) {
  const folder = await mkdtemp(join(tmpdir(), `potluck-${label}-`))
  const data = join(folder, 'data')
  const run = (args, input) => execFileSync(potluck, ['--data', data, ...args], { input, encoding: 'utf8' })
  let serving
  run(['init', '--admin', name, '--password-stdin'], password)
  return {
    folder,
    run,
    async serve (settings = {}) {
      serving = await serve(potluck, data, settings)
      return serving.told
    },
    async stop () {
      serving?.child.kill('SIGTERM')
      await serving?.exited
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function serve (potluck, data, settings) {
  const loopback = '127.0.0.1:0'
  const ipfs = '/ip4/127.0.0.1/tcp/0,/ip4/127.0.0.1/tcp/0/ws'
  const env = { WEBRTC__LISTEN: loopback, FRIENDS__LISTEN: loopback, IPFS__LISTEN: ipfs, LOG__FORMAT: 'json', ...settings }
  const named = Object.fromEntries(Object.entries(env).map(([key, value]) => [`POTLUCK_${key}`, value]))
  const child = spawn(potluck, ['--data', data, 'serve', '--listen', loopback], {
    env: { ...process.env, ...named },
    stdio: ['ignore', 'ignore', 'pipe']
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const lines = createInterface({ input: child.stderr })
  let log = ''
  const ready = new Promise((resolve) => lines.on('line', (line) => {
    log += `${line}\n`
    const told = line.startsWith('{') ? JSON.parse(line) : {}
    if (told['server.address'] != null) {
      resolve({ child, exited, told })
    }
  }))
  const ended = exited.then((code) => Promise.reject(new Error(`the node ended with ${code}:\n${log}`)))
  return Promise.race([ready, ended])
}

/** Calls of the node's own API by an account; `open` is for any other path, and leaves it to the caller what the answer is worth. */
export async function signIn (page, username = name, secret = password) {
  const json = { 'content-type': 'application/json' }
  const login = await fetch(`${page}/api/v1/login`, { method: 'POST', headers: json, body: JSON.stringify({ username, password: secret }) })
  const cookie = login.headers.getSetCookie().map((text) => text.split(';')[0]).join('; ')
  const call = async (path, options) => {
    const answer = await fetch(`${page}/api/v1${path}`, { ...options, headers: { ...json, cookie } })
    if (!answer.ok) {
      throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    }
    return answer
  }
  return {
    open: (path, { headers, ...options } = {}) => fetch(`${page}${path}`, { ...options, headers: { ...headers, cookie } }),
    get: (path) => call(path, { signal: AbortSignal.timeout(120_000) }),
    post: async (path, body) => (await call(path, { method: 'POST', body: JSON.stringify(body) })).json()
  }
}

/** Comes back once at the beginning, and whenever the node tells of a change. */
export async function * changes (page) {
  const answer = await (await signIn(page)).get('/events')
  try {
    yield
    for await (const _ of answer.body) {
      yield
    }
  } catch (error) {
    throw error.name === 'TimeoutError' ? new Error('what is waited for did not come in two minutes') : error
  }
}
