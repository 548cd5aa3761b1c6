// How good or bad a condition is.
import type { Condition } from '../api/types'
import type { Tone } from './basics'

/** Those that are bad when they are True, as `OptionsIgnored`. */
const BAD_WHEN_TRUE = /^(Conflicted|.*Ignored|.*Degraded|NotApplied)$/

export function conditionTone({ type, status }: Condition): Tone {
  if (status === 'Unknown') return 'quiet'
  return (status === 'True') === BAD_WHEN_TRUE.test(type) ? 'warn' : 'good'
}
