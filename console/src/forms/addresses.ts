// Which addresses ranges are, one by one, as long as they are few and of IPv4.

const OCTETS = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

function number(address: string): number | null {
  const octets = OCTETS.exec(address.trim())?.slice(1).map(Number)
  return octets && octets.every((it) => it < 256) ? octets.reduce((whole, it) => whole * 256 + it, 0) : null
}

const text = (address: number) => [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.')

/** `from-to`, `address/bits` or one address. */
function ends(range: string): [number, number] | null {
  const [from = '', to] = range.split('-')
  const [base = '', bits] = from.split('/')
  const first = number(base)
  if (first === null) return null
  if (bits !== undefined) {
    const size = 2 ** (32 - Number(bits))
    const start = first - (first % size)
    return [start, start + size - 1]
  }
  const last = to === undefined ? first : number(to)
  return last === null || last < first ? null : [first, last]
}

/** `null`: they are more than `most`, or not of IPv4. */
export function addressesOf(ranges: string[], most: number): string[] | null {
  const all: string[] = []
  for (const range of ranges) {
    const between = ends(range)
    if (!between || between[1] - between[0] >= most - all.length) return null
    for (let address = between[0]; address <= between[1]; address += 1) all.push(text(address))
  }
  return all
}
