// All that the server says in sentences, in Chinese: its own chunk, loaded when Chinese is chosen and something is said.
import { translator } from '../sentences'
import { INGRESS } from './ingress.zh'

export const CATALOGUE = [...INGRESS]

export const chinese = translator(CATALOGUE)
