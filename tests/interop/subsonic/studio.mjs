// A podcast of two episodes, at a server of this machine: the first is a tone of six seconds, the second is nowhere.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

const tone = () => execFileSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-nostdin', '-f', 'lavfi', '-i', 'sine=f=330:d=6', '-f', 'mp3', 'pipe:1'])

const item = (title, day, file) => `<item><title>${title}</title><guid>${title}</guid><pubDate>0${day} Mar 2025 10:00:00 GMT</pubDate>
  <enclosure url="${file}" type="audio/mpeg" length="0"/></item>`

/** Starts the server. `told` says where the feed is, and what the first episode is; `close` ends it. */
export async function openStudio () {
  const sound = tone()
  const server = createServer((request, response) => {
    const here = `http://${request.headers.host}`
    const feed = `<rss version="2.0"><channel><title>Kitchen talk</title>${item('Bread', 1, `${here}/bread.mp3`)}${item('Water', 2, `${here}/none.mp3`)}</channel></rss>`
    const found = { '/feed': feed, '/bread.mp3': sound }[request.url]
    response.writeHead(found ? 200 : 404).end(found ?? '')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const feed = `http://127.0.0.1:${server.address().port}/feed`
  const close = () => server.close()
  return { told: { podcast: { feed, seconds: 6, size: sound.length, sha256: createHash('sha256').update(sound).digest('hex') } }, close }
}
