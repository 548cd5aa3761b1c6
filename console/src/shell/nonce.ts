// The nonce that the page was served with. Some parts make style elements without knowing of it: those get it here, for the policy lets
// no other style in.
export const cspNonce = document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? ''

const make = document.createElement.bind(document)
document.createElement = ((name: string, options?: ElementCreationOptions) => {
  const element = make(name, options)
  if (element instanceof HTMLStyleElement) element.nonce = cspNonce
  return element
}) as typeof document.createElement
