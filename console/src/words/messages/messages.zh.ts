// All that the server says in sentences, in Chinese: its own chunk, loaded when Chinese is chosen and something is said.
import { translator } from '../sentences'
import { API } from './api.zh'
import { CONSOLE } from './console.zh'
import { FIELDS, PHRASES } from './fields.zh'
import { GATEWAY_API } from './gateway-api.zh'
import { GATEWAYS } from './gateways.zh'
import { INGRESS } from './ingress.zh'
import { ISTIO } from './istio.zh'
import { SAYINGS } from './sayings.zh'
import { STEPS } from './steps.zh'

export const CATALOGUE = [...FIELDS, ...INGRESS, ...GATEWAY_API, ...ISTIO, ...GATEWAYS, ...API, ...CONSOLE, ...SAYINGS]

export const chinese = translator(CATALOGUE, PHRASES)
export const step = translator(STEPS)
