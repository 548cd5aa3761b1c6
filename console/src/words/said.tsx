// A sentence of the server, in the language that was chosen.
import { original, useTell } from './messages'

/** The server's own words are there where one points, for they are what one searches for. */
export function Said({ of, className }: { of: string | undefined; className?: string }) {
  const said = useTell()(of)
  return (
    <span {...(className && { className })} {...original(of, said)}>
      {said}
    </span>
  )
}
