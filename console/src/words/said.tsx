// A sentence of the server, in the language that was chosen.
import { original, useTell } from './messages'

/** The server's own words are there where one points, for they are what one searches for. */
export function Said({ of, className }: { of: string | undefined; className?: string }) {
  const said = useTell()(of)
  return (
    <span {...(className && { className })} {...original(of, said)}>
      <Ticked>{said}</Ticked>
    </span>
  )
}

/** What stands between backticks looks like what one types; who copies it gets the whole. */
export const Ticked = ({ children }: { children: string }) => (
  <>
    {children.split('`').map((part, index, all) =>
      index % 2 && index < all.length - 1 ? (
        <code key={index}>
          <i className="tick">`</i>
          {part}
          <i className="tick">`</i>
        </code>
      ) : (
        `${index % 2 ? '`' : ''}${part}`
      ),
    )}
  </>
)
