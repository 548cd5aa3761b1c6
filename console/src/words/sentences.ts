// Sentences that the server puts together, said in another language: each is found among templates, what is between its words is kept.

/**
 * English as the server's source has it, and the same in the other language. A hole is `{}`; the other language numbers them, `{1}` on.
 * What is in a hole between quotes stays as it is, and so does what is in `{=}`. Elsewhere it may be a sentence of the catalogue itself;
 * prose that is in no catalogue may stand in `{*}` alone (what an operating system or a library says), so that nothing is said in two
 * languages by halves.
 */
export type Catalogue = readonly (readonly [english: string, chinese: string])[]

export type Translate = (text: string) => string | undefined

interface Template {
  pattern: RegExp
  /** The longest text between holes: a text without it is none of these. */
  longest: string
  holes: Hole[]
  chinese: string
  literal: number
}

/** `strict`: what somebody else says in a sentence has to be known, too. */
type How = 'strict' | 'loose'
type Hole = 'kept' | 'free' | 'foreign'

const HOLE = /\{[*=]?\}/
const KINDS: Record<string, Hole> = { '{}': 'free', '{*}': 'foreign', '{=}': 'kept' }
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Problems are put together so by the server; a message of more characters is cut there. */
const SEPARATOR = '; '
const LONGEST = 2048

/** No space stands between words in Chinese, only around those in another script. */
const BETWEEN = /(?<=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef”]) (?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff]) (?=[“（])/g

/** As many as are remembered. */
const MOST = 5000

const FIELD = /^(<nil>|[A-Za-z][\w-]*(?:\.[\w-]+|\[[^\]]*\])*): (?=\S)/
/** Certainly a field, and no first word of a sentence. */
const PATH = /^[a-z]\w*[.[][^\s:]*: /

/** Whether a text has words of a language that no quote holds. */
export const isProse = (text: string) => /(?<![\w./:-])[a-z']{2,} [a-z']{2,}(?![\w/:-])/.test(text.replace(/`[^`]*`|"[^"]*"|“[^”]*”/g, '`'))

/** `within`: what is no sentence, and stands in holes alone. */
export function translator(catalogue: Catalogue, within: Catalogue = []): Translate {
  const known = { whole: index(catalogue), within: index(within) }
  const sentences = new Map<string, string | undefined>()
  const messages = new Map<string, string | undefined>()
  return (text) => {
    if (sentences.size > MOST) sentences.clear()
    if (messages.size > MOST) messages.clear()
    if (!messages.has(text)) messages.set(text, new Reading(known, sentences).message(text))
    return messages.get(text)
  }
}

type Index = ReadonlyMap<string, Template[]>

/** By the first word, those with the most words of their own first. */
function index(catalogue: Catalogue): Index {
  const byWord = new Map<string, Template[]>()
  for (const [english, chinese] of catalogue) {
    const word = firstWord(english)
    byWord.set(word, [...(byWord.get(word) ?? []), compiled(english, chinese)])
  }
  for (const templates of byWord.values()) templates.sort((a, b) => b.literal - a.literal)
  return byWord
}

/** Empty where it is not the template's own. */
function firstWord(template: string): string {
  const word = template.split(' ', 1)[0] ?? ''
  return HOLE.test(word) ? '' : word
}

function compiled(english: string, chinese: string): Template {
  const parts = english.split(HOLE)
  const marks = english.match(new RegExp(HOLE, 'g')) ?? []
  const quoted = marks.map((_, index) => quoteAround(parts[index] ?? '', parts[index + 1] ?? ''))
  const holes = marks.map((mark, index) => (quoted[index] ? 'kept' : (KINDS[mark] ?? 'free')))
  const between = parts.map(escaped).reduce((pattern, part, index) => `${pattern}(${WITHIN[quoted[index - 1] ?? ''] ?? '[\\s\\S]+?'})${part}`)
  const longest = parts.reduce((most, part) => (part.length > most.length ? part : most), '')
  return { pattern: new RegExp(`^${between}$`), longest, holes, chinese, literal: english.length - marks.join('').length }
}

/** What may stand in a hole between them. */
const WITHIN: Record<string, string> = { '`': '[^`]*?', "'": "[^']*?", '"': '(?:[^"\\\\]|\\\\[\\s\\S])*?' }

function quoteAround(before: string, after: string): string {
  const quote = before.at(-1) ?? ''
  return quote in WITHIN && after.startsWith(quote) ? quote : ''
}

/** One text, taken apart; what was tried once is not tried again. */
class Reading {
  private lists = new Map<string, string | undefined>()

  constructor(
    private readonly known: { whole: Index; within: Index },
    private readonly sentences: Map<string, string | undefined>,
  ) {}

  message(text: string): string | undefined {
    if (text.length < LONGEST || !text.endsWith('…')) return this.list(text, SEPARATOR, '；')
    // The last one was cut in its middle.
    const end = text.lastIndexOf(SEPARATOR)
    const whole = end < 0 ? undefined : this.list(text.slice(0, end), SEPARATOR, '；')
    return whole && `${whole}；…`
  }

  private list(text: string, separator: string, between: string): string | undefined {
    const key = separator + text
    if (!this.lists.has(key)) this.lists.set(key, this.split(text, separator, (it) => this.problem(it), (it) => this.list(it, separator, between), between) ?? this.problem(text))
    return this.lists.get(key)
  }

  /** A field, what is wrong there, and what to do about it. */
  private problem(text: string, how: How = 'loose'): string | undefined {
    // The nearest boundaries first: a hole would take what is beyond them.
    return this.hinted(text, 'strict') ?? this.sentence(text, 'strict') ?? this.placed(text, how) ?? (how === 'loose' ? (this.hinted(text, how) ?? this.sentence(text, how)) : undefined)
  }

  private hinted(text: string, how: How): string | undefined {
    return PATH.test(text) ? this.placed(text, how) : this.split(text, '. ', (it) => this.sentence(it, how), (it) => this.problem(it, how), '。')
  }

  private placed(text: string, how: How): string | undefined {
    const field = FIELD.exec(text)
    const inside = field ? this.problem(text.slice(field[0].length), how) : undefined
    return field && inside !== undefined ? `${field[1]}：${inside}` : undefined
  }

  private split(text: string, separator: string, first: Translate, rest: Translate, between: string): string | undefined {
    for (let at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, at + 1)) {
      const head = first(text.slice(0, at))
      const tail = head === undefined ? undefined : rest(text.slice(at + separator.length))
      if (head !== undefined && tail !== undefined) return `${head.replace(/。$/, '')}${between}${tail}`
    }
    return undefined
  }

  private sentence(text: string, how: How): string | undefined {
    const key = how + text
    if (!this.sentences.has(key)) this.sentences.set(key, this.found(text, how, this.known.whole))
    return this.sentences.get(key)
  }

  private found(text: string, how: How, among: Index): string | undefined {
    for (const word of [text.split(' ', 1)[0] ?? '', '']) {
      for (const template of among.get(word) ?? []) {
        const said = text.includes(template.longest) ? this.filled(template, text, how) : undefined
        if (said !== undefined) return said
      }
    }
    return undefined
  }

  private filled({ pattern, holes, chinese }: Template, text: string, how: How): string | undefined {
    const found = pattern.exec(text)
    if (!found) return undefined
    const values = holes.map((hole, index) => this.value(found[index + 1] ?? '', hole, how))
    if (values.includes(undefined)) return undefined
    return chinese.replace(/\{(\d+)\}/g, (_, number: string) => values[Number(number) - 1] ?? '').replace(BETWEEN, '')
  }

  private value(text: string, hole: Hole, how: How): string | undefined {
    if (hole === 'kept') return text
    const said = this.listed(text) ?? this.problem(text, how) ?? this.found(text, how, this.known.within)
    if (said !== undefined) return said
    return (hole === 'free' || how === 'strict') && (isProse(text) || text.includes(SEPARATOR)) ? undefined : text.replace(/`([^`]*)`/g, '$1')
  }

  /** `[one, another]`, as Kubernetes lists what is wrong. */
  private listed(text: string): string | undefined {
    return text.startsWith('[') && text.endsWith(']') ? this.list(text.slice(1, -1), ', ', '；') : undefined
  }
}
