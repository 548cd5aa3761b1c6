// What is said of hops and of routes that were near, where it stands within another sentence.
import type { Catalogue } from '../sentences'
import { CHINESE } from '../reasons'
import told from '../reasons.json'

const NAMED = /\{(\w+)\}/g

/** Values by their places in the English. */
function placed(english: string, chinese: string): readonly [string, string] {
  const names = [...english.matchAll(NAMED)].map((found) => found[1])
  return [english.replace(NAMED, '{}'), chinese.replace(NAMED, (_, name: string) => `{${names.indexOf(name) + 1}}`)]
}

/** Without those that are little but values: they would be found everywhere. */
const hasWords = (english: string) => /[a-z]{2,} [a-z]{2,}/.test(english.replace(NAMED, '\n'))

const KINDS = ['Ingress', 'HTTPRoute', 'TLSRoute', 'TCPRoute', 'VirtualService']

export const SAYINGS: Catalogue = [
  ...Object.entries(told).filter(([, { english }]) => hasWords(english)).map(([reason, { english }]) => placed(english, CHINESE[reason] ?? english)),
  ...KINDS.flatMap((kind) => [[`{}, ${kind} {}  {}: {}`, `{1}，${kind} {2} 的 {3}：{4}`] as const, [`${kind} {}: {}`, `${kind} {1}：{2}`] as const]),
  ['{} is {}, {}: {}', '{1} 为 {2}，{3}：{4}'],
  ['none: it does not exist, or may not be used', '无：不存在，或不允许使用'],
]
