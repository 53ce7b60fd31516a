// Feeds of a real node, read by other people's parsers: Readium's r2-opds-js and r2-shared-js here, Python's feedparser in feeds.py.
//
//   node tests/interop/opds/run.mjs --potluck PATH_TO_BINARY
//
// Every feed is reached by links alone, from the start; every book's pages and file are fetched by its links. The last line counts.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DOMParser } from '@xmldom/xmldom'
import { name, password } from '../node.mjs'
import { get, imported, startNode } from './node.mjs'

// These packages have no module entries: their files are asked for by name, as their own documentation does.
const require = createRequire(import.meta.url)
const { XML } = require('r2-utils-js/dist/es8-es2017/src/_utils/xml-js-mapper')
const { TaJsonDeserialize } = require('r2-lcp-js/dist/es8-es2017/src/serializable')
const { Publication } = require('r2-shared-js/dist/es8-es2017/src/models/publication')
const { initGlobalConverters_GENERIC: initGeneric, initGlobalConverters_OPDS: initOpds } = require('r2-opds-js/dist/es8-es2017/src/opds/init-globals')
const { OPDS } = require('r2-opds-js/dist/es8-es2017/src/opds/opds1/opds')
const { OPDSFeed } = require('r2-opds-js/dist/es8-es2017/src/opds/opds2/opds2')
const { OPDSPublication } = require('r2-opds-js/dist/es8-es2017/src/opds/opds2/opds2-publication')
const { OPDSAuthenticationDoc } = require('r2-opds-js/dist/es8-es2017/src/opds/opds2/opds2-authentication-doc')
const { convertOpds1ToOpds2 } = require('r2-opds-js/dist/es8-es2017/src/opds/converter')
initGeneric()
initOpds()

const PSE = 'http://vaemendis.net/opds-pse/ns'
const STREAM = 'http://vaemendis.net/opds-pse/stream'
const ACQUISITION = 'http://opds-spec.org/acquisition'
const counts = { passed: 0, failed: 0 }

function check (fact, holds, details = '') {
  counts[holds ? 'passed' : 'failed']++
  console.log(holds ? `ok   ${fact}` : `FAIL ${fact}: ${typeof details === 'string' ? details : JSON.stringify(details)}`)
}

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex')
const bytesOf = async (address) => Buffer.from(await (await get(address)).arrayBuffer())
const isJpeg = (bytes) => bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))

/** The digests of all books on disk. */
async function digests (folder) {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile())
  return new Set(await Promise.all(files.map(async (file) => digest(await readFile(join(file.parentPath ?? file.path, file.name))))))
}

/** The address behind a link that may be a path. */
const at = (base, href) => href.startsWith('/') ? new URL(base).origin + href : href

/** All feeds that links lead to from a start, each once, as `read` makes them. */
async function crawl (start, read) {
  const [open, seen, feeds] = [[start], new Set([start]), []]
  while (open.length > 0) {
    const address = open.shift()
    const feed = await read(address)
    feeds.push(feed)
    for (const next of feed.leads.map((href) => at(address, href)).filter((href) => !seen.has(href))) {
      seen.add(next)
      open.push(next)
    }
  }
  return feeds
}

async function readAtom (address) {
  const text = await (await get(address)).text()
  const dom = new DOMParser().parseFromString(text, 'application/xml')
  const feed = XML.deserialize(dom, OPDS)
  feed.Entries ??= []
  const links = [feed.Links, ...feed.Entries.map((entry) => entry.Links)].flat()
  const leads = links.filter((link) => link.Type?.includes('profile=opds-catalog')).map((link) => link.Href)
  return { address, dom, feed, leads }
}

async function opds1 (start, onDisk) {
  const feeds = await crawl(start, readAtom)
  const entries = feeds.flatMap(({ feed }) => feed.Entries)
  const named = ({ feed }) => feed.Id && feed.Title && feed.Updated instanceof Date && feed.Links.some((l) => l.HasRel('self')) && feed.Links.some((l) => l.HasRel('start'))
  check(`OPDS 1: all ${feeds.length} feeds have id, title, time and their links`, feeds.length > 10 && feeds.every(named))
  check(`OPDS 1: all ${entries.length} entries have id, title and time`, entries.every((e) => e.Id && e.Title && e.Updated instanceof Date))
  const converted = feeds.map(({ feed }) => convertOpds1ToOpds2(feed))
  const same = converted.every((feed, n) => (feed.Publications?.length ?? 0) + (feed.Navigation?.length ?? 0) + (feed.Groups?.length ?? 0) >= Math.min(1, feeds[n].feed.Entries.length))
  check('OPDS 1: Readium makes OPDS 2 of every feed', same)
  const books = new Map(entries.filter((e) => e.Links.some((l) => l.HasRel(ACQUISITION))).map((e) => [e.Id, e]))
  for (const book of books.values()) {
    const href = (rel) => at(start, book.Links.find((link) => link.HasRel(rel))?.Href)
    check(`OPDS 1: the file of "${book.Title}" is the one on disk`, onDisk.has(digest(await bytesOf(href(ACQUISITION)))))
    check(`OPDS 1: "${book.Title}" has a cover`, isJpeg(await bytesOf(href('http://opds-spec.org/image'))))
  }
  await streams(start, feeds)
  return [...books.values()].map((book) => book.Title.replace(/^.* [\d.]+: /, '')).sort()
}

/** The extension for streaming is not Readium's: its attributes are read from the XML, by their namespace. */
async function streams (start, feeds) {
  const links = feeds.flatMap(({ dom }) => [...dom.getElementsByTagName('link')]).filter((l) => l.getAttribute('rel') === STREAM)
  const pages = new Map(links.map((link) => [at(start, link.getAttribute('href')), Number(link.getAttributeNS(PSE, 'count'))]))
  check(`OPDS 1: ${pages.size} books can be streamed`, pages.size > 0)
  for (const [template, count] of pages) {
    const last = await bytesOf(template.replace('{pageNumber}', count - 1))
    const beyond = await get(template.replace('{pageNumber}', count)).catch((error) => error)
    check(`OPDS 1: the last of ${count} pages is a picture, and there is none after it`, isJpeg(last) && beyond instanceof Error)
  }
}

async function readJson (address) {
  const json = await (await get(address)).json()
  const feed = TaJsonDeserialize(json, OPDSFeed)
  const groups = feed.Groups ?? []
  const links = [feed.Links, feed.Navigation, ...groups.flatMap((g) => [g.Links, g.Navigation]), ...(feed.Facets ?? []).map((f) => f.Links)]
  const leads = links.flat().filter((link) => link?.TypeLink === 'application/opds+json' && !link.Templated).map((link) => link.Href)
  return { address, json, feed, leads, publications: [feed, ...groups].flatMap((part) => part.Publications ?? []) }
}

async function opds2 (start, onDisk) {
  const feeds = await crawl(start, readJson)
  const named = ({ feed }) => feed.Metadata?.Title && feed.findFirstLinkByRel('self') && feed.findFirstLinkByRel('start') && feed.findFirstLinkByRel('search')?.Templated
  check(`OPDS 2: all ${feeds.length} feeds have a title and their links`, feeds.length > 10 && feeds.every(named))
  const unknown = new Set(feeds.flatMap(({ feed }) => Object.keys(feed.AdditionalJSON ?? {})))
  check('OPDS 2: Readium knows every member of the feeds', unknown.size === 0, [...unknown])
  const books = new Map(feeds.flatMap(({ publications }) => publications).map((p) => [p.Metadata.Identifier, p]))
  check(`OPDS 2: all ${books.size} publications have a title, images and links`, [...books.values()].every((p) => p.Metadata.Title && p.Images?.length > 0 && p.Links?.length > 1))
  for (const book of books.values()) {
    await publication(book, onDisk)
  }
  const found = await readJson(feeds[0].feed.findFirstLinkByRel('search').Href.replace('{?query}', '?query=night%20garden'))
  check('OPDS 2: a search finds a series', found.feed.Groups?.[0]?.Navigation?.[0]?.Title === 'Night Garden', found.json)
  return [...books.values()].map((book) => book.Metadata.Title).sort()
}

async function publication (book, onDisk) {
  const title = book.Metadata.Title
  check(`OPDS 2: the file of "${title}" is the one on disk`, onDisk.has(digest(await bytesOf(book.findFirstLinkByRel(ACQUISITION).Href))))
  for (const image of book.Images) {
    check(`OPDS 2: "${title}" has a cover`, isJpeg(await bytesOf(image.Href)))
  }
  const self = book.findFirstLinkByRel('self')
  const manifest = TaJsonDeserialize(await (await get(self.Href)).json(), Publication)
  const [spine, pages] = [manifest.Spine ?? [], book.Metadata.NumberOfPages ?? manifest.Metadata.NumberOfPages]
  const order = self.TypeLink === 'application/divina+json' ? pages : 1
  check(`OPDS 2: the manifest of "${title}" has its reading order`, manifest.Metadata.Title === title && spine.length === order, [spine.length, order])
  const first = await bytesOf(spine[0].Href)
  const whole = spine[0].TypeLink === 'application/pdf'
  check(`OPDS 2: the first of it is there`, whole ? onDisk.has(digest(first)) : isJpeg(first))
}

async function signIn (url) {
  const answer = await fetch(`${url}/opds/v2/catalog`)
  const link = /<([^>]+)>; rel="http:\/\/opds-spec.org\/auth\/document"/.exec(answer.headers.get('link'))?.[1]
  const document = TaJsonDeserialize(await (await fetch(link)).json(), OPDSAuthenticationDoc)
  const basic = document.Authentication?.[0]
  check('OPDS 2: whoever is not known is told how to sign in', answer.status === 401 && basic?.Type === 'http://opds-spec.org/auth/basic' && Boolean(basic.Labels?.Login))
}

const { values } = parseArgs({ options: { potluck: { type: 'string' } } })
if (values.potluck == null) {
  console.error('say which binary to ask: --potluck PATH')
  process.exit(2)
}
const node = await startNode(values.potluck)
try {
  const onDisk = await digests(node.comics)
  const books = await imported(node, onDisk.size)
  await signIn(node.url)
  const titles = books.map((book) => book.metadata.title).sort()
  const one = await opds1(`${node.url}/opds/v1.2/catalog`, onDisk)
  check('OPDS 1: every book was found by links', String(one) === String(titles), [one, titles])
  const two = await opds2(`${node.url}/opds/v2/catalog`, onDisk)
  check('OPDS 2: every book was found by links', String(two) === String(titles), [two, titles])
  // Debian's own Python, which has Debian's feedparser.
  const script = join(dirname(fileURLToPath(import.meta.url)), 'feeds.py')
  const told = execFileSync('/usr/bin/python3', [script, node.url, name, password, String(titles.length)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  told.trimEnd().split('\n').forEach((line) => check(line.replace(/^\S+\s+/, ''), line.startsWith('ok')))
} finally {
  await node.stop()
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1
