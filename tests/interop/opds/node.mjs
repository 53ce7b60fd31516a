// A real node with the demo comics, a PDF beside them, and a way to ask it for things as a reading program does.
import { execFileSync } from 'node:child_process'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { changes, name, newNode, password } from '../node.mjs'

const here = dirname(fileURLToPath(import.meta.url))

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
  const node = await newNode(potluck, 'opds')
  const [comics, made] = [join(node.folder, 'comics'), join(homedir(), '.cache/potluck/comics')]
  execFileSync(join(here, '../../fixtures/comic.sh'), [made], { stdio: 'inherit' })
  await cp(made, comics, { recursive: true })
  await mkdir(join(comics, 'Boxes & "Lines"'))
  await writeFile(join(comics, 'Boxes & "Lines"', 'Boxes 1 – ü {x} 100%.pdf'), pdf())
  node.run(['library', 'add', 'Comics', '--kind', 'comics', '--path', comics])
  const told = await node.serve({ KOMGA__LISTEN: '127.0.0.1:0' })
  return { comics, page: `http://${told['server.address']}`, url: `http://${told['komga.address']}`, stop: node.stop }
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

/** Waits until as many books can be read: looked up again whenever the node tells of a change. */
export async function imported (node, count) {
  for await (const _ of changes(node.page)) {
    const { content } = await (await get(`${node.url}/api/v1/books?media_status=READY&unpaged=true`)).json()
    if (content.length >= count && content.every((book) => book.media.pagesCount > 0)) {
      return content
    }
  }
  throw new Error('the node ended')
}
