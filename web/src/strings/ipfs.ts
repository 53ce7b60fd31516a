/** What the page says of content in the network of IPFS. */
import { count } from './count';

export const ipfs = {
  title: 'Open a CID',
  field: 'A CID, a path, or a link',
  placeholder: 'bafy…, /ipfs/…, ipfs://…, https://ipfs.io/ipfs/…',
  open: 'Open',
  start: 'Content has a name',
  startHelp:
    'A CID names bytes, wherever they lie. This node gets them from whoever has them, and checks that they are what the name says before you see them. Your browser talks to this node only.',
  wrong: {
    nothing: () => 'This is no CID, no path and no link. It looks like bafy…, /ipfs/bafy…, ipfs://bafy… or ipns://k51…',
    cid: (part: string) =>
      part === ''
        ? 'After /ipfs/ there has to be a CID.'
        : `“${part}” is not a whole CID. Copy it again, to its last letter.`,
    name: (part: string) =>
      part === ''
        ? 'After /ipns/ there has to be a name.'
        : `“${part}” is no name of IPNS. One begins with k51 or 12D3Koo.`,
    domain: (part: string) =>
      `“${part}” is a domain. Those are not looked up here, as that would tell others what you open. Use its CID, or a name that begins with k51.`,
    path: (part: string) => `“${part}” cannot be the name of a file or folder in a path.`,
    web: () => 'This web address names no content. The address of a gateway has /ipfs/ or /ipns/ in it.',
  },

  looking: 'Looking for it',
  lookingFor: (seconds: number) => `${seconds} s`,
  lookingHelp: 'First here, then at nodes that may have it. It can take a minute, and perhaps nobody has it.',
  stopped: 'You stopped looking',
  stoppedHelp: 'Nothing was kept of it. Look again whenever you like.',
  again: 'Look again',

  refused: {
    invalid: {
      title: 'The node cannot read this',
      help: 'Check the CID and the names after it: capitals count, and so does every letter.',
    },
    forbidden: {
      title: 'This account may not fetch from elsewhere',
      help: 'The owner of this node decides who may. Content that is on this node opens as before.',
    },
    not_found: {
      title: 'Nobody who was asked has it',
      help: 'Whoever has it may be away, or a name in the path is wrong. Try again later, or ask where the CID came from; the owner can connect this node with one that has it.',
    },
    unavailable: {
      title: 'It cannot be opened now',
      help: 'If the IPFS side is off, the owner of this node switches it on (ipfs.enabled); the log of its start says why it is off. Otherwise try again in a moment.',
    },
    too_slow: {
      title: 'It took too long',
      help: 'Somebody may have it, but far away or behind a slow line. Try again in a moment.',
    },
  } as Record<string, { title: string; help: string }>,

  way: 'Where this is',
  space: { ipfs: 'IPFS', ipns: 'IPNS' } as Record<string, string>,
  entries: (n: number) => count(n, 'entry', 'entries'),
  entriesOf: (shown: number, n: number) => `${shown.toLocaleString('en')} of ${count(n, 'entry', 'entries')}`,
  filter: 'Filter by name',
  noneLike: (text: string) => `No name in here has “${text}” in it.`,
  truncated: (n: number) =>
    `Only the first ${n.toLocaleString('en')} are listed. To open another, write its name behind the path above.`,
  emptyTitle: 'An empty folder',
  emptyHelp: 'It has a CID like any other, and nothing in it.',

  cid: 'Content identifier (CID)',
  uri: 'IPFS address',
  link: 'Link to this page',
  size: 'Size',
  type: 'Type',
  unknownType: 'not known',
  block: 'Neither file nor folder: data of another kind, or a symbolic link',
  verified: 'Verified by this node',
  verifiedHelp: 'Every block is hashed here, and is passed on only if it is what its name says.',
  movable: 'A name of IPNS may lead to other content tomorrow. The CID below always leads to this.',
  download: 'Download',
  downloadCar: 'Download as CAR',
  downloadBlock: 'Download the block',

  player: (name: string) => `Player: ${name}`,
  fetching: 'Waiting for bytes',
  unplayable: 'It cannot be played here',
  unplayableHelp:
    'This browser may not know its format, or its bytes stopped coming. Downloaded, it may play in VLC or mpv.',
  unshown: 'The picture cannot be shown here',
  unshownHelp: 'This browser may not know its format, or its bytes stopped coming. It can be downloaded.',
  text: (name: string) => `Text of ${name}`,
  longText: 'Texts above 1 MiB are not shown here. Download it to read it.',
  other: 'Files of this kind are not shown here. Download it to open it with another program.',

  offer: 'Open it from the network of IPFS',
};
