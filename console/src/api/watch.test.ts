import { describe, expect, it } from 'vitest'
import { ApiError } from './client'
import type { List, Obj } from './types'
import { keep, type Snapshot, type Source } from './watch'

const object = (name: string, resourceVersion: string): Obj => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop', resourceVersion } })
const line = (type: string, it: Obj | object) => `${JSON.stringify({ type, object: it })}\n`

/** An API that answers what it was told to, and remembers what it was asked. */
class Told implements Source {
  asked: string[] = []
  states: Snapshot[] = []
  constructor(
    private pages: List<Obj>[],
    private watches: (string[] | ApiError)[],
    private ending = new AbortController(),
  ) {}
  list = async (path: string) => {
    this.asked.push(path)
    return this.pages.shift() ?? { items: [] }
  }
  async *watch(path: string) {
    this.asked.push(path)
    const next = this.watches.shift()
    if (next === undefined) return this.ending.abort()
    if (next instanceof ApiError) throw next
    yield* next
  }
  pause = async () => undefined
  async run() {
    await keep('/api/v1/services', this, (state) => this.states.push(state), this.ending.signal)
    return this
  }
  last = () => this.states.at(-1)?.objects ?? []
  lists = () => this.asked.filter((path) => !path.includes('watch=1'))
}

describe('a kept list', () => {
  it('is read in pages', async () => {
    const told = await new Told([{ metadata: { continue: 'more' }, items: [object('a', '1')] }, { metadata: { resourceVersion: '7' }, items: [object('b', '2')] }], []).run()
    expect(told.asked).toEqual(['/api/v1/services?limit=500', '/api/v1/services?limit=500&continue=more', '/api/v1/services?watch=1&resourceVersion=7&allowWatchBookmarks=true'])
    expect(told.last().map((it) => it.metadata.name)).toEqual(['a', 'b'])
  })

  it('of 5,000 takes one event without being read again, and touches one object', async () => {
    const many = Array.from({ length: 5000 }, (_, i) => object(`s${i}`, '1'))
    const told = await new Told([{ metadata: { resourceVersion: '1' }, items: many }], [[line('MODIFIED', object('s42', '2'))]]).run()
    expect(told.lists()).toHaveLength(1)
    const [before, after] = [told.states[0]?.objects ?? [], told.last()]
    expect(after.filter((it, i) => it !== before[i]).map((it) => it.metadata.name)).toEqual(['s42'])
  })

  it('goes on where a watch ended', async () => {
    const told = await new Told([{ metadata: { resourceVersion: '1' }, items: [] }], [[line('ADDED', object('a', '5'))], [line('BOOKMARK', object('', '9'))], [line('DELETED', object('a', '10'))]]).run()
    expect(told.lists()).toHaveLength(1)
    expect(told.asked.slice(1).map((path) => /resourceVersion=(\d+)/.exec(path)?.[1])).toEqual(['1', '5', '9', '10'])
    expect(told.last()).toEqual([])
  })

  it('says that it may be out of date until a watch stands again, though nothing happens then', async () => {
    const told = await new Told([{ metadata: { resourceVersion: '1' }, items: [object('a', '1')] }], [new ApiError(0, 'NoAnswer', ''), ['']]).run()
    expect(told.states.map((it) => it.stale?.reason)).toEqual([undefined, 'NoAnswer', undefined])
    expect(told.lists()).toHaveLength(1)
  })

  it('is read again when its version has expired, by a status or by a line', async () => {
    const gone = { code: 410, reason: 'Expired', message: '', metadata: {} }
    const told = await new Told([{ metadata: { resourceVersion: '1' }, items: [object('a', '1')] }, { metadata: { resourceVersion: '20' }, items: [object('a', '1')] }, { metadata: { resourceVersion: '30' }, items: [] }], [[line('ERROR', gone)], new ApiError(410, 'Expired', '')]).run()
    expect(told.lists()).toHaveLength(3)
    expect(told.states[1]?.objects[0]).toBe(told.states[0]?.objects[0])
  })

  it('takes lines that arrive in pieces', async () => {
    const whole = line('ADDED', object('a', '2'))
    const told = await new Told([{ metadata: { resourceVersion: '1' }, items: [] }], [[whole.slice(0, 20), whole.slice(20)]]).run()
    expect(told.last()).toHaveLength(1)
  })

  it('says that it is stale, and why, until it goes on', async () => {
    const told = await new Told([{ metadata: { resourceVersion: '1' }, items: [object('a', '1')] }], [new ApiError(0, 'NoAnswer', 'gone'), [line('MODIFIED', object('a', '2'))]]).run()
    expect(told.states.map((it) => it.stale?.reason)).toEqual([undefined, 'NoAnswer', undefined])
    expect(told.last()).toHaveLength(1)
  })

  it('ends when the right is taken away', async () => {
    const told = new Told([{ metadata: { resourceVersion: '1' }, items: [] }], [new ApiError(403, 'Forbidden', 'no')])
    await expect(told.run()).rejects.toMatchObject({ status: 403 })
  })
})
